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
