import type { Db } from "../../platform/database/database.ts";
import { sql } from "../../platform/database/sql.ts";
import type { Role } from "./roles.ts";

/** One way into an organization. */
export interface AccessRow {
  /** What the rows are ordered by: the person, then their ways in; invitations last. */
  place: string;
  kind: "person" | "service-account" | "identity" | "api-key" | "invitation";
  /** Whom it acts as; null for an invitation. */
  user_id: string | null;
  /** Of the key or the invitation. */
  id: string | null;
  issuer: string | null;
  subject: string | null;
  name: string | null;
  role: Role;
  is_platform: boolean;
  scopes: string[] | null;
  agent: boolean | null;
  via: "added" | "invitation" | "issuer" | null;
  second_factor: boolean | null;
  disabled: boolean;
  /** Of whoever invited, for an invitation. */
  inviter_role: Role | null;
  created_by: string | null;
  created_at: Date;
  expires_at: Date | null;
  last_used_at: Date | null;
}

/**
 * Every way into the organization that is open at `now`, after `after`, in one statement. What proves who somebody is lies
 * where no tenant's transaction reaches, so this asks by the system's door, and each part names the organization itself.
 */
export async function accessOf(db: Db, orgId: string, page: { now: string; after: string; limit: number }): Promise<AccessRow[]> {
  return db.many<AccessRow>(sql`
    with members as (
      select m.user_id, m.role, m.issuer, m.created_at, u.kind, u.display_name, u.disabled_at is not null as disabled
      from organizations.memberships m join organizations.users u on u.id = m.user_id
      where m.org_id = ${orgId}
    ), ways as (
      select m.user_id || ' 0' as place, case m.kind when 'service' then 'service-account' else 'person' end as kind, m.user_id, null::uuid as id,
        m.issuer, null::text as subject, m.display_name as name, m.role, null::text[] as scopes, null::boolean as agent,
        case when m.issuer is not null then 'issuer' when i.invited_by is not null then 'invitation' else 'added' end as via,
        case m.kind when 'person' then exists (select from organizations.totp t where t.user_id = m.user_id and t.confirmed_at is not null)
          or exists (select from organizations.passkeys p where p.user_id = m.user_id) end as second_factor,
        m.disabled, null::text as inviter_role, i.invited_by as created_by, m.created_at, null::timestamptz as expires_at, s.last_seen_at as last_used_at
      from members m
      left join lateral (select invited_by from organizations.invitations where org_id = ${orgId} and accepted_by = m.user_id order by accepted_at desc limit 1) i on true
      left join lateral (select max(last_seen_at) as last_seen_at from organizations.sessions where user_id = m.user_id and org_id = ${orgId}) s on true
      union all
      select m.user_id || ' 1 ' || encode(sha256(convert_to(i.issuer || ' ' || i.subject, 'UTF8')), 'hex'), 'identity', m.user_id, null, i.issuer, i.subject,
        m.display_name, m.role, null, null, 'issuer', null, m.disabled, null, null, i.created_at, null, null
      from members m join organizations.user_identities i on i.user_id = m.user_id and i.issuer <> 'local'
      union all
      select m.user_id || ' 2 ' || k.id, 'api-key', m.user_id, k.id, null, null, k.name, m.role, k.scopes, k.agent, null, null, m.disabled, null, k.created_by, k.created_at, k.expires_at, k.last_used_at
      from organizations.api_keys k join members m on m.user_id = coalesce(k.acts_as, k.created_by)
      where k.org_id = ${orgId} and k.revoked_at is null and k.expires_at > ${page.now}
      union all
      select '~ ' || i.id, 'invitation', null, i.id, null, null, i.email, i.role, null, null, null, null, m.disabled, m.role, i.invited_by, i.created_at, i.expires_at, null
      from organizations.invitations i join members m on m.user_id = i.invited_by
      where i.org_id = ${orgId} and i.accepted_at is null and i.revoked_at is null and i.expires_at > ${page.now}
    )
    select w.*, o.is_platform from ways w join organizations.organizations o on o.id = ${orgId}
    where w.place collate "C" > ${page.after}
    order by w.place collate "C" limit ${page.limit}`);
}

export interface GrantRow {
  /** TypeID of the person. */
  account: string;
  /** Client id of the application. */
  application: string;
  name: string;
  /** Permissions, with spaces between. */
  scope: string;
  expires_at: Date;
}

/** The applications that may act for these people (TypeIDs), as far as each of them has let it. */
export async function grantsOf(db: Db, accounts: readonly string[], now: string): Promise<GrantRow[]> {
  return db.many<GrantRow>(sql`
    select g.payload ->> 'accountId' as account, c.payload ->> 'client_id' as application, c.payload ->> 'client_name' as name,
      (select string_agg(r.value, ' ') from jsonb_each_text(g.payload -> 'resources') r) as scope, g.expires_at
    from organizations.oidc_payloads g
    join organizations.oidc_payloads c on c.model = 'Client' and c.payload ->> 'client_id' = g.payload ->> 'clientId'
    where g.model = 'Grant' and g.expires_at > ${now} and g.payload ->> 'accountId' = any(${accounts}::text[]) and g.payload -> 'resources' is not null
    order by name, g.expires_at, g.id limit 10000`);
}
