import { anonymous } from "../../platform/actor.ts";
import { timestamp, type Clock } from "../../platform/clock.ts";
import type { Database } from "../../platform/database/database.ts";
import { createPasswords, type Passwords } from "../../platform/identity/passwords.ts";
import { oneTimePassword, type Random } from "../../platform/identity/tokens.ts";
import type { Ids } from "../../platform/ids.ts";
import type { Services } from "../../platform/operation/services.ts";
import type { Secrets } from "../../platform/secrets/types.ts";
import { MemberAdded, OrganizationCreated } from "./events.ts";
import { orgTypeId, userTypeId } from "./ids.ts";
import { insertLocalUser, insertMembership, insertOrganization, lockFirstStart } from "./store.ts";
import { platformOrganization, sealedPassword } from "./views.ts";

export interface FirstAdministratorPorts {
  clock: Clock;
  ids: Ids;
  /** The one-time password is kept sealed beside its hash until it is spent, because each start shows it. */
  secrets: Pick<Secrets, "seal" | "open">;
  appender: Services["appender"];
  random?: Random;
  passwords?: Passwords;
}

export interface FirstAdministrator {
  platformOrgId: string;
  /** Login name and password of the first administrator; absent once a password was set. */
  unspent?: { name: string; oneTimePassword: string };
}

const name = "admin";
const sealedFor = { purpose: "first-administrator" };

/** Makes the platform organization and its administrator where they are missing. Servers that start at once make one. */
export async function ensureFirstAdministrator(database: Database, ports: FirstAdministratorPorts): Promise<FirstAdministrator> {
  if ((await database.system(platformOrganization)) === undefined) await create(database, ports);
  const org = await database.system(platformOrganization);
  if (org === undefined) throw new Error("the platform organization is missing although it was made");
  const unspent = await unspentPassword(database, ports.secrets);
  return { platformOrgId: org.id, ...(unspent === undefined ? {} : { unspent }) };
}

/** Login name and one-time password of the first administrator; undefined once a password was set. */
export async function unspentPassword(database: Database, secrets: Pick<Secrets, "open">): Promise<FirstAdministrator["unspent"]> {
  const unspent = await database.system(sealedPassword);
  if (unspent === undefined) return undefined;
  return { name: unspent.name, oneTimePassword: (await secrets.open(unspent.sealed, sealedFor)).toString("utf8") };
}

async function create(database: Database, ports: FirstAdministratorPorts): Promise<void> {
  const { clock, ids, secrets, random, passwords = createPasswords() } = ports;
  const password = oneTimePassword(random);
  const hash = await passwords.hash(password);
  const sealed = await secrets.seal(Buffer.from(password), sealedFor);
  const at = timestamp(clock);
  const orgId = ids.uuid();
  const userId = ids.uuid();
  await database.system(async (db) => {
    await lockFirstStart(db);
    if ((await platformOrganization(db)) !== undefined) return;
    await insertOrganization(db, { id: orgId, name: "Platform", slug: "platform", platform: true, at });
    await insertLocalUser(db, { id: userId, name, displayName: "Administrator", email: null, hash, sealed, at });
    await insertMembership(db, { orgId, userId, role: "admin", at });
    const events = ports.appender(db, { orgId, actor: { ...anonymous, kind: "system", orgId, platform: true }, operation: "organizations.first-start", requestId: ids.uuid(), door: "system" });
    await events.append({ type: OrganizationCreated, subject: orgTypeId(orgId), data: { platform: true } });
    await events.append({ type: MemberAdded, subject: userTypeId(userId), data: { organization: orgTypeId(orgId), role: "admin", created: true } });
  });
}

/** UUID of the platform organization. It is there once `ensureFirstAdministrator` has run. */
export async function platformOrgId(database: Database): Promise<string> {
  const org = await database.system(platformOrganization);
  if (org === undefined) throw new Error("there is no platform organization yet: start the server once");
  return org.id;
}
