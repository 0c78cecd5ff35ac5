import { actorId, type Actor } from "../actor.ts";
import type { Operation, StreamPart } from "./operation.ts";
import { execute, refusalOf } from "./pipeline.ts";
import type { Call, Services } from "./services.ts";
import { validateInput } from "./validate.ts";

/** Undefined is a heartbeat. It ends when the caller may not listen any more or goes away, or the server is about to go. */
export type Parts = AsyncGenerator<StreamPart | undefined>;

/**
 * Calls the operation through the pipeline, as every other, and then opens its stream. With each heartbeat the caller is
 * authenticated and permitted again, so that a credential that was revoked ends the stream.
 */
export async function openStream(services: Services, operation: Operation, call: Call): Promise<Parts> {
  const { stream } = operation;
  if (stream === undefined) throw new TypeError(`${operation.id} has no stream`);
  const outcome = await execute(services, operation, call);
  const slot = services.streams.take(outcome.actor);
  const over = new AbortController();
  const signal = AbortSignal.any([call.signal, slot.closing, over.signal]);
  // Also where nobody ever asks for the first part.
  signal.addEventListener("abort", slot.release, { once: true });
  if (signal.aborted) slot.release();
  let actor = outcome.actor;
  const source = stream.open(
    { actor: () => actor, orgId: actor.orgId ?? services.platformOrgId, live: services.live, eventTypes: services.eventTypes, signal },
    validateInput(operation.input, call.input, { fromText: call.fromText }), outcome.output,
  )[Symbol.asyncIterator]();

  async function* parts(): Parts {
    try {
      let beat = services.streams.beat(signal);
      let next = nextOf(source);
      while (!signal.aborted) {
        const part = await Promise.race([beat, next]);
        if (signal.aborted) return;
        if (part === undefined) {
          const still = await whoStill(services, operation, call, actor);
          if (still === undefined) return;
          actor = still;
          beat = services.streams.beat(signal);
          yield undefined;
          continue;
        }
        if (part.done === true) return;
        yield part.value;
        next = nextOf(source);
      }
    } catch (error) {
      services.log.warn({ err: error, operation: operation.id, requestId: call.requestId }, "a stream ended early; who listens asks again");
    } finally {
      over.abort();
      await source.return?.();
    }
  }
  return parts();
}

function nextOf(source: AsyncIterator<StreamPart>): Promise<IteratorResult<StreamPart>> {
  const next = source.next();
  // The stream may end while nobody waits for it.
  next.catch(() => undefined);
  return next;
}

/** The same caller, where they may still listen. Where that cannot be found out they may not: they ask again. */
async function whoStill(services: Services, operation: Operation, call: Call, before: Actor): Promise<Actor | undefined> {
  try {
    const actor = await services.authenticate(call.credentials, { door: call.door, address: call.address });
    if (actorId(actor) !== actorId(before) || actor.orgId !== before.orgId) return undefined;
    return (await refusalOf(services, operation, call, actor)) === undefined ? actor : undefined;
  } catch {
    return undefined;
  }
}
