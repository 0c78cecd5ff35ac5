import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

/** What every credential leads to: a person, in one organization, in one role. */
export interface Standing {
  user_id: string;
  org_id: string;
  role: Role;
  is_platform: boolean;
  settings: Record<string, unknown>;
  /** When the organization goes, in milliseconds since 1970; null unless it is being deleted. */
  closes: number | null;
}

export interface IdentityStanding extends Standing {
  kind: "person" | "service";
}

/** `expires` and `used` in milliseconds since 1970: reading a number is cheaper than a date. */
export interface SessionStanding extends Standing {
  id: string;
  door: "browser" | "cli";
  must_change: boolean;
  second_factor: boolean;
  confirmed: number | null;
  expires: number;
  used: number;
}

export interface KeyStanding extends Standing {
  id: string;
  hash: Buffer;
  scopes: string[];
  agent: boolean;
  expires: number;
  used: number | null;
}

// Each of the three is one statement for many askers, on the hot path of every request. A revoked credential, a disabled
// user and a removed membership are simply not there. `n` counts from one.
//
// PostgreSQL guesses ten elements for an array that it does not know. For fewer it would find a plan of its own cheaper
// and plan anew each time (0.5 ms, against 0.1 for the answer), so the arrays are filled up with nulls beyond that.

export async function standingsOfSessions(db: Db, asked: readonly { hash: Buffer; orgId: string | undefined }[]): Promise<(SessionStanding | undefined)[]> {
  const rows = await db.many<SessionStanding & { n: number }>(sql`
    select a.n, s.id, s.door, s.must_change, s.second_factor, (extract(epoch from s.confirmed_at) * 1000)::float8 as confirmed, s.user_id, m.org_id, m.role, o.is_platform, o.settings, (extract(epoch from o.due_at) * 1000)::float8 as closes,
      (extract(epoch from s.expires_at) * 1000)::float8 as expires, (extract(epoch from s.last_seen_at) * 1000)::float8 as used
    from unnest(${filled(asked, (one) => one.hash)}::bytea[], ${filled(asked, (one) => one.orgId)}::uuid[]) with ordinality as a (hash, org_id, n)
    join organizations.sessions s on s.hash = a.hash and s.revoked_at is null
    join organizations.users u on u.id = s.user_id and u.disabled_at is null and u.kind = 'person'
    join organizations.memberships m on m.user_id = s.user_id and m.org_id = coalesce(a.org_id, s.org_id)
    join organizations.organizations o on o.id = m.org_id`);
  return inOrder(rows, asked.length);
}

/** A key stands where it was made, in the role that its maker has now, or the service account that it acts as. */
export async function standingsOfKeys(db: Db, prefixes: readonly string[]): Promise<(KeyStanding | undefined)[]> {
  const rows = await db.many<KeyStanding & { n: number }>(sql`
    select a.n, k.id, k.hash, k.scopes, k.agent, m.user_id, m.org_id, m.role, o.is_platform, o.settings, (extract(epoch from o.due_at) * 1000)::float8 as closes,
      (extract(epoch from k.expires_at) * 1000)::float8 as expires, (extract(epoch from k.last_used_at) * 1000)::float8 as used
    from unnest(${filled(prefixes, (prefix) => prefix)}::text[]) with ordinality as a (prefix, n)
    join organizations.api_keys k on k.prefix = a.prefix and k.revoked_at is null
    join organizations.users u on u.id = coalesce(k.acts_as, k.created_by) and u.disabled_at is null
    join organizations.memberships m on m.org_id = k.org_id and m.user_id = u.id
    join organizations.organizations o on o.id = m.org_id`);
  return inOrder(rows, prefixes.length);
}

export async function standingsOfIdentities(db: Db, asked: readonly { issuer: string; subject: string; orgId: string | undefined }[]): Promise<(IdentityStanding | undefined)[]> {
  const rows = await db.many<IdentityStanding & { n: number }>(sql`
    select a.n, u.kind, i.user_id, m.org_id, m.role, o.is_platform, o.settings, (extract(epoch from o.due_at) * 1000)::float8 as closes
    from unnest(${filled(asked, (one) => one.issuer)}::text[], ${filled(asked, (one) => one.subject)}::text[], ${filled(asked, (one) => one.orgId)}::uuid[])
      with ordinality as a (issuer, subject, org_id, n)
    join organizations.user_identities i on i.issuer = a.issuer and i.subject = a.subject
    join organizations.users u on u.id = i.user_id and u.disabled_at is null
    join lateral (
      select t.org_id, t.role from organizations.memberships t join organizations.organizations w on w.id = t.org_id
      where t.user_id = i.user_id and (a.org_id is null or t.org_id = a.org_id)
      order by w.closed_at is not null, t.created_at, t.org_id limit 1
    ) m on true
    join organizations.organizations o on o.id = m.org_id`);
  return inOrder(rows, asked.length);
}

function inOrder<Row extends { n: number }>(rows: readonly Row[], count: number): (Row | undefined)[] {
  const answers = Array.from<Row | undefined>({ length: count });
  for (const row of rows) answers[row.n - 1] = row;
  return answers;
}

const least = 16;

function filled<Question, Value>(questions: readonly Question[], valueOf: (question: Question) => Value | undefined): (Value | null)[] {
  const values: (Value | null)[] = questions.map((question) => valueOf(question) ?? null);
  while (values.length < least) values.push(null);
  return values;
}
