import { Server } from "node:net";
import type { FastifyInstance } from "fastify";

const idleCheckMs = 50;

/** Open requests have `drainMs` to end; then what is left is cut off. */
export async function closeHttp(http: FastifyInstance, drainMs: number): Promise<void> {
  const late = setTimeout(() => http.server.closeAllConnections(), drainMs);
  // A connection that is kept alive becomes idle only after its answer, and closing waits for it.
  const idle = setInterval(() => http.server.closeIdleConnections(), idleCheckMs);
  await http.close();
  clearInterval(idle);
  clearTimeout(late);
}

export interface Linger {
  servingMs: number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Called when no new connections are taken any more: ends what would never end by itself. */
  refusing(): void;
}

/** Long enough for a balancer to have its next requests refused, and for what it sent on connections that it kept. */
const lingerMs = 3_000;

/**
 * First as ever, while a balancer that asks for readiness finds another server. Then no new connections are taken, which a
 * balancer that does not ask learns from: a connection that is refused was given no request, so that any may be sent
 * elsewhere. Those that are open are served on; each is closed after its next answer, none while a request may be on its way.
 */
export async function goOnServing(http: FastifyInstance, { servingMs, sleep, refusing }: Linger): Promise<void> {
  await sleep(servingMs);
  const unused = new AbortController();
  http.server.once("close", () => unused.abort());
  // That of HTTP would close the idle connections as well.
  Server.prototype.close.call(http.server);
  refusing();
  await sleep(lingerMs, unused.signal);
}
