import type { Trace } from "../telemetry/traces.ts";
import { actorId, type Actor } from "../actor.ts";
import type { Db } from "../database/database.ts";
import { Cancelled, Conflict, DeclaredError, fail, Internal, InvalidInput, Unauthenticated } from "../errors.ts";
import type { EventAppender } from "../events/types.ts";
import { askPeople, checkApproved, consume, noteExecuted, ranBefore } from "./approval-gate.ts";
import { createEventTrace, type EventTrace } from "./event-trace.ts";
import { hashOfInput, replayOf, rememberAnswer } from "./idempotency.ts";
import type { Context, Operation } from "./operation.ts";
import { isPure } from "./pure.ts";
import type { Call, Outcome, Services } from "./services.ts";
import { replan } from "./replan.ts";
import { logCall } from "./call-log.ts";
import { permit } from "./permissions.ts";
import { recordRefusal } from "./refusals.ts";
import { admit, changes, deniedBy, judgePlan, originOf, policyInputOf, refusePlan, stage, transactionOf } from "./staging.ts";
import { reasonOf } from "./strangers.ts";

const waitMs = 20_000;

/**
 * The one way in, for every door: shed load, authenticate, limit, validate, permission, policy on the request, replay, prepare and
 * plan, policy on the plan, approval gate, transaction with its events, and the wait for a subscription.
 */
export async function execute(services: Services, operation: Operation, call: Call): Promise<Outcome> {
  const started = performance.now();
  const trace = services.traces.begin(operation.id, call.traceparent);
  let status = 500;
  let code: string | undefined;
  let caller: Actor | undefined;
  let output: unknown;
  try {
    const outcome = await run(services, operation, call, trace, (actor) => (caller = actor));
    ({ status, output } = outcome);
    return outcome;
  } catch (error) {
    const declared = asDeclared(services, operation, call, error);
    ({ status, code } = declared.type);
    if (caller !== undefined) await noteRefusal(services, operation, call, caller, declared);
    throw declared;
  } finally {
    const ms = performance.now() - started;
    trace.set({ "qinfra.door": call.door, "qinfra.request_id": call.requestId });
    trace.end({ status, ...(code !== undefined && { code }) });
    services.observe({ operation, door: call.door, status, seconds: ms / 1000, ...(trace.ids !== undefined && { trace: trace.ids }) });
    logCall(services.log, { operation, call, actor: caller, status, ms, output });
  }
}

async function run(services: Services, operation: Operation, call: Call, trace: Trace, known: (actor: Actor) => void): Promise<Outcome> {
  const { approved } = call;
  const actor = approved?.actor ?? (await atTheDoor());
  known(actor);
  const admitted = await admit(services, operation, call, actor, trace);
  const { input, policyInput } = admitted;

  if (isPure(operation)) return { status: 200, output: operation.compute(input as Record<string, unknown>), actor, replayed: false };

  const origin = originOf(services, operation, call, actor);
  const common = { actor, orgId: origin.orgId, requestId: call.requestId, clock: services.clock, ids: services.ids, log: services.log };
  const key = changes(operation) ? idempotencyScope(operation, call, actor, input) : undefined;

  const replayed = key === undefined ? undefined : await transaction((db) => replayOf(db, key));
  if (replayed !== undefined) {
    if (approved !== undefined) ranBefore(operation);
    if (operation.answersSecret === true) fail(Conflict, "This request was answered before, with a secret that is shown once and not kept. To make another, use a new idempotency key.");
    return { status: operation.creates === true ? 201 : 200, output: await awaited(services, operation, replayed), actor, replayed: true };
  }

  const staged = await stage(services, operation, call, actor, admitted, { trace, replan: (id, changed) => replan(services, call, actor, id, changed) });
  if (changes(operation)) {
    const plan = operation.plan === undefined ? undefined : staged;
    const decision = await judgePlan(services, policyInput, plan);
    const gated = { actor, input, plan, decision, settings: policyInput.org?.settings };
    if (decision.decision === "deny") refusePlan(operation, decision);
    if (approved !== undefined) checkApproved(approved, operation, gated);
    else if (decision.decision === "approve") return { status: 202, output: await askPeople(services, operation, call, gated), actor, replayed: false };
  }
  if (call.signal.aborted) fail(Cancelled);

  let staleSeconds: number | undefined;
  const output = changes(operation)
    ? await trace.step("change", change)
    : await kept(services, operation, origin.orgId, input, () => trace.step("read", () => reading((db) => handle(db, createEventTrace(nothingToAppend)))));
  return {
    status: operation.creates === true ? 201 : 200, output: await trace.step("wait", () => awaited(services, operation, output)), actor, replayed: false,
    ...(staleSeconds === undefined ? {} : { staleSeconds }),
  };

  async function atTheDoor(): Promise<Actor> {
    services.load.admit(operation);
    const caller = await trace.step("authenticate", () => authenticate(services, call));
    known(caller);
    await trace.step("limit", () => services.limiter.take({ actor: caller, address: call.address }, call.allowance));
    if (operation.permission !== "public" && caller.kind === "anonymous") fail(Unauthenticated, "Sign in first: run `qinfra login`, or send an API key as a bearer token.");
    return caller;
  }

  async function change(): Promise<unknown> {
    let subjects: readonly string[] = [];
    const output = await transaction(async (db) => {
      const appended = createEventTrace(services.appender(db, origin));
      if (approved !== undefined) await consume(services, db, origin.orgId, approved);
      const output = withEvent(operation, await handle(db, appended), appended);
      if (approved !== undefined) await noteExecuted(db, origin.orgId, approved, operation, output, appended);
      if (key !== undefined) await rememberAnswer(db, key, operation.answersSecret === true ? {} : output, services.clock);
      subjects = appended.subjects();
      return output;
    });
    // Waited for, so that who changed something reads the change.
    if (subjects.length > 0) await services.cache.invalidate(origin.orgId, subjects);
    return output;
  }

  function handle(db: Db, events: EventTrace): Promise<unknown> {
    const context: Context = { ...common, db, events, quotas: services.quotas(db, origin.orgId), workflows: services.workflows(db, { orgId: origin.orgId, starter: actor }, events) };
    return operation.handle(context, input, staged);
  }

  function transaction<T>(work: (db: Db) => Promise<T>): Promise<T> {
    return transactionOf(services, operation, origin.orgId, work);
  }

  /** What only reads needs no transaction, which saves two of three messages to the database. */
  async function reading<T>(work: (db: Db) => Promise<T>): Promise<T> {
    if (operation.replica === true) {
      const answer = await services.database.replica(origin.orgId, work);
      staleSeconds = answer.staleSeconds;
      return answer.value;
    }
    if (operation.database === "system") return services.database.lookup(work);
    if (operation.snapshot === true) return services.database.snapshot(origin.orgId, work);
    return services.database.read(origin.orgId, work);
  }
}

