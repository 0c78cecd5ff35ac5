import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from "fastify";
import { pino } from "pino";
import { createPasswords } from "../platform/identity/passwords.ts";
import { newApiKey, newSessionToken } from "../platform/identity/tokens.ts";
import { systemClock, timestamp } from "../platform/clock.ts";
import { parseConfig } from "../platform/config.ts";
import { createIds, toTypeId } from "../platform/ids.ts";
import { placeOf, routeOf, type Module } from "../platform/operation/registry.ts";
import { openFileSecrets } from "../platform/secrets/file-secrets.ts";
import { testDatabase, type TestDatabase } from "../platform/testing/database.ts";
import { createWorkerPool } from "../platform/worker/index.ts";
import { insertApiKey, insertLocalUser, insertMembership, insertOrganization, insertSession } from "../modules/organizations/store.ts";
import { roles, type Role } from "../modules/organizations/index.ts";
import { createHttpServer } from "../surfaces/http/server.ts";
import { mountMcp } from "../surfaces/mcp/index.ts";
import { modules } from "./modules.ts";
import { mountPages } from "./pages.ts";
import { packageRoot, version } from "./root.ts";
import { mountSchemas } from "./schemas.ts";
import { assemble, type Platform } from "./services.ts";
import { workerEntry, workflowsEntry } from "./worker-entry.ts";

/**
 * Who calls: an administrator of the platform organization, a member of each role of one ordinary organization, an
 * administrator of another one, and an API key of the first organization that is marked `agent` and has every scope of
 * its maker.
 */
export const callers = ["anonymous", "platform-admin", ...roles, "other-tenant-admin", "agent-key"] as const;
export type Caller = (typeof callers)[number];

export interface Person {
  /** UUIDs. */
  userId: string;
  orgId: string;
}

export interface TestCall {
  as?: Caller;
  /** Instead of `as`: the value of an Authorization header. */
  authorization?: string;
  input?: Record<string, unknown>;
  /** Of an operation that declares a streamed body. */
  body?: string | Buffer;
  headers?: Record<string, string>;
}

export interface Answer {
  status: number;
  /** Parsed where it is JSON. */
  body: unknown;
  headers: LightMyRequestResponse["headers"];
  text: string;
}

export interface TestPlatform {
  platform: Platform;
  http: FastifyInstance;
  test: TestDatabase;
  /** The caller as a person; the agent's key is that of `admin`. */
  person(caller: Exclude<Caller, "anonymous">): Person;
  /** Value of the Authorization header of a new session of that person. */
  newSession(person: Person, options?: { mustChange?: boolean; secondFactor?: boolean }): Promise<string>;
  /** A new user with that role in the organization. */
  newMember(orgId: string, role: Role): Promise<Person>;
  /** Calls an operation by its id, over HTTP. */
  call(operationId: string, call?: TestCall): Promise<Answer>;
  /** A raw request; each comes from an address of its own, so that limits of addresses do not add up. */
  inject(request: InjectOptions, as?: Caller): Promise<Answer>;
  /** The log's lines of level error and above. */
  errors(): string[];
  close(): Promise<void>;
}

