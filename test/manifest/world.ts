import { generateKeyPairSync } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { SignJWT } from "jose";
import { Type } from "typebox";
import { createRegistry, type Registry } from "../../src/platform/operation/registry.ts";
import { toTypeId, uuidOf } from "../../src/platform/ids.ts";
import type { Module, Operation } from "../../src/platform/operation/index.ts";
import { signal, workflow, type Workflow } from "../../src/platform/workflow/index.ts";
import { modules } from "../../src/app/modules.ts";
import { organizationOf, testPlatform, type Answer, type Caller, type Person, type TestCall, type TestPlatform } from "../../src/app/testing.ts";
import { deadLetterArrangements } from "./dead-letters.ts";
import { secondFactorArrangements } from "./second-factors.ts";
import { opensshKey } from "../../src/modules/inventory/testing/openssh-key.ts";
import { zipOf } from "../../src/modules/vulnerabilities/feeds/testing.ts";

export const registry: Registry = createRegistry(modules);
export const operations = registry.operations;

type Owner = Exclude<Caller, "anonymous">;
export type Example = Operation["examples"][number];

let serial = 0;

/**
 * For each kind of TypeID in an input, how to make such a thing in the organization of `owner`; its id. A new kind of id
 * is added here, or the tests of foreign ids fail.
 */
export const makers: Readonly<Record<string, (platform: TestPlatform, owner: Owner) => Promise<string>>> = {
  org: async (platform, owner) => organizationOf(platform.person(owner)),
  usr: async (platform, owner) => {
    const { userId } = await platform.newMember(platform.person(owner).orgId, "viewer");
    const { items } = await succeed<{ items: { user: string; name: string }[] }>(platform, "members.list", { as: owner, input: { limit: 1000 } });
    return found(items, ({ name }) => name === `user-${userId.replaceAll("-", "")}`).user;
  },
  ses: async (platform, owner) => {
    const authorization = await platform.newSession(platform.person(owner));
    const { items } = await succeed<{ items: { id: string; current: boolean }[] }>(platform, "sessions.list", { authorization });
    return found(items, ({ current }) => current).id;
  },
  key: async (platform, owner) => {
    const { id } = await succeed<{ id: string }>(platform, "api-keys.create", { as: owner, input: { name: "made", scopes: ["images:read"] } });
    return id;
  },
  inv: async (platform, owner) => {
    const { id } = await succeed<{ id: string }>(platform, "invitations.create", { as: owner, input: { role: "viewer" } });
    return id;
  },
  app: async (platform) => {
    const { id } = await succeed<{ id: string }>(platform, "applications.create", { as: "platform-admin", input: { name: `made ${++serial}`, redirectUris: ["https://made.example/callback"] } });
    return id;
  },
  sit: async (platform, owner) => {
    const { id } = await succeed<{ id: string }>(platform, "inventory.create-site", { as: owner, input: { name: `site ${++serial}` } });
    return id;
  },
  ast: async (platform, owner) => {
    const input = { name: `host-${++serial}`, source: "import", os: { id: "debian", versionId: "12" }, components };
    return (await succeed<{ asset: { id: string } }>(platform, "inventory.record-scan", { as: owner, input })).asset.id;
  },
  run,
  sch: async (platform, owner) => {
    const input = { name: `made-${++serial}`, workflow: waiting.id, cron: "0 0 * * *" };
    return (await succeed<{ id: string }>(platform, "schedules.create", { as: owner, input })).id;
  },
  apr: approval,
  dlg: async (platform, owner) => {
    const { userId } = await platform.newMember(platform.person(owner).orgId, "operator");
    return (await succeed<{ id: string }>(platform, "approvals.delegate", { as: owner, input: { to: toTypeId("usr", userId), endsAt: new Date(Date.now() + 3_600_000).toISOString() } })).id;
  },
  chn: channel,
  rul: async (platform, owner) => {
    const input = { name: `made-${++serial}`, channel: await channel(platform, owner), types: ["notifications.*"] };
    return (await succeed<{ id: string }>(platform, "notifications.create-rule", { as: owner, input })).id;
  },
  dlv: async (platform, owner) => (await succeed<{ id: string }>(platform, "notifications.test-channel", { as: owner, input: { id: await channel(platform, owner) } })).id,
  img: async (platform, owner) => {
    const input = { family: "made", version: String(++serial), source: "sbom", components };
    return (await succeed<{ image: { id: string } }>(platform, "images.register", { as: owner, input })).image.id;
  },
};

