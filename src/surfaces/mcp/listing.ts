import type { Tool } from "@modelcontextprotocol/server";
import { grants, type Actor } from "../../platform/actor.ts";
import { timestamp } from "../../platform/clock.ts";
import type { Services } from "../../platform/operation/services.ts";
import { policyActor } from "../../platform/policy/index.ts";
import type { OperationTool } from "./tools.ts";

/**
 * The tools that the caller's permissions and the policies let it call, whatever the arguments: showing a model more
 * would cost it context and mislead it. This decides only what is listed; the pipeline decides at each call.
 */
export async function listedFor(
  services: Pick<Services, "policy" | "settingsOf" | "clock">, tools: Iterable<OperationTool>, actor: Actor,
): Promise<Tool[]> {
  const org = actor.orgId === undefined ? null : { id: actor.orgId, settings: await services.settingsOf(actor.orgId) };
  const time = timestamp(services.clock);
  const allows = ({ operation: { id, effect, permission } }: OperationTool): boolean => {
    if (actor.mustChangePassword && permission !== "public") return false;
    const permissions = grants(actor.permissions, permission) ? [permission] : [];
    const asking = { operation: { id, effect, permission }, actor: { ...policyActor(actor), permissions }, org, input: {}, time, door: "mcp" } as const;
    return services.policy.decideRequest(asking).allow;
  };
  return [...tools].filter(allows).map(({ tool }) => tool);
}
