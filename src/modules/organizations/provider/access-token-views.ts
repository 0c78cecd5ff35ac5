import type { Db } from "../../../platform/database/database.ts";
import { sql } from "../../../platform/database/sql.ts";
import type { Standing } from "../credential-views.ts";

export interface AccessTokenStanding extends Standing {
  /** Permissions, with spaces between. */
  scope: string;
  /** `<grant>.<session>`: hex of the one, UUID of the other. */
  allowed: string;
  second_factor: boolean;
  must_change: boolean;
}

/**
 * What access tokens of the embedded provider stand for: one statement for many askers. A token counts while its grant
 * is there, and the session of the platform in which the person allowed it.
 */
export async function standingsOfAccessTokens(db: Db, asked: readonly { hash: Buffer; orgId: string | undefined }[], { audience, now }: { audience: string; now: string }): Promise<(AccessTokenStanding | undefined)[]> {
  const rows = await db.many<AccessTokenStanding & { n: number }>(sql`
    select a.n, t.payload ->> 'scope' as scope, encode(g.id, 'hex') || '.' || s.id::text as allowed, s.second_factor, coalesce(c.one_time, false) as must_change,
      u.id as user_id, m.org_id, m.role, o.is_platform, o.settings, (extract(epoch from o.due_at) * 1000)::float8 as closes
    from unnest(${asked.map((one) => one.hash)}::bytea[], ${asked.map((one) => one.orgId ?? null)}::uuid[]) with ordinality as a (hash, org_id, n)
    join organizations.oidc_payloads t on t.model = 'AccessToken' and t.id = a.hash and t.expires_at > ${now} and t.payload ->> 'aud' = ${audience}
    join organizations.oidc_payloads g on g.model = 'Grant' and g.id = t.grant_id and g.expires_at > ${now}
    join organizations.users u on u.id = (t.payload -> 'extra' ->> 'user')::uuid and u.disabled_at is null and u.erased_at is null
    join organizations.sessions s on s.id = (t.payload -> 'extra' ->> 'session')::uuid and s.user_id = u.id and s.revoked_at is null and s.expires_at > ${now}
    left join organizations.password_credentials c on c.user_id = u.id
    join lateral (
      select t.org_id, t.role from organizations.memberships t join organizations.organizations w on w.id = t.org_id
      where t.user_id = u.id and (a.org_id is null or t.org_id = a.org_id)
      order by w.closed_at is not null, t.created_at, t.org_id limit 1
    ) m on true
    join organizations.organizations o on o.id = m.org_id`);
  const answers = Array.from<AccessTokenStanding | undefined>({ length: asked.length });
  for (const row of rows) answers[row.n - 1] = row;
  return answers;
}

/** Whether what the person allowed the application holds still, as `allowed` of a standing names it. */
export async function isStillAllowed(db: Db, allowed: string, userId: string, now: string): Promise<boolean> {
  const [grant = "", session = ""] = allowed.split(".");
  return (await db.maybe(sql`
    select 1 from organizations.oidc_payloads g join organizations.sessions s on s.id = ${session}::uuid and s.user_id = ${userId} and s.revoked_at is null and s.expires_at > ${now}
    where g.model = 'Grant' and g.id = ${Buffer.from(grant, "hex")} and g.expires_at > ${now}`)) !== undefined;
}