/** A request that `owner` may decide on: the agent of another administrator wants to delete an image. */
async function approval(platform: TestPlatform, owner: Owner): Promise<string> {
  const { orgId } = platform.person(owner);
  const authorization = await platform.newSession(await platform.newMember(orgId, "admin"));
  const { key } = await succeed<{ key: string }>(platform, "api-keys.create", { authorization, input: { name: `agent ${++serial}`, agent: true, scopes: ["images:delete"] } });
  const id = await makers["img"]?.(platform, owner);
  return (await succeed<{ approval: string }>(platform, "images.delete", { authorization: `Bearer ${key}`, input: { id } })).approval;
}

/** The input with what else belongs to the things that it names: the hash of a request. */
export async function fitting(platform: TestPlatform, operation: Operation, input: Record<string, unknown>, owner: Owner): Promise<Record<string, unknown>> {
  const { id } = input;
  if (!("hash" in operation.input.properties) || typeof id !== "string") return input;
  const { hash } = await succeed<{ hash: string }>(platform, "approvals.get", { as: owner, input: { id } });
  return { ...input, hash };
}

/** Fields that take one sort of what their kind of id names: `operation field`. */
const makersOfFields: typeof makers = {
  "inventory.scan-site id": siteToScan,
  "workflows.retry id": cancelledRun,
  "service-accounts.disable id": serviceAccount,
  "api-keys.create serviceAccount": serviceAccount,
};

/** A webhook, which each operation on channels takes; nothing is sent, because no workflow runs here. */
async function channel(platform: TestPlatform, owner: Owner): Promise<string> {
  const input = { name: `made-${++serial}`, kind: "webhook", endpoint: "https://hooks.example/qinfra" };
  return (await succeed<{ id: string }>(platform, "notifications.create-channel", { as: owner, input })).id;
}

async function cancelledRun(platform: TestPlatform, owner: Owner): Promise<string> {
  const id = await run(platform, owner);
  await succeed(platform, "workflows.cancel", { as: owner, input: { id } });
  return id;
}

async function serviceAccount(platform: TestPlatform, owner: Owner): Promise<string> {
  return (await succeed<{ id: string }>(platform, "service-accounts.create", { as: owner, input: { name: "made", role: "viewer" } })).id;
}

/** A site of which it is known how its hosts are reached. */
async function siteToScan(platform: TestPlatform, owner: Owner): Promise<string> {
  const { id } = await succeed<{ id: string }>(platform, "inventory.create-site", { as: owner, input: { name: `site ${++serial}`, user: "qinfra" } });
  await succeed(platform, "inventory.set-site-key", { as: owner, input: { id }, ...siteKey() });
  return id;
}

function siteKey(): Pick<TestCall, "body" | "headers"> {
  return { body: opensshKey().privateKey, headers: { "content-type": "application/octet-stream" } };
}

export function makerOf(operation: Operation, field: string, kind: string): (typeof makers)[string] | undefined {
  return makersOfFields[`${operation.id} ${field}`] ?? makers[kind];
}

/** A workflow that every organization may run, and that waits for a signal. */
const waiting = workflow({
  id: "tests.wait", summary: "Wait for a signal", permission: "assets:write", input: Type.Object({}), output: Type.Null(),
  signals: [signal({ name: "go", summary: "Go on", body: Type.Object({}) })],
  run: () => Promise.resolve(null),
});
const workflowOfTests: Module = { name: "tests", operations: [], workflows: [waiting as unknown as Workflow] };

async function run(platform: TestPlatform, owner: Owner): Promise<string> {
  return (await succeed<{ id: string }>(platform, "workflows.start", { as: owner, input: { workflow: waiting.id } })).id;
}

const components = [{ name: "openssl", version: "3.0.1-1", purl: "pkg:deb/debian/openssl@3.0.1-1?arch=amd64&distro=debian-12" }];

/** OSV records of which the examples speak. */
const feed = `${JSON.stringify({
  id: "DEBIAN-CVE-2026-25243", modified: "2026-11-01T00:00:00Z", upstream: ["CVE-2026-25243"], summary: "An example",
  severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
})}\n`;

async function importFeed(platform: TestPlatform): Promise<void> {
  await succeed(platform, "feeds.import", { as: "platform-admin", input: { name: "debian" }, body: feed, headers: { "content-type": "application/x-ndjson" } });
}

/** A simulated issuer, whose people are members of the platform organization. */
const issuer = {
  issuer: "https://issuer.example", audience: "qinfra-api", algorithms: ["ES256"], client: { id: "web" },
  roles: { claim: "groups", map: { people: "viewer" }, organization: "platform" },
};
const issuerKey = generateKeyPairSync("ec", { namedCurve: "P-256" });

