import { Readable } from "node:stream";
import type { FastifyReply } from "fastify";
import type { Operation } from "../../platform/operation/index.ts";
import type { StreamPart } from "../../platform/operation/operation.ts";
import { openStream, type Parts } from "../../platform/operation/stream.ts";
import type { Call, Services } from "../../platform/operation/services.ts";

/** After a break a client waits so long before it connects again. */
const retryMs = 1_000;
/** Whoever has not taken a part by then is cut off, and goes on later from the last id that they have. */
const stalledMs = 60_000;

/** Answers server-sent events (WHATWG HTML, 9.2). What is refused is refused before the first byte, as a problem. */
export async function answerStream(services: Services, operation: Operation, call: Call, reply: FastifyReply): Promise<FastifyReply> {
  const parts = await openStream(services, operation, call);
  void reply.code(200).type("text/event-stream; charset=utf-8")
    .header("cache-control", "no-store").header("x-accel-buffering", "no").header("vary", "accept, authorization, cookie, qinfra-organization");
  // One frame ahead and no more: the next part is read when the socket has taken the last.
  return reply.send(Readable.from(watched(frames(parts), () => reply.raw.destroy()), { objectMode: true, highWaterMark: 1 }));
}

async function* frames(parts: Parts): AsyncGenerator<string> {
  yield `retry: ${retryMs}\n\n`;
  for await (const part of parts) yield part === undefined ? ": still here\n\n" : frameOf(part);
}

/** The cursor of the last event, or beyond it, comes last: a part that is cut off begins again after what was received whole. */
export function frameOf({ events, cursor }: StreamPart): string {
  const last = events.at(-1)?.id;
  const text = events.map(({ id, type, data }) => `id: ${id}\nevent: ${type}\n${data.split(/\r\n|[\r\n]/).map((line) => `data: ${line}\n`).join("")}\n`).join("");
  return last === cursor ? text : `${text}id: ${cursor}\n\n`;
}

async function* watched(source: AsyncGenerator<string>, stalled: () => void): AsyncGenerator<string> {
  for await (const frame of source) {
    const timer = setTimeout(stalled, stalledMs);
    try {
      yield frame;
    } finally {
      clearTimeout(timer);
    }
  }
}