/** A whole platform on a database of its own, as `qinfra serve` puts it together, without a port: `http.inject`. */
export async function testPlatform(options: { osvUrl?: string; jwtIssuers?: readonly object[]; extraModules?: readonly Module[]; workflows?: boolean; settings?: Readonly<Record<string, string>> } = {}): Promise<TestPlatform> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-platform-"));
  const test = await testDatabase();
  const lines: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void lines.push(line) });
  const clock = systemClock;
  const ids = createIds(clock);
  const config = parseConfig({ RATE_LIMIT: "1000000", ...(options.osvUrl === undefined ? {} : { OSV_URL: options.osvUrl }), JWT_ISSUERS: JSON.stringify(options.jwtIssuers ?? []), ...options.settings }, folder);
  const secrets = await openFileSecrets({ folder: config.keysDir, dataExists: false, clock });
  const workers = createWorkerPool({ entry: workerEntry(), size: 1, maxQueue: 50 });
  const platform = await assemble({
    config, database: test.database, secrets, workers, policiesDir: join(packageRoot(), "policies"), modules: [...modules, ...(options.extraModules ?? [])], log, shedsLoad: false,
    ...(options.workflows === true ? { workflows: { entry: workflowsEntry(), connection: test.config("qinfra_system") } } : {}),
  });
  const machine = { summary: () => ({ state: "reading" }) as const, done: Promise.resolve({ state: "reading" } as const) };
  const pages = mountPages({ platform, machine, secure: false, csrfKey: secrets.derive("csrf"), log });
  const http = await createHttpServer(platform.services, platform.registry, {
    version: version(), log, draining: () => false, metrics: platform.metrics.scrape,
    ready: async () => ({ ready: true, checks: await platform.checks() }),
    sessionOf: pages.sessionOf,
    extend(server) {
      pages.extend(server);
      mountMcp(server, platform.services, platform.registry, { version: version(), hosts: [] });
      mountSchemas(server);
    },
  });
  await http.ready();

  // Hashing takes long by design, so everybody has the same password.
  const passwordHash = await createPasswords().hash("the password of everybody");

  async function newMember(orgId: string, role: Role): Promise<Person> {
    const userId = ids.uuid();
    const at = timestamp(clock);
    await test.database.system(async (db) => {
      const name = `user-${userId.replaceAll("-", "")}`;
      await insertLocalUser(db, { id: userId, name, displayName: name, email: null, hash: passwordHash, sealed: null, at });
      await insertMembership(db, { orgId, userId, role, at });
    });
    return { userId, orgId };
  }

  async function newSession({ userId, orgId }: Person, { mustChange = false, secondFactor = false } = {}): Promise<string> {
    const { token, hash } = newSessionToken();
    const at = timestamp(clock);
    const expiresAt = new Date(clock.now() + 3_600_000).toISOString();
    const begun = await test.database.system((db) => insertSession(db, { id: ids.uuid(), hash, userId, orgId, door: "cli", mustChange, secondFactor, at, expiresAt }, passwordHash));
    if (!begun) throw new Error("the session could not begin: this person has another password, or is no member any more");
    return `Bearer ${token}`;
  }

  async function newOrganization(slug: string): Promise<string> {
    const id = ids.uuid();
    await test.database.system((db) => insertOrganization(db, { id, name: slug, slug, platform: false, at: timestamp(clock) }));
    return id;
  }

  async function newAgentKey({ userId, orgId }: Person): Promise<string> {
    const { key, prefix, hash } = newApiKey();
    const scopes = [...new Set(platform.registry.operations.map(({ permission }) => permission))].filter((permission) => permission.includes(":"));
    const expiresAt = new Date(clock.now() + 3_600_000).toISOString();
    await test.database.system((db) => insertApiKey(db, { orgId, id: ids.uuid(), name: "agent", prefix, hash, scopes, agent: true, createdBy: userId, at: timestamp(clock), expiresAt }));
    return `Bearer ${key}`;
  }

  const first = await newOrganization("first");
  const other = await newOrganization("other");
  const people = new Map<Caller, Person>([
    ["platform-admin", await newMember(platform.services.platformOrgId, "admin")],
    ["other-tenant-admin", await newMember(other, "admin")],
  ]);
  for (const role of roles) people.set(role, await newMember(first, role));
  people.set("agent-key", people.get("admin") as Person);
  const authorizations = new Map<Caller, string>();
  for (const [caller, person] of people) authorizations.set(caller, caller === "agent-key" ? await newAgentKey(person) : await newSession(person));

  let requests = 0;
  async function inject(request: InjectOptions, as: Caller = "anonymous"): Promise<Answer> {
    requests += 1;
    const authorization = authorizations.get(as);
    const answer = await http.inject({
      remoteAddress: `10.${requests >> 16 & 255}.${requests >> 8 & 255}.${requests & 255}`, ...request,
      headers: { ...(authorization === undefined ? {} : { authorization }), ...request.headers },
    });
    const json = /[/+]json\b/.test(String(answer.headers["content-type"]));
    return { status: answer.statusCode, headers: answer.headers, text: answer.body, body: json ? JSON.parse(answer.body) as unknown : answer.body };
  }

  return {
    platform, http, test, newMember, newSession, inject,
    person(caller) {
      return people.get(caller) as Person;
    },
    call(operationId, { as = "anonymous", authorization, input = {}, body, headers = {} } = {}) {
      const operation = platform.registry.byId.get(operationId);
      if (operation === undefined) throw new Error(`there is no operation ${operationId}`);
      const { method, path } = routeOf(operation);
      const query = new URLSearchParams();
      const json: Record<string, unknown> = {};
      let url = path;
      for (const [field, value] of Object.entries(input)) {
        const place = placeOf(operation, field);
        if (place === "path") url = url.replace(`{${field}}`, encodeURIComponent(String(value)));
        else if (place === "body") json[field] = value;
        else for (const one of Array.isArray(value) ? value : [value]) query.append(field, String(one));
      }
      const sendsJson = operation.body === undefined && method !== "GET" && method !== "DELETE";
      return inject({
        method, url: query.size === 0 ? url : `${url}?${query.toString()}`,
        headers: { ...(sendsJson ? { "content-type": "application/json" } : {}), ...(authorization === undefined ? {} : { authorization }), ...headers },
        ...(sendsJson ? { payload: JSON.stringify(json) } : body === undefined ? {} : { payload: body }),
      }, as);
    },
    errors: () => lines,
    async close() {
      await http.close();
      await platform.stop();
      await test.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** TypeID of the organization that a person works in. */
export function organizationOf(person: Person): string {
  return toTypeId("org", person.orgId);
}