/** An ID token of somebody whom nobody knows yet. */
function idToken(): Promise<string> {
  return new SignJWT({ sub: `person-${++serial}`, groups: ["people"] }).setProtectedHeader({ alg: "ES256" })
    .setIssuer(issuer.issuer).setAudience(issuer.client.id).setIssuedAt().setExpirationTime("5m").sign(issuerKey.privateKey);
}

/** A new person with a one-time password. */
async function stranger(platform: TestPlatform): Promise<{ name: string; password: string }> {
  const name = `stranger${++serial}`;
  const { oneTimePassword } = await succeed<{ oneTimePassword: string }>(platform, "members.add", { as: "admin", input: { name, role: "viewer" } });
  return { name, password: oneTimePassword };
}

/** The token of a new invitation to the organization of `admin`. */
async function invitation(platform: TestPlatform): Promise<string> {
  const { link } = await succeed<{ link: string }>(platform, "invitations.create", { as: "admin", input: { role: "viewer" } });
  return link.slice(link.lastIndexOf("/") + 1);
}

/** An organization that nobody else needs, with an administrator of its own. */
async function newOrganization(platform: TestPlatform): Promise<{ id: string; slug: string; admin: Person }> {
  const slug = `made-${++serial}`;
  const { id } = await succeed<{ id: string }>(platform, "organizations.create", { as: "platform-admin", input: { name: slug, slug } });
  return { id, slug, admin: await platform.newMember(uuidOf("org", id), "admin") };
}

/** Operations that take away the organization that they are called in: each call has one of its own. */
export const endsItsOrganization: ReadonlySet<string> = new Set(["organizations.delete"]);

/** Operations that change what their caller may do, so that each call is made by somebody new. */
const changesItsCaller: ReadonlySet<string> = new Set(["members.leave", "organizations.transfer"]);

/** Somebody who may call the operation, and whom nobody else needs afterwards. */
export async function callerOf(platform: TestPlatform, operation: Operation): Promise<Pick<TestCall, "as" | "authorization">> {
  const as = allowedCaller(operation);
  if (operation.confirm !== undefined) return { authorization: await platform.newSession(platform.person(as), { secondFactor: true }) };
  if (!changesItsCaller.has(operation.id)) return { as };
  return { authorization: await platform.newSession(await platform.newMember(platform.person(as).orgId, "admin")) };
}

/** What has to be there before an operation's example can succeed, and what of the call it changes. */
const arrangements: Readonly<Record<string, (platform: TestPlatform) => Promise<Partial<TestCall>>>> = {
  "sessions.create": async (platform) => ({ input: await stranger(platform) }),
  "sessions.exchange": async () => ({ input: { idToken: await idToken() } }),
  "invitations.look-up": async (platform) => ({ input: { token: await invitation(platform) } }),
  "invitations.sign-up": async (platform) => ({ input: { token: await invitation(platform), name: `guest${++serial}` } }),
  "invitations.accept": async (platform) => {
    const elsewhere = await platform.newMember(platform.person("other-tenant-admin").orgId, "viewer");
    return { authorization: await platform.newSession(elsewhere), input: { token: await invitation(platform) } };
  },
  "organizations.set-settings": async (platform) => {
    const id = organizationOf(platform.person("admin"));
    const { version } = await succeed<{ version: number }>(platform, "organizations.get-settings", { as: "admin", input: { id } });
    return { input: { version } };
  },
  "organizations.delete": async (platform) => {
    const { id, slug, admin } = await newOrganization(platform);
    return { authorization: await platform.newSession(admin, { secondFactor: true }), input: { id, slug } };
  },
  "organizations.restore": async (platform) => {
    const { id, slug, admin } = await newOrganization(platform);
    await succeed(platform, "organizations.delete", { authorization: await platform.newSession(admin, { secondFactor: true }), input: { id, slug } });
    return { input: { id } };
  },
  "users.erase": async (platform) => {
    const { userId } = await platform.newMember(platform.person("admin").orgId, "viewer");
    return { input: { user: toTypeId("usr", userId), name: `user-${userId.replaceAll("-", "")}` } };
  },
  "users.set-password": async (platform) => {
    const { name, password } = await stranger(platform);
    const { token } = await succeed<{ token: string }>(platform, "sessions.create", { input: { name, password } });
    return { authorization: `Bearer ${token}`, input: { currentPassword: password, newPassword: `not ${password}` } };
  },
  ...secondFactorArrangements,
  ...deadLetterArrangements,
  "sessions.delete": async (platform) => ({ authorization: await platform.newSession(platform.person("admin")) }),
  "workflows.start": async () => ({ input: { workflow: waiting.id, input: {} } }),
  "schedules.create": async () => ({ input: { name: `made-${++serial}`, workflow: waiting.id, input: {} } }),
  "inventory.set-site-key": async () => siteKey(),
  "feeds.import": async () => ({ body: feed, headers: { "content-type": "application/x-ndjson" } }),
  "feeds.delete": async (platform) => (await importFeed(platform), {}),
  "vulnerabilities.what-is": async (platform) => (await importFeed(platform), {}),
};

