import type { FastifyInstance, FastifyRequest } from "fastify";
import type { Logger } from "pino";
import { browserSession, csrfHeader } from "../platform/identity/cookies.ts";
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

export function mountPages({ secure, csrfKey }: PageParts): Pages {
  return {
    sessionOf: (request) => browserSession({
      method: request.method, cookies: request.cookies, csrf: String(request.headers[csrfHeader] ?? ""), fetchSite: request.headers["sec-fetch-site"] as string | undefined,
    }, { secure, csrfKey }),
    extend: () => undefined,
  };
}
