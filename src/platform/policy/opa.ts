import type { Logger } from "pino";
import { toTypeId } from "../ids.ts";
import type { HttpClient } from "../http-client/types.ts";
import { isPlanDecision, isRequestDecision } from "./decisions.ts";
import { whatItNames } from "./input.ts";
import type { OrganizationPolicies, PlanDecision, PlanInput, RequestDecision, RequestInput } from "./types.ts";

const unavailable = "organization-policy-unavailable";
const answerMs = 2_000;
const mostBytes = 64 * 1024;

export interface OpaOptions {
  /** `http://host:8181` */
  url: string;
  http: HttpClient;
  log: Logger;
}

/**
 * `POLICY_URL=opa:`: asks an Open Policy Agent for the organization's own Rego, package
 * `qinfra.organizations.<organization's id>`, rules `request` and `plan`. An organization without one has no policy of its
 * own; one that cannot be evaluated denies. Each decision is logged with OPA's id of it, under which OPA's own decision
 * log holds the input. https://www.openpolicyagent.org/docs/rest-api#get-a-document-with-input
 */
export function createOpaPolicies({ url, http, log }: OpaOptions): OrganizationPolicies & { health(): Promise<string> } {
  async function ask(orgId: string, rule: "request" | "plan", input: object): Promise<{ found: true; result: unknown; id: string } | { found: false; id?: string }> {
    const { status, body } = await http.request({
      url: `${url}/v1/data/qinfra/organizations/${toTypeId("org", orgId)}/${rule}`, method: "POST",
      headers: { "content-type": "application/json", accept: "application/json" }, body: JSON.stringify({ input }),
      timeoutMs: answerMs, maxBytes: mostBytes, attempts: 1,
    });
    if (status !== 200) throw new Error(`OPA answered ${status}`);
    const answer = JSON.parse(Buffer.from(body).toString("utf8")) as { result?: unknown; decision_id?: unknown };
    const id = typeof answer.decision_id === "string" ? answer.decision_id : "";
    return answer.result === undefined ? { found: false, id } : { found: true, result: answer.result, id };
  }

  async function judge<D>(input: RequestInput | PlanInput, rule: "request" | "plan", allowed: D, denied: D, known: (value: unknown) => value is D): Promise<D> {
    if (input.org === null) return allowed;
    const line = { organization: toTypeId("org", input.org.id), operation: input.operation.id, actor: input.actor.id, rule };
    try {
      const answer = await ask(input.org.id, rule, input);
      if (!answer.found) return allowed;
      if (!known(answer.result)) {
        log.error({ ...line, decision: answer.id }, "the organization's own policy answered something else than a decision, and so denies");
        return denied;
      }
      log.info({ ...line, decision: answer.id, result: answer.result }, "policy decision");
      return answer.result;
    } catch (error) {
      log.error({ ...line, err: error }, "the organization's own policy could not be asked, and so denies");
      return denied;
    }
  }

  return {
    request: (input) => judge<RequestDecision>(
      { ...input, input: whatItNames(input.input) }, "request", { allow: true, reasons: [] }, { allow: false, reasons: [unavailable] }, isRequestDecision),
    plan: (input) => judge<PlanDecision>(
      { ...input, input: whatItNames(input.input), plan: whatItNames(input.plan) }, "plan",
      { decision: "allow", reasons: [], approvers: [], excluded: [] }, { decision: "deny", reasons: [unavailable], approvers: [], excluded: [] }, isPlanDecision),
    async health() {
      try {
        const { status } = await http.request({ url: `${url}/health`, timeoutMs: answerMs, maxBytes: mostBytes, attempts: 1 });
        return status === 200 ? "ok" : `OPA answers ${status}; requests are denied`;
      } catch {
        return "OPA does not answer; requests are denied";
      }
    },
  };
}

/** Where organizations have no Rego of their own. */
export const noOrganizationPolicies: OrganizationPolicies = {
  request: async () => ({ allow: true, reasons: [] }),
  plan: async () => ({ decision: "allow", reasons: [], approvers: [], excluded: [] }),
};

const strictness = { allow: 0, approve: 1, deny: 2 } as const;

/** Of two decisions on a plan the stricter; where both ask for approval, everything that either asks for. */
export function stricter(one: PlanDecision, other: PlanDecision): PlanDecision {
  if (one.decision !== other.decision) return strictness[one.decision] > strictness[other.decision] ? one : other;
  const unique = <T>(values: readonly T[]): T[] => [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
  return {
    decision: one.decision, reasons: unique([...one.reasons, ...other.reasons]).sort(),
    approvers: most(one.approvers, other.approvers), excluded: unique([...one.excluded, ...other.excluded]),
  };
}

type Rule = PlanDecision["approvers"];

/** Of each role as many as the one or the other asks for: the same persons serve both. */
function most(one: Rule, other: Rule): Rule {
  const count = (rule: Rule, wanted: string): number => rule.filter(({ role }) => role === wanted).reduce((sum, each) => sum + each.count, 0);
  return [...new Set([...one, ...other].map(({ role }) => role))].map((role) => ({ role, count: Math.max(count(one, role), count(other, role)) }));
}