/** Prefixes of the TypeIDs that a schema asks for, however deep. */
export function idKindsOf(schema: unknown): string[] {
  return [...new Set([...JSON.stringify(schema).matchAll(/\^([a-z]+)_\[0-7\]/g)].map((match) => match[1] as string))];
}

const typeId = /^([a-z]+)_[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/** The example with ids of things that are there, made for `owner`. */
export async function withRealIds(platform: TestPlatform, operation: Operation, example: Example, owner: Owner): Promise<Record<string, unknown>> {
  async function replaced(value: unknown, field: string): Promise<unknown> {
    if (Array.isArray(value)) return Promise.all(value.map((item) => replaced(item, field)));
    if (typeof value === "object" && value !== null) {
      return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, item]) => [key, await replaced(item, key)] as const)));
    }
    const kind = typeof value === "string" ? typeId.exec(value)?.[1] : undefined;
    if (kind === undefined) return value;
    const make = makerOf(operation, field, kind);
    if (make === undefined) throw new Error(`test/manifest/world.ts: there is no maker of ${kind}_ ids`);
    return make(platform, owner);
  }
  return fitting(platform, operation, await replaced(example.input, "") as Record<string, unknown>, owner);
}

/** Somebody who may call the operation. */
export function allowedCaller(operation: Operation): Owner {
  return operation.permission.startsWith("platform:") ? "platform-admin" : "admin";
}

/** A call of the first example as it is written: valid, of things that are not there. */
export function plain(operation: Operation): TestCall {
  const body = operation.body === undefined ? {} : { body: feed, headers: { "content-type": operation.body.contentTypes[0] ?? "" } };
  return { input: operation.examples[0]?.input ?? {}, ...body };
}

/** A call of the example that succeeds. */
export async function arranged(platform: TestPlatform, operation: Operation, example: Example): Promise<TestCall> {
  const caller = await callerOf(platform, operation);
  const input = await withRealIds(platform, operation, example, allowedCaller(operation));
  const changes = await arrangements[operation.id]?.(platform) ?? {};
  return { ...caller, ...changes, input: { ...input, ...changes.input } };
}

export async function succeed<T = unknown>(platform: TestPlatform, operationId: string, call: TestCall): Promise<T> {
  const answer = await platform.call(operationId, call);
  if (answer.status >= 300) throw new Error(`${operationId} answered ${answer.status}: ${answer.text}`);
  return answer.body as T;
}

/** The code of a problem, and a fault where the answer is none. */
export function problemCode({ status, body, headers, text }: Answer): string {
  const problem = body as { code?: unknown; status?: unknown; title?: unknown; detail?: unknown } | null;
  if (!String(headers["content-type"]).startsWith("application/problem+json")) return `no problem+json: ${status} ${text.slice(0, 200)}`;
  if (problem?.status !== status || typeof problem.code !== "string" || typeof problem.title !== "string" || typeof problem.detail !== "string" || problem.detail === "") return `an incomplete problem: ${text.slice(0, 200)}`;
  return problem.code;
}

function found<T>(items: readonly T[], test: (item: T) => boolean): T {
  const item = items.find(test);
  if (item === undefined) throw new Error("what was just made is not in its list");
  return item;
}

/** A platform whose feeds come from a server of this test, which has the ecosystem of the examples and no other. */
export async function manifestPlatform(): Promise<TestPlatform> {
  const archive = zipOf([{ name: "DEBIAN-CVE-2026-25243.json", content: feed }]);
  const outside = createServer((request, response) => {
    if (request.url === "/Debian/all.zip") return response.end(archive);
    if (request.url === "/keys") return response.end(JSON.stringify({ keys: [issuerKey.publicKey.export({ format: "jwk" })] }));
    return response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => outside.listen(0, "127.0.0.1", resolve));
  const address = `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;
  const platform = await testPlatform({ osvUrl: address, jwtIssuers: [{ ...issuer, jwksUrl: `${address}/keys` }], extraModules: [workflowOfTests] });
  return {
    ...platform,
    async close() {
      await platform.close();
      await new Promise((resolve) => outside.close(resolve));
    },
  };
}

const atOnce = 8;

/** What each of them comes to, in their order; a few at once, since most of a call is waiting. */
export async function someAtOnce<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (let i = 0; i < items.length; i += atOnce) results.push(...await Promise.all(items.slice(i, i + atOnce).map(work)));
  return results;
}
