import { actorTypeId, type Actor } from "../actor.ts";
import type { DeclaredError } from "../errors.ts";
import { reasonCodes } from "../policy/decisions.ts";
import { AccessRefused } from "./access-events.ts";
import type { Operation } from "./operation.ts";
import type { Call, Services } from "./services.ts";

/**
 * Records that a known caller was refused, in a transaction of its own: the change that was refused leaves nothing else.
 * A refusal stands even where it cannot be recorded.
 */
export async function recordRefusal(services: Services, operation: Operation, call: Call, actor: Actor, error: DeclaredError): Promise<void> {
  if (error.type.status !== 403 || actor.orgId === undefined) return;
  const { orgId } = actor;
  const subject = actorTypeId(actor);
  const { permission, reasons } = error.data ?? {};
  try {
    await services.database.tenant(orgId, async (db) => {
      const events = services.appender(db, { orgId, actor, operation: operation.id, requestId: call.requestId, door: call.door });
      await events.append({
        type: AccessRefused, subject, stream: `access ${subject}`,
        data: { operation: operation.id, code: error.type.code, ...(typeof permission === "string" && { permission }), ...(Array.isArray(reasons) && { reasons: reasonCodes(reasons) }) },
      });
    });
  } catch (failure) {
    services.log.error({ err: failure, operation: operation.id, requestId: call.requestId }, "a refusal was not recorded");
  }
}
