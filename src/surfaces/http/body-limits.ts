import type { IncomingMessage } from "node:http";
import { Socket } from "node:net";

export interface BodyLimits {
  /** Without a byte for so long, the connection is ended. */
  idleMs?: number;
  /** For a body that is not streamed: from its first byte to its last. */
  wholeMs?: number;
}

/** Ends the connection of a request whose body stops coming, or comes too slowly to be meant: nobody waits for it for ever. */
export function limitBody(request: IncomingMessage, { streamed, idleMs = 120_000, wholeMs = 300_000 }: BodyLimits & { streamed: boolean }): void {
  if (request.headers["transfer-encoding"] === undefined && Number(request.headers["content-length"] ?? 0) === 0) return;
  const { socket } = request;
  if (!(socket instanceof Socket)) return; // injected, without a connection
  function late(): void {
    if (!request.complete) request.destroy(new Error("the body of the request took too long"));
  }
  socket.setTimeout(idleMs, late);
  const whole = streamed ? undefined : setTimeout(late, wholeMs);
  function over(): void {
    clearTimeout(whole);
    socket.off("timeout", late);
    socket.setTimeout(0);
  }
  request.once("end", over);
  request.once("close", over);
}
