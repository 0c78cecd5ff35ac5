import type pg from "pg";

export interface CatalogueRule {
  rule: string;
  why: string;
  /** Answers one row for each thing that is against it: `what`. */
  query: string;
  /** `what` to the reason why it may be. May only shrink. */
  except?: Readonly<Record<string, string>>;
}

// The schema `dbos` is the workflow engine's own, as its library makes it; only the system role may enter it.
const ours = "n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'dbos')";
const tables = `pg_class c join pg_namespace n on n.oid = c.relnamespace and ${ours} and c.relkind in ('r', 'p')`;
const orgColumn = "(select a.attnum from pg_attribute a where a.attrelid = c.oid and a.attname = 'org_id' and not a.attisdropped)";
const tenantTables = `${tables} and ${orgColumn} is not null`;
const name = "c.oid::regclass::text";

/** Tables without `org_id`: what they hold, and what the tenants' role may do with them. A new one is added here by hand. */
export const globalTables: Readonly<Record<string, { holds: string; tenants: readonly string[] }>> = {
  "platform.migrations": { holds: "which migrations ran", tenants: [] },
  "platform.workflow_executors": { holds: "servers that run workflows", tenants: [] },
  "platform.strangers": { holds: "refused requests of unknown callers, until they are events", tenants: [] },
  "events.head": { holds: "the last position of the log", tenants: [] },
  "events.sealer": { holds: "whether the sealer sleeps", tenants: ["SELECT"] },
  "events.erased": { holds: "how many events went with organizations that are no more", tenants: [] },
  "events.projections": { holds: "how far each projection of the log is, and which build of it is read", tenants: ["SELECT"] },
  "events.subscriptions": { holds: "how far each reader of the log is", tenants: ["SELECT"] },
  "organizations.organizations": { holds: "the organizations themselves; its id is the org_id of all others", tenants: ["SELECT"] },
  "organizations.users": { holds: "people, who may be members of several organizations", tenants: ["SELECT"] },
  "organizations.user_identities": { holds: "whom an issuer means by a subject", tenants: [] },
  "organizations.password_credentials": { holds: "hashes of passwords", tenants: [] },
  "organizations.totp": { holds: "second factors of people", tenants: [] },
  "organizations.recovery_codes": { holds: "second factors of people", tenants: [] },
  "organizations.passkeys": { holds: "second factors of people", tenants: [] },
  "organizations.single_use": { holds: "hashes of challenges, links and tokens that are good once", tenants: [] },
  "organizations.oidc_payloads": { holds: "what the OIDC provider keeps of its sessions and tokens", tenants: [] },
  "organizations.oidc_keys": { holds: "signing keys of the OIDC provider, sealed", tenants: [] },
  "organizations.deletions": { holds: "deletions of organizations, which outlive them", tenants: [] },
  "vulnerabilities.feed_versions": { holds: "advisories for everybody", tenants: ["SELECT"] },
  "vulnerabilities.feeds": { holds: "advisories for everybody", tenants: ["SELECT"] },
  "vulnerabilities.advisories": { holds: "advisories for everybody", tenants: ["SELECT"] },
  "vulnerabilities.advisory_aliases": { holds: "advisories for everybody", tenants: ["SELECT"] },
  "vulnerabilities.affected": { holds: "advisories for everybody", tenants: ["SELECT"] },
  "vulnerabilities.feed_ecosystems": { holds: "advisories for everybody", tenants: ["SELECT"] },
};