/**
 * Why the platform refuses the operation to the actor whatever is read for it, found without running it: nobody tried, so
 * that no event says so. What an organization's own policy refuses is found by running it.
 */
export async function refusalOf(services: Services, operation: Operation, call: Call, actor: Actor): Promise<DeclaredError | undefined> {
  try {
    permit(operation, actor, services.clock.now());
  } catch (error) {
    if (error instanceof DeclaredError) return error;
    throw error;
  }
  const decision = services.policy.decideRequest(await policyInputOf(services, operation, call, actor, call.input));
  return decision.allow ? undefined : deniedBy(operation, decision);
}

/** The answer of a read that declares a cache is the same for everybody who may read it in the organization. */
function kept(services: Services, operation: Operation, orgId: string, input: unknown, load: () => Promise<unknown>): Promise<unknown> {
  if (operation.cache === undefined) return load();
  const { key, subjects, seconds } = operation.cache;
  return services.cache.through({ orgId, key: key(input), subjects: subjects(input), seconds }, load);
}

const nothingToAppend: EventAppender = {
  append: () => Promise.reject(new Error("an operation that only reads appends no event; its effect must be change")),
};

async function authenticate(services: Services, call: Call): Promise<Actor> {
  const found = await services.authenticate(call.credentials, { door: call.door, address: call.address });
  // Through MCP it is a program that decides what to call, whatever person it acts for.
  return call.door === "mcp" ? { ...found, ai: true } : found;
}

/** A known caller's refusal is an event of their organization; those of unknown callers are counted together. */
async function noteRefusal(services: Services, operation: Operation, call: Call, actor: Actor, error: DeclaredError): Promise<void> {
  if (actor.kind !== "anonymous") return recordRefusal(services, operation, call, actor, error);
  if (error.type.status === 401) services.strangers.note(call.address, operation.permission === "public" ? "sign-in" : reasonOf(call.credentials));
}

function idempotencyScope(operation: Operation, call: Call, actor: Actor, input: unknown) {
  if (call.idempotencyKey === undefined || actor.orgId === undefined) return undefined;
  // A body is read once and not kept, so a repeated request could not be told from another one under the same key.
  if (operation.body !== undefined) fail(InvalidInput, `${operation.id} takes no idempotency key: the body decides, and sending the same one again changes nothing.`);
  return { orgId: actor.orgId, actorId: actorId(actor), operation: operation.id, key: call.idempotencyKey, inputHash: hashOfInput(input) };
}

/** The answer with the event that the caller waits for, so that a repeated request waits for the same one. */
function withEvent(operation: Operation, output: unknown, trace: EventTrace): unknown {
  const id = operation.awaits === undefined ? undefined : trace.idOf(operation.awaits.event);
  return id === undefined ? output : { ...(output as object), event: { id, state: "pending" } };
}

async function awaited(services: Services, operation: Operation, output: unknown): Promise<unknown> {
  const id = operation.awaits === undefined ? undefined : (output as { event?: { id: string } }).event?.id;
  if (operation.awaits === undefined || id === undefined) return output;
  const state = await services.waiter.wait(id, operation.awaits.subscription, waitMs);
  return { ...(output as object), event: { id, state } };
}

function asDeclared(services: Services, operation: Operation, call: Call, error: unknown): DeclaredError {
  if (error instanceof DeclaredError) {
    if (error.type.status >= 500) services.log.error({ err: error, operation: operation.id, requestId: call.requestId }, "operation failed");
    return error;
  }
  if (call.signal.aborted) return new DeclaredError(Cancelled);
  services.log.error({ err: error, operation: operation.id, requestId: call.requestId }, "operation failed unexpectedly");
  return new DeclaredError(Internal, `Something went wrong on our side; the log has it under request ${call.requestId}.`);
}

