import { anonymous } from "../../../platform/actor.ts";
import type { Database } from "../../../platform/database/database.ts";
import { fromTypeId } from "../../../platform/ids.ts";
import type { Services } from "../../../platform/operation/services.ts";
import { ApplicationAllowed } from "../sign-in-events.ts";
import { organizationsOf } from "../views.ts";
import { keptIn } from "./adapter.ts";

/** What a person lets another application do. */
export interface Consent {
  /** TypeID of the person. */
  accountId: string;
  /** Client id of the application, a TypeID. */
  application: string;
  /** All that it may from now on. */
  scopes: readonly string[];
  /** UUID of the session of the platform in which they allowed it. */
  session?: string;
  requestId: string;
}

export interface ConsentPorts {
  database: Database;
  appender: Services["appender"];
}

/**
 * Keeps the grant that `keep` saves, and says so in the log of each organization of the person, where the application may
 * act from now on: both or neither.
 */
export async function keepConsent<T>({ database, appender }: ConsentPorts, consent: Consent, keep: () => Promise<T>): Promise<T> {
  const { accountId, application, scopes, session, requestId } = consent;
  const userId = fromTypeId("usr", accountId);
  if (userId === undefined) throw new Error("the account of a consent is not a user's id");
  return database.system(async (db) => {
    const kept = await keptIn(db, keep);
    for (const { id: orgId } of await organizationsOf(db, userId)) {
      const actor = { ...anonymous, kind: "user" as const, userId, orgId, ...(session !== undefined && { sessionId: session }) };
      await appender(db, { orgId, actor, operation: "applications.allow", requestId, door: "browser" })
        .append({ type: ApplicationAllowed, subject: application, data: { user: accountId, scopes: [...scopes] } });
    }
    return kept;
  });
}