export const catalogueRules: readonly CatalogueRule[] = [
  {
    rule: "a table with org_id has row level security, also for its owner",
    why: "without it a forgotten condition shows every tenant's rows",
    query: `select ${name} as what from ${tenantTables} where not (c.relrowsecurity and c.relforcerowsecurity)`,
  },
  {
    rule: "a table with org_id has one policy, on platform.current_org(), for reading and writing",
    why: "a second permissive policy opens what the first closes",
    query: `select ${name} as what from ${tenantTables} where not c.relispartition and (
      (select count(*) from pg_policy p where p.polrelid = c.oid and p.polpermissive) <> 1
      or not exists (select from pg_policy p where p.polrelid = c.oid and p.polpermissive and p.polcmd = '*' and p.polroles = array[0::oid]
        and pg_get_expr(p.polqual, p.polrelid) = '(org_id = platform.current_org())' and pg_get_expr(p.polwithcheck, p.polrelid) = '(org_id = platform.current_org())'))`,
  },
  {
    rule: "org_id is a uuid that is never null",
    why: "a row of no organization is in nobody's export and nobody's erasure",
    query: `select ${name} as what from ${tenantTables} join pg_attribute a on a.attrelid = c.oid and a.attnum = ${orgColumn} where not a.attnotnull or a.atttypid <> 'uuid'::regtype`,
  },
  {
    rule: "org_id is in every primary key and unique index of a table that has it",
    why: "otherwise one tenant learns by a conflict what another one has",
    query: `select i.indexrelid::regclass::text as what from ${tenantTables} join pg_index i on i.indrelid = c.oid where i.indisunique and not ${orgColumn} = any(i.indkey)`,
    except: {
      "organizations.api_keys_prefix": "a key is looked up before its organization is known; its prefix is random",
      "organizations.sessions_pkey": "a session is looked up by the hash of its token before its organization is known",
      "organizations.invitations_hash": "an invitation is looked up by the hash of its link before its organization is known",
      "organizations.sessions_id_key": "a person ends a session of theirs from whatever organization they work in; its id is random",
    },
  },
  {
    rule: "org_id is in every foreign key between tables that have it, on both sides at the same place",
    why: "checks of foreign keys do not see row level security, and accept another tenant's row",
    query: `select k.conrelid::regclass::text || ' ' || k.conname as what from ${tenantTables} join pg_constraint k on k.conrelid = c.oid and k.contype = 'f'
      join pg_attribute f on f.attrelid = k.confrelid and f.attname = 'org_id' and not f.attisdropped
      where array_position(k.conkey, ${orgColumn}) is null or array_position(k.conkey, ${orgColumn}) is distinct from array_position(k.confkey, f.attnum)`,
  },
  {
    rule: "a foreign key to a table without row level security concerns the organization or a person only",
    why: "a tenant's table that refers to a global one lets tenants learn what is there by trying",
    query: `select k.conrelid::regclass::text || ' -> ' || k.confrelid::regclass::text as what from ${tenantTables} join pg_constraint k on k.conrelid = c.oid and k.contype = 'f'
      where not exists (select from pg_attribute f where f.attrelid = k.confrelid and f.attname = 'org_id') and k.confrelid::regclass::text not in ('organizations.organizations', 'organizations.users')`,
  },
  {
    rule: "a view reads with the rights of who asks",
    why: "a plain view reads with those of its owner and shows every tenant's rows",
    query: `select ${name} as what from pg_class c join pg_namespace n on n.oid = c.relnamespace and ${ours} where c.relkind = 'v' and not coalesce('security_invoker=true' = any(c.reloptions), false)`,
  },
  {
    rule: "there are no materialised views",
    why: "row level security does not bind them",
    query: `select ${name} as what from pg_class c join pg_namespace n on n.oid = c.relnamespace and ${ours} where c.relkind = 'm'`,
  },
  {
    rule: "a table without org_id is one of those that are listed",
    why: "what belongs to one organization must not end up in a table for everybody",
    query: `select ${name} as what from ${tables} where ${orgColumn} is null and not c.relispartition and ${name} not in (${Object.keys(globalTables).map((one) => `'${one}'`).join(", ")})`,
  },
  {
    rule: "tenants may do with a table for everybody what its listing says, and never write",
    why: "changing it needs a platform permission, which runs in another role",
    query: `select c.oid::regclass::text || ': ' || p as what from ${tables} cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER']) p
      where ${orgColumn} is null and not c.relispartition
      and (has_table_privilege('qinfra_app', c.oid, p) or (p in ('SELECT', 'INSERT', 'UPDATE', 'REFERENCES') and has_any_column_privilege('qinfra_app', c.oid, p)))
      and not (${Object.entries(globalTables).map(([table, { tenants }]) => `(c.oid::regclass::text = '${table}' and p in (${["''", ...tenants.map((one) => `'${one}'`)].join(", ")}))`).join(" or ")})`,
  },
  {
    rule: "a table without org_id that is about people or organizations has row level security too",
    why: "it says who is whose customer",
    query: `select ${name} as what from ${tables} where n.nspname = 'organizations' and not (c.relrowsecurity and c.relforcerowsecurity)`,
  },
  {
    rule: "tenants never truncate, and make no triggers or references",
    why: "truncate does not see row level security, and a trigger runs as whoever writes",
    query: `select ${name} || ': ' || p as what from ${tables} cross join unnest(array['TRUNCATE', 'REFERENCES', 'TRIGGER']) p where has_table_privilege('qinfra_app', c.oid, p)`,
  },
  {
    rule: "the roles that serve own nothing",
    why: "an owner may switch row level security off",
    query: `select ${name} as what from pg_class c join pg_namespace n on n.oid = c.relnamespace and ${ours} where c.relkind not in ('i', 'I') and c.relowner::regrole::text in ('qinfra_app', 'qinfra_system')
      union all select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace and ${ours} where p.proowner::regrole::text in ('qinfra_app', 'qinfra_system')
      union all select 'schema ' || n.nspname from pg_namespace n where n.nspowner::regrole::text in ('qinfra_app', 'qinfra_system')`,
  },
  {
    rule: "the role that serves tenants cannot pass row level security, nor become a role that can",
    why: "it is the one that outside requests reach",
    query: `select r.rolname || case when r.rolsuper then ' is a superuser' when r.rolbypassrls then ' passes row level security' else ' may make roles or databases' end as what
      from pg_roles r where r.rolname = 'qinfra_app' and (r.rolsuper or r.rolbypassrls or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
      union all select 'qinfra_app is a member of ' || m.roleid::regrole from pg_auth_members m where m.member = 'qinfra_app'::regrole
      union all select 'qinfra_system is more than needed' from pg_roles r where r.rolname = 'qinfra_system' and (r.rolsuper or r.rolcreaterole or r.rolcreatedb or r.rolreplication)
      union all select 'qinfra_owner signs in' from pg_roles r where r.rolname = 'qinfra_owner' and (r.rolcanlogin or r.rolsuper or r.rolbypassrls)`,
  },
  {
    rule: "the roles that serve create nothing in any schema",
    why: "a table or function of theirs could stand before the real one",
    query: `select r || ' in ' || n.nspname as what from pg_namespace n cross join unnest(array['qinfra_app', 'qinfra_system']) r where ${ours} and has_schema_privilege(r, n.oid, 'CREATE')`,
  },
  {
    rule: "a partition has row level security itself, and nobody is granted it by itself",
    why: "who reads a partition directly does not pass the policy of its parent",
    query: `select ${name} as what from ${tables} where c.relispartition and (not (c.relrowsecurity and c.relforcerowsecurity)
      or exists (select from unnest(array['qinfra_app', 'qinfra_system']) r cross join unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) p where has_table_privilege(r, c.oid, p)))`,
  },
  {
    rule: "a function that runs as its owner has a fixed search_path and is not for everybody",
    why: "otherwise its caller decides which tables its words mean",
    query: `select p.oid::regprocedure::text as what from pg_proc p join pg_namespace n on n.oid = p.pronamespace and ${ours}
      where p.prosecdef and (not exists (select from unnest(p.proconfig) s where s like 'search_path=%') or has_function_privilege('public', p.oid, 'execute') or has_function_privilege('qinfra_app', p.oid, 'execute'))`,
  },
  {
    rule: "nothing is granted to everybody",
    why: "who may do what is said by role",
    query: `select ${name} as what from pg_class c join pg_namespace n on n.oid = c.relnamespace and ${ours} where c.relkind in ('r', 'p', 'v', 'S') and exists (select from aclexplode(c.relacl) a where a.grantee = 0)
      union all select 'schema ' || n.nspname from pg_namespace n where ${ours} and n.nspname <> 'public' and exists (select from aclexplode(n.nspacl) a where a.grantee = 0)`,
  },
  {
    rule: "times are timestamptz and texts are text",
    why: "a time without its zone and a text cut off at n are found out too late",
    query: `select ${name} || '.' || a.attname as what from ${tables} join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where a.atttypid in ('timestamp'::regtype, 'varchar'::regtype, 'bpchar'::regtype, 'money'::regtype)`,
  },
  {
    rule: "a foreign key has an index that begins like it",
    why: "otherwise each delete on the other side reads the whole table",
    query: `select k.conrelid::regclass::text || ' ' || k.conname as what from ${tables} join pg_constraint k on k.conrelid = c.oid and k.contype = 'f' where not exists (
      select from pg_index i where i.indrelid = c.oid and (select array_agg(u order by u) from unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) u) = (select array_agg(u order by u) from unnest(k.conkey) u))`,
    except: {
      "organizations.sessions sessions_org_id_fkey": "an organization is never deleted while it has sessions; they are read by person",
      "organizations.api_keys api_keys_created_by_fkey": "people are kept as tombstones; keys are read by organization and maker",
      "inventory.assets assets_org_id_fact_set_id_fkey": "fact sets are shared and are not deleted yet",
      "vulnerabilities.feeds feeds_current_version_id_fkey": "there is one row a feed",
    },
  },
];

/** What is against the rule, exceptions included. */
export async function found(client: pg.ClientBase, rule: CatalogueRule): Promise<string[]> {
  const { rows } = await client.query<{ what: string }>(`select what from (${rule.query}) f order by what collate "C"`);
  return rows.map(({ what }) => what);
}
