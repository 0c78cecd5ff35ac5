import type { FastifyRequest } from "fastify";

const loopback: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/**
 * The platform's origin as this browser names it: its public one or, where that is this machine's own, another name of the
 * same. Undefined where the request came by a name that is not the platform's, whose cookies and answers would go astray.
 */
export function originOf(request: Pick<FastifyRequest, "headers">, publicOrigin: string): string | undefined {
  const own = new URL(publicOrigin);
  const { host } = request.headers;
  if (host === own.host) return own.origin;
  if (host === undefined || !loopback.has(own.hostname) || !URL.canParse(`${own.protocol}//${host}`)) return undefined;
  const here = new URL(`${own.protocol}//${host}`);
  return here.host === host && loopback.has(here.hostname) && here.port === own.port ? here.origin : undefined;
}
