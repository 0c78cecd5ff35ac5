import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { roles, roleTable, whoIs } from "../modules/organizations/index.ts";
import { browserSession, csrfHeader } from "../platform/identity/cookies.ts";
import { commandLine } from "../surfaces/cli/command-line.ts";
import { toManifest } from "../surfaces/cli/manifest.ts";
import { textOf } from "../platform/identity/relying-party.ts";
import { addPages } from "../surfaces/http/pages/add-pages.ts";
import { inProcess } from "../surfaces/http/pages/oidc.ts";
import type { SignInPorts } from "../surfaces/http/pages/ports.ts";
import { providerPages } from "../surfaces/http/pages/provider-pages.ts";
import { isReady } from "./checks.ts";
import { version } from "./root.ts";
import type { Identity } from "./identity.ts";
import type { Platform } from "./services.ts";
import type { ThisMachine } from "./this-machine.ts";

export interface PageParts {
  platform: Pick<Platform, "services" | "registry" | "checks" | "identity">;
  machine: ThisMachine;
  secure: boolean;
  csrfKey: Buffer;
  log: Logger;
}

export interface Pages {
  sessionOf(request: FastifyRequest): { session: string; csrf: boolean } | undefined;
  extend(server: FastifyInstance): void;
}

/** Gives the pages what they show, and the HTTP door the session that their cookie carries. */
export function mountPages({ platform, machine, secure, csrfKey, log }: PageParts): Pages {
  const { registry, checks } = platform;
  const records = new Map(toManifest(registry).operations.map((record) => [record.id, record]));
  return {
    sessionOf: (request) => browserSession({
      method: request.method, cookies: request.cookies, csrf: headerOf(request, csrfHeader), fetchSite: headerOf(request, "sec-fetch-site"),
    }, { secure, csrfKey }),
    extend: (server) => addPages(server, {
      services: { ...platform.services, log }, registry, version: version(), secure, csrfKey,
      async health() {
        const found = await checks();
        return { ready: isReady(found), checks: found };
      },
      signIn: signInPorts(platform.identity, server),
      nonce: () => randomBytes(24).toString("base64url"),
      machine: machine.summary,
      whoIs: (actor) => platform.services.database.lookup((db) => whoIs(db, actor)),
      roles, roleTable: roleTable(registry.permissions),
      commandLine(operationId, input) {
        const record = records.get(operationId);
        return record?.cli === undefined ? undefined : commandLine(record, input);
      },
    }),
  };
}

/** Requests to the embedded provider go to this very server, without the network: it may not be reachable by its own name. */
function signInPorts({ origin, passwords, local, flowKey, provider, party }: Identity, server: FastifyInstance): SignInPorts {
  return {
    origin, passwords, local, flowKey, provider: provider(providerPages(version())),
    party: party(async (url, { method, headers, body }) => {
      const { pathname, search } = new URL(url);
      const answer = await server.inject({
        method: method === "POST" ? "POST" : "GET", url: `${pathname}${search}`, headers: { ...headers }, remoteAddress: inProcess, ...(body !== undefined && body !== null && { payload: textOf(body) }),
      });
      return new Response(answer.body, { status: answer.statusCode, headers: { "content-type": String(answer.headers["content-type"]) } });
    }),
  };
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
