import type { ApproverRule } from "../approvals/types.ts";
import type { Operation } from "./operation.ts";

const usual: readonly ApproverRule[] = [{ role: "admin", count: 1 }];

/** Who approves the operation where a policy wants that; a policy may ask for more. */
export function approversOf({ approvers }: Pick<Operation, "approvers">): readonly ApproverRule[] {
  return approvers ?? usual;
}

/** Why nobody can be asked to approve the operation; undefined where they can. What waits is kept, and shown to those who decide. */
export function whyNotApprovable(operation: Operation): string | undefined {
  if (operation.effect !== "change" && operation.effect !== "destructive") return "it changes nothing";
  if (operation.permission === "public" || operation.permission === "self") return "it concerns the caller alone";
  if (operation.id.startsWith("approvals.")) return "an approval is none of the things that wait for one";
  if (operation.body !== undefined) return "its body is read once and not kept";
  if (operation.answersSecret === true) return "it answers a secret, which nobody would be there to read";
  const secret = Object.entries(operation.input.properties).find(([, schema]) => (schema as { writeOnly?: boolean }).writeOnly === true);
  return secret === undefined ? undefined : `it takes a secret (${secret[0]}), which is not kept`;
}
