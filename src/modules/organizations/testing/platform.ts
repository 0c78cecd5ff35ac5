import { noTraces } from "../../../platform/telemetry/traces.ts";
import { resolve } from "node:path";
import { pino } from "pino";
import type { Actor } from "../../../platform/actor.ts";
import { DeclaredError } from "../../../platform/errors.ts";
import { checkData } from "../../../platform/events/check-data.ts";
import type { NewEvent } from "../../../platform/events/types.ts";
import type { VerifyIdToken } from "../../../platform/identity/id-token.ts";
import type { VerifyJwt } from "../../../platform/identity/jwt.ts";
import { createIds } from "../../../platform/ids.ts";
import { execute } from "../../../platform/operation/pipeline.ts";
import { createRegistry } from "../../../platform/operation/registry.ts";
import { faultsAgainst } from "../../../platform/operation/validate.ts";
import type { Call, Credentials, EventOrigin, Services } from "../../../platform/operation/services.ts";
import { noOrganizationPolicies, loadPolicies } from "../../../platform/policy/index.ts";
import { testDatabase, type TestDatabase } from "../../../platform/testing/database.ts";
import { createAuthentication, createIdentify, createSettleClaims, ensureFirstAdministrator, organizations, type FirstAdministratorPorts, type IssuerRoles } from "../index.ts";
import { orgTypeId } from "../ids.ts";

const log = pino({ level: "silent" });

/** A clock that stands until it is moved. */
export function handClock(start = Date.UTC(2026, 10, 21, 12)) {
  let time = start;
  return { now: () => time, advance: (ms: number) => void (time += ms) };
}

/** The real time, which may be moved forward: for parts that ask the system for it themselves. */
export function liveClock() {
  let ahead = 0;
  return { now: () => Date.now() + ahead, advance: (ms: number) => void (ahead += ms) };
}

/** Base64 in place of encryption, for tests of what is kept and when. */
export const openSecrets: FirstAdministratorPorts["secrets"] = {
  seal: async (plaintext) => `test:${Buffer.from(plaintext).toString("base64")}`,
  open: async (envelope) => Buffer.from(envelope.slice("test:".length), "base64"),
};

export type Recorded = Omit<NewEvent, "type"> & { type: string; orgId: string; origin: EventOrigin };

/** The module behind the real pipeline, policies and database; events are recorded, not logged. */
export async function organizationsUnderTest(options: { verifyJwt?: VerifyJwt; verifyIdToken?: VerifyIdToken; issuers?: readonly IssuerRoles[]; clock?: ReturnType<typeof handClock>; audience?: string } = {}) {
  const test: TestDatabase = await testDatabase();
  const clock = options.clock ?? handClock();
  const ids = createIds(clock);
  const events: Recorded[] = [];
  const appender: Services["appender"] = (_db, origin) => ({
    async append(event) {
      checkData(event.type, event.data);
      events.push({ orgId: origin.orgId, ...event, type: event.type.type, origin });
      return ids.uuid();
    },
  });
  const first = await ensureFirstAdministrator(test.database, { clock, ids, secrets: openSecrets, appender });
  const settleClaims = createSettleClaims(options.issuers ?? [], { database: test.database, clock, ids, log, appender });
  const authentication = createAuthentication({ database: test.database, clock, log, verifyJwt: options.verifyJwt ?? (async () => undefined), settleClaims, ...(options.audience !== undefined && { audience: options.audience }) });
  const identify = createIdentify({ database: test.database, verifyIdToken: options.verifyIdToken ?? (async () => undefined), settleClaims });
  const registry = createRegistry([organizations]);
  const services = {
    database: test.database, policy: await loadPolicies(resolve(import.meta.dirname, "../../../../policies")), clock, ids, log,
    authenticate: authentication.authenticate, identify, settingsOf: authentication.settingsOf, cache: { through: (_entry: unknown, load: () => unknown) => load(), invalidate: async () => undefined }, limiter: { take: async () => undefined }, load: { admit: () => undefined }, strangers: { note: () => undefined }, traces: noTraces, organizationPolicies: noOrganizationPolicies,
    quotas: () => ({ take: async () => undefined, give: async () => undefined }), settings: { osvUrl: "", deletionGraceDays: 30, signIn: { issuers: [], passwords: true } }, publicUrl: "https://qinfra.example", permissions: registry.permissions, secrets: openSecrets,
    eventTypes: [...registry.events.values()], operations: registry.byId, approvals: {}, streams: { close: () => undefined },
    workflows: () => ({}), appender, observe: () => undefined, platformOrgId: first.platformOrgId,
  } as unknown as Services;

  async function call<Output = Record<string, never>>(id: string, input: unknown = {}, credentials: Credentials = {}, more: Partial<Call> = {}): Promise<Output> {
    const operation = registry.byId.get(id);
    if (operation === undefined) throw new Error(`there is no operation ${id}`);
    const outcome = await execute(services, operation, { door: "http", requestId: ids.uuid(), credentials, address: "192.0.2.1", input, fromText: false, signal: new AbortController().signal, ...more });
    const faults = faultsAgainst(operation.output, outcome.output);
    if (faults.length > 0) throw new Error(`${id} answered outside its schema: ${JSON.stringify(faults)}`);
    return outcome.output as Output;
  }

  /** The code of the declared error that the call ends with, or `ok`. */
  async function outcomeOf(id: string, input: unknown, credentials: Credentials = {}, more: Partial<Call> = {}): Promise<string> {
    return call(id, input, credentials, more).then(() => "ok", codeOf);
  }

  async function signIn(name: string, password: string, door: "cli" | "browser" = "cli"): Promise<Credentials & { token: string }> {
    const { token } = await call<{ token: string }>("sessions.create", { name, password, door });
    return door === "cli" ? { token, authorization: `Bearer ${token}` } : { token, cookie: { session: token, csrf: true } };
  }

  /** A new member, signed in with a password of their own. */
  async function member(admin: Credentials, name: string, role: string) {
    const made = await call<{ user: string; oneTimePassword: string }>("members.add", { name, role }, admin);
    const password = `the password of ${name}`;
    const once = await signIn(name, made.oneTimePassword);
    await call("users.set-password", { currentPassword: made.oneTimePassword, newPassword: password }, once);
    return { user: made.user, name, password, credentials: { authorization: once.authorization as string } };
  }

  /** The first administrator, past the one-time password. */
  async function administrator() {
    const { name, oneTimePassword } = first.unspent as { name: string; oneTimePassword: string };
    const credentials = await signIn(name, oneTimePassword);
    const password = "the password of admin";
    await call("users.set-password", { currentPassword: oneTimePassword, newPassword: password }, credentials);
    return { name, password, credentials: { authorization: credentials.authorization as string } };
  }

  /** Another organization with `admin` as its administrator; the credentials work in it. */
  async function organization(admin: Credentials, slug: string) {
    const made = await call<{ id: string }>("organizations.create", { name: slug, slug }, admin);
    return { id: made.id, credentials: { ...admin, organization: made.id } };
  }

  return {
    ...test, clock, ids, events, appender, first, authentication, registry, services, call, outcomeOf, signIn, member, administrator, organization,
    platformOrg: orgTypeId(first.platformOrgId),
    actorOf: (credentials: Credentials): Promise<Actor> => authentication.authenticate(credentials, { door: "http", address: "192.0.2.1" }),
  };
}

export type UnderTest = Awaited<ReturnType<typeof organizationsUnderTest>>;

export function codeOf(error: unknown): string {
  if (error instanceof DeclaredError) return error.type.code;
  throw error;
}
