import { createHash } from "node:crypto";
import type { FastifyInstance } from "fastify";
import { pino } from "pino";
import { liveClock, openSecrets, organizationsUnderTest, type UnderTest } from "../modules/organizations/testing/platform.ts";
import { parseConfig, type Environment } from "../platform/config.ts";
import type { HttpClient } from "../platform/http-client/types.ts";
import { createIdTokenVerifier, type VerifyIdToken } from "../platform/identity/id-token.ts";
import { createRegistry } from "../platform/operation/registry.ts";
import type { Secrets } from "../platform/secrets/types.ts";
import { createHttpServer } from "../surfaces/http/server.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { modules } from "./modules.ts";
import { mountPages } from "./pages.ts";
import type { Platform } from "./services.ts";
import type { MachineSummary } from "./this-machine.ts";

const log = pino({ level: "silent" });

export interface SignInUnderTest {
  under: UnderTest;
  /** A server of the platform at that origin. All share one database. */
  serve(origin: string, env?: Environment): Promise<{ http: FastifyInstance; identity: Identity }>;
  /** What the status page shows of the machine. */
  machine: { summary: MachineSummary };
  /** A member with a password of their own. */
  person(name: string, role: string): Promise<{ user: string; name: string; password: string; credentials: { authorization: string } }>;
  /** The first administrator, past the one-time password. */
  administrator(): Promise<{ name: string; password: string; authorization: string }>;
  /** The first administrator has this password already. */
  administratorHas(password: string): void;
  close(): Promise<void>;
}

/** The pages and the embedded provider behind the real pipeline, policies and database, asked by `inject`. */
export async function signInUnderTest(): Promise<SignInUnderTest> {
  const verifiers: VerifyIdToken[] = [];
  const servers: FastifyInstance[] = [];
  const machine: { summary: MachineSummary } = { summary: { state: "reading" } };
  const under = await organizationsUnderTest({
    clock: liveClock(),
    verifyIdToken: async (token) => (await Promise.all(verifiers.map((verify) => verify(token)))).find((claims) => claims !== undefined),
    audience: "http://qinfra.example",
  });
  const { database, clock, ids } = under;
  const secrets = { ...openSecrets, derive: (purpose: string) => createHash("sha256").update(purpose).digest() } as unknown as Secrets;
  let password: string | undefined;

  async function administrator(): Promise<{ name: string; password: string; authorization: string }> {
    password ??= (await under.administrator()).password;
    const { authorization } = await under.signIn("admin", password);
    return { name: "admin", password, authorization: authorization as string };
  }

  return {
    under, machine, administrator,
    administratorHas: (known) => void (password = known),
    async serve(origin, env = {}) {
      const registry = createRegistry(modules);
      const identity = createIdentity({ config: parseConfig(env, "/nowhere"), origin, database, secrets, clock, ids, http: {} as HttpClient, log, registry, appender: under.appender });
      verifiers.push(createIdTokenVerifier(new Map(), { clock, own: identity.own }));
      const services = { ...under.services, publicUrl: origin, settings: { osvUrl: "" }, waiter: { wait: async () => "pending" as const, close: () => undefined } } as unknown as Platform["services"];
      const platform = { services, registry, identity, checks: async () => ({ database: "ok", events: "held back for 40 s by an open transaction" }) };
      const pages = mountPages({ platform, machine: { summary: () => machine.summary, done: Promise.resolve(machine.summary) }, secure: origin.startsWith("https:"), csrfKey: Buffer.alloc(32, 7), log });
      const http = await createHttpServer(services, registry, {
        version: "0.0.0", log, draining: () => false, ready: async () => ({ ready: true, checks: {} }), metrics: async () => ({ contentType: "text/plain", text: "" }), sessionOf: pages.sessionOf, extend: pages.extend,
      });
      servers.push(http);
      return { http, identity };
    },
    async person(name, role) {
      const { authorization } = await administrator();
      return under.member({ authorization }, name, role);
    },
    async close() {
      for (const server of servers) await server.close();
      await under.authentication.settled();
      await under.close();
    },
  };
}
