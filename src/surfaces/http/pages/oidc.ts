import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import { anonymous } from "../../../platform/actor.ts";
import { originOf } from "./origin.ts";
import type { PagePorts } from "./ports.ts";
import { leadTo } from "./respond.ts";

/** The address of the server's own questions to its provider. Whoever makes it ask is counted before. */
export const inProcess = "in-process";

/** What oidc-provider answers as it is configured; any other address is as unknown as elsewhere on the server. */
const answered: readonly { path: string; methods: readonly ("GET" | "POST" | "OPTIONS")[] }[] = [
  { path: "/.well-known/openid-configuration", methods: ["GET", "OPTIONS"] },
  { path: "/.well-known/oauth-authorization-server", methods: ["GET", "OPTIONS"] },
  { path: "/jwks", methods: ["GET", "OPTIONS"] },
  { path: "/auth", methods: ["GET"] },
  { path: "/auth/:uid", methods: ["GET"] },
  { path: "/device", methods: ["GET", "POST"] },
  { path: "/device/:uid", methods: ["GET"] },
  { path: "/device/auth", methods: ["POST", "OPTIONS"] },
  { path: "/token", methods: ["POST", "OPTIONS"] },
  { path: "/token/revocation", methods: ["POST", "OPTIONS"] },
  { path: "/me", methods: ["GET", "POST", "OPTIONS"] },
];

/** Mounts the embedded provider at /oidc, and the short address of its device page at /device. */
export function mountOidc(server: FastifyInstance, ports: PagePorts): void {
  const { signIn, services } = ports;

  async function answer(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    if (request.ip !== inProcess) await services.limiter.take({ actor: anonymous, address: request.ip });
    // Before the answer is taken over: what fails here is answered like any other error.
    const respond = await signIn.provider.respond();
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value);
    reply.raw.setHeader("cache-control", "no-store");
    await respond(request.raw, reply.raw, request.ip);
    return reply;
  }

  /** What programs ask first: who lets them in (RFC 9728, 3), and how (RFC 8414, 3: below the name of the host). */
  function wellKnown(scope: FastifyInstance): void {
    for (const path of ["", "/mcp"]) {
      scope.get(`/.well-known/oauth-protected-resource${path}`, async (request) => ({
        // By the name that the program used: it compares the two.
        resource: `${originOf(request, signIn.origin) ?? signIn.origin}${path}`, resource_name: "QL-RF", authorization_servers: [signIn.provider.issuer],
        scopes_supported: signIn.provider.scopes, bearer_methods_supported: ["header"],
      }));
    }
    for (const name of ["oauth-authorization-server", "openid-configuration"]) {
      scope.get(`/.well-known/${name}/oidc`, (request, reply) => {
        request.raw.url = `/oidc/.well-known/${name}`;
        return answer(request, reply);
      });
    }
  }

  void server.register((scope, _options, done) => {
    // The provider reads bodies itself, up to 56 KB.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser("*", (_request, _payload, done) => done(null));
    for (const { path, methods } of answered) scope.route({ method: [...methods], url: `/oidc${path}`, handler: answer });
    scope.get("/device", async (request, reply) => {
      const code = (request.query as Record<string, unknown>)["user_code"];
      return leadTo(reply, typeof code === "string" ? `/oidc/device?${new URLSearchParams({ code: code.slice(0, 20) }).toString()}` : "/oidc/device");
    });
    wellKnown(scope);
    done();
  });
}
