import { randomBytes } from "node:crypto";
import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { roles, roleTable } from "../modules/organizations/index.ts";
import { browserSession, csrfHeader } from "../platform/identity/cookies.ts";
import { commandLine } from "../surfaces/cli/command-line.ts";
import { toManifest } from "../surfaces/cli/manifest.ts";
import { addPages } from "../surfaces/http/pages/add-pages.ts";
import { version } from "./root.ts";
import type { Platform } from "./services.ts";
import type { ThisMachine } from "./this-machine.ts";

export interface PageParts {
  platform: Platform;
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
  const permissions = registry.operations.map((operation) => operation.permission).filter((permission) => permission.includes(":"));
  return {
    sessionOf: (request) => browserSession({
      method: request.method, cookies: request.cookies, csrf: headerOf(request, csrfHeader), fetchSite: headerOf(request, "sec-fetch-site"),
    }, { secure, csrfKey }),
    extend: (server) => addPages(server, {
      services: { ...platform.services, log }, registry, version: version(), secure, csrfKey, checks,
      nonce: () => randomBytes(24).toString("base64url"),
      machine: machine.summary,
      roles, roleTable: roleTable(permissions),
      commandLine(operationId, input) {
        const record = records.get(operationId);
        return record?.cli === undefined ? undefined : commandLine(record, input);
      },
    }),
  };
}

function headerOf(request: FastifyRequest, name: string): string | undefined {
  const value = request.headers[name];
  return typeof value === "string" ? value : undefined;
}
