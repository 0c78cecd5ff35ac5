import { noTraces } from "../../platform/telemetry/traces.ts";
import { resolve } from "node:path";
import type { FastifyInstance } from "fastify";
import { anonymous, type Actor } from "../../platform/actor.ts";
import type { BlobStore } from "../../platform/blobs/types.ts";
import { systemClock } from "../../platform/clock.ts";
import type { Db } from "../../platform/database/database.ts";
import { fail, Unauthenticated } from "../../platform/errors.ts";
import type { HttpClient } from "../../platform/http-client/types.ts";
import { createIds } from "../../platform/ids.ts";
import type { Operation } from "../../platform/operation/operation.ts";
import { createRegistry } from "../../platform/operation/registry.ts";
import { createStreamSlots } from "../../platform/operation/stream-slots.ts";
import type { Services } from "../../platform/operation/services.ts";
import { noOrganizationPolicies, loadPolicies } from "../../platform/policy/index.ts";
import type { Secrets } from "../../platform/secrets/types.ts";
import { createLog } from "../../platform/telemetry/log.ts";
import type { Workflows } from "../../platform/workflow/index.ts";
import { createHttpServer } from "../http/server.ts";
import { mountMcp } from "./mount.ts";

const orgId = "0193e5a0-0000-7000-8000-000000000001";

/** A signed-in user of an organization that has these permissions. */
export function userWith(...permissions: readonly string[]): Actor {
  return { ...anonymous, kind: "user", userId: "0193e5a0-0000-7000-8000-0000000000aa", orgId, roles: ["tester"], permissions };
}

export interface TestServices extends Services {
  /** Ids of the operations that ran to their end or to their refusal, with the status of each. */
  readonly observed: { id: string; door: string; status: number }[];
  /** Values of the statements that were run; the simulated database holds nothing. */
  readonly ran: unknown[];
}

/**
 * Services with the real policies and a simulated database that has no rows and forgets what is written.
 * `identify` answers whom an Authorization header names; one that it does not know is refused.
 */
export async function createTestServices(identify: (authorization: string | undefined) => Actor | undefined): Promise<TestServices> {
  const observed: TestServices["observed"] = [];
  const ran: unknown[] = [];
  const db: Db = {
    many: async () => [],
    maybe: async () => undefined,
    one: () => Promise.reject(new Error("the simulated database has no rows")),
    async run(query) {
      ran.push(query);
      return 1;
    },
  };
  const absent = (what: string) => (): never => {
    throw new Error(`test services have no ${what}`);
  };
  return {
    observed, ran, clock: systemClock, ids: createIds(systemClock), log: createLog("silent"), instance: 1, platformOrgId: orgId,
    policy: await loadPolicies(resolve(import.meta.dirname, "../../../policies")),
    database: {
      tenant: (_org, work) => work(db), read: (_org, work) => work(db), snapshot: (_org, work) => work(db), system: (work) => work(db), lookup: (work) => work(db), direct: absent("database connection"),
      replica: async (_org, work) => ({ value: await work(db), staleSeconds: 0 }), replicaStatus: () => ({ state: "none" }),
      healthy: async () => true, stats: () => ({ total: 0, idle: 0, waiting: 0 }), close: async () => undefined,
    },
    blobs: {} as BlobStore, http: {} as HttpClient, settings: { osvUrl: "http://127.0.0.1:9", scanLocalAddresses: false, deletionGraceDays: 30, signIn: { issuers: [], passwords: true } }, secrets: {} as Secrets, publicUrl: "http://127.0.0.1:8080", permissions: [],
    async authenticate({ authorization }) {
      const actor = identify(authorization);
      if (actor !== undefined) return actor;
      return authorization === undefined ? anonymous : fail(Unauthenticated, "This credential is not known, or it was revoked.");
    },
    identify: async () => undefined, cache: { through: (_entry, load) => load(), invalidate: async () => undefined }, limiter: { take: async () => undefined }, load: { admit: () => undefined }, strangers: { note: () => undefined }, traces: noTraces, organizationPolicies: noOrganizationPolicies,
    operations: new Map(), approvals: {} as Services["approvals"],
    eventTypes: [], live: {} as Services["live"], streams: createStreamSlots({ actor: 1, server: 1 }, async () => undefined),
    workflows: () => ({}) as Workflows,
    appender: () => ({ append: absent("event log") }),
    waiter: { wait: absent("event log") },
    verifyLog: absent("event log"),
    compute: absent("worker pool"),
    settingsOf: async () => ({}),
quotas: () => ({ take: async () => {}, give: async () => {}, list: async () => [] }),
    observe: ({ operation, door, status }) => observed.push({ id: operation.id, door, status }),
  };
}

export interface TestServer {
  /** Without a slash at the end. */
  url: string;
  server: FastifyInstance;
  close(): Promise<void>;
}

/** The HTTP server with the MCP door on a free port of loopback. */
export async function startTestServer(services: Services, operations: readonly Operation[]): Promise<TestServer> {
  const registry = createRegistry([{ name: "test", operations }]);
  const server = await createHttpServer(services, registry, {
    version: "0.0.0-test", log: services.log, draining: () => false, sessionOf: () => undefined,
    ready: async () => ({ ready: true, checks: {} }), metrics: async () => ({ contentType: "text/plain", text: "" }),
    extend: (server) => mountMcp(server, services, registry, { version: "0.0.0-test", hosts: ["qinfra.example.org"] }),
  });
  const url = await server.listen({ host: "127.0.0.1", port: 0 });
  return { url, server, close: () => server.close() };
}
