import { grants, type Actor } from "../actor.ts";
import { timestamp } from "../clock.ts";
import type { Db } from "../database/database.ts";
import { DeclaredError, fail, PolicyDenied } from "../errors.ts";
import { policyActor, stricter, type PlanDecision, type RequestDecision, type RequestInput } from "../policy/index.ts";
import type { Trace } from "../telemetry/traces.ts";
import { approversOf } from "./approvable.ts";
import type { Operation, PrepareContext } from "./operation.ts";
import { permit } from "./permissions.ts";
import { whatIsNoSecret } from "./secret-fields.ts";
import type { Call, EventOrigin, Services } from "./services.ts";
import { validateInput } from "./validate.ts";

/** What was asked for, once it may be asked. */
export interface Admitted {
  input: unknown;
  policyInput: RequestInput;
}

/** Validates the input and asks permission and policies on the request. Nothing is read for the actor before. */
export async function admit(services: Services, operation: Operation, call: Call, actor: Actor, trace: Trace): Promise<Admitted> {
  const input = validateInput(operation.input, call.input ?? {}, { fromText: call.fromText });
  permit(operation, actor, services.clock.now());
  const policyInput = await policyInputOf(services, operation, call, actor, input);
  const request = await trace.step("policy", () => decideRequest(services, policyInput));
  if (!request.allow) throw deniedBy(operation, request);
  return { input, policyInput };
}

/** Reads what the operation needs and plans: what its `handle` is given. Nothing is changed. */
export async function stage(services: Services, operation: Operation, call: Call, actor: Actor, { input, policyInput }: Admitted, { trace, replan }: { trace: Trace } & Pick<PrepareContext, "replan">): Promise<unknown> {
  const { orgId } = originOf(services, operation, call, actor);
  const context: PrepareContext = {
    actor, orgId, requestId: call.requestId, clock: services.clock, ids: services.ids, log: services.log, address: call.address, signal: call.signal,
    blobs: services.blobs, http: services.http, settings: services.settings, secrets: services.secrets, publicUrl: services.publicUrl, instance: services.instance,
    identify: services.identify, permissions: services.permissions, eventTypes: services.eventTypes,
    transaction: (work) => transactionOf(services, operation, orgId, work),
    progress: (progress) => call.progress?.(progress),
    verifyLog: () => services.verifyLog(orgId, call.signal, (progress) => call.progress?.(progress)),
    compute: (task, data) => services.compute(task, data, call.signal),
    judge: async (permission, effect) => (await decideRequest(services, asked(policyInput, actor, permission, effect))).reasons,
    replan, operations: services.operations,
    eligible: services.approvals.eligible,
    follow: services.approvals.follow,
    ...(call.body === undefined ? {} : { body: call.body }),
  };
  const { prepare } = operation;
  const prepared = prepare === undefined ? undefined : await trace.step("prepare", () => prepare(context, input));
  return operation.plan === undefined ? prepared : operation.plan(prepared, input);
}

/** The policies on the plan; the stricter of the platform's and the organization's. */
export async function judgePlan(services: Services, policyInput: RequestInput, plan: unknown): Promise<PlanDecision> {
  const judged = { ...policyInput, plan: plan ?? null };
  const platform = services.policy.decidePlan(judged);
  return platform.decision === "deny" ? platform : stricter(platform, await services.organizationPolicies.plan(judged));
}

export function refusePlan(operation: Operation, { reasons }: Pick<PlanDecision, "reasons">): never {
  fail(PolicyDenied, `A policy refuses ${operation.id} as planned: ${reasons.join(", ")}.`, { reasons });
}

export function deniedBy(operation: Operation, { reasons }: RequestDecision): DeclaredError {
  return new DeclaredError(PolicyDenied, `A policy refuses ${operation.id}: ${reasons.join(", ")}.`, { reasons });
}

export async function policyInputOf(services: Services, operation: Operation, call: Pick<Call, "door">, actor: Actor, input: unknown): Promise<RequestInput> {
  const { id, effect, permission } = operation;
  const org = actor.orgId === undefined ? null : { id: actor.orgId, settings: await services.settingsOf(actor.orgId) };
  return {
    operation: { id, effect, permission, approvers: approversOf(operation) },
    // Wildcards are expanded to the one permission in question: a policy compares names.
    actor: { ...policyActor(actor), permissions: grants(actor.permissions, permission) ? [permission] : [] },
    org, input: whatIsNoSecret(operation, input), time: timestamp(services.clock), door: call.door,
  };
}

/** The same caller, asking for another permission. */
function asked(input: RequestInput, actor: Actor, permission: string, effect: "read" | "change"): RequestInput {
  return { ...input, operation: { ...input.operation, effect, permission }, actor: { ...input.actor, permissions: grants(actor.permissions, permission) ? [permission] : [] } };
}

/** The organization's own policy is asked where the platform's allows: it can only be stricter. */
async function decideRequest(services: Services, input: RequestInput): Promise<RequestDecision> {
  const decision = services.policy.decideRequest(input);
  return decision.allow ? services.organizationPolicies.request(input) : decision;
}

export function transactionOf<T>(services: Services, operation: Operation, orgId: string, work: (db: Db) => Promise<T>): Promise<T> {
  return operation.database === "system" ? services.database.system(work) : services.database.tenant(orgId, work);
}

export function originOf(services: Services, operation: Operation, call: Pick<Call, "requestId" | "door">, actor: Actor): EventOrigin {
  return { orgId: actor.orgId ?? services.platformOrgId, actor, operation: operation.id, requestId: call.requestId, door: call.door };
}

export function changes({ effect }: Operation): boolean {
  return effect === "change" || effect === "destructive";
}
