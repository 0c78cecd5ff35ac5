import type pg from "pg";

/**
 * The schema as text, for a golden that is compared in CI: schemas, functions, tables with columns, constraints, indexes,
 * policies and grants, views. Sorted by name, so that the same schema always gives the same text. Partitions by month,
 * which the server makes as time goes by, are left out, and so is what holds for everything: that `qinfra_owner` owns it.
 */
export async function dumpSchema(client: pg.ClientBase): Promise<string> {
  await client.query("set search_path = ''"); // so that names are written whole
  try {
    const schemas = await rows<{ nspname: string; grants: string[] }>(client, schemasQuery);
    const parts: string[] = [];
    for (const { nspname, grants } of schemas) {
      parts.push(lines([`create schema ${nspname};`, ...grants.map((grant) => `grant ${grant};`)]));
      for (const { text } of await rows<{ text: string }>(client, functionsQuery, [nspname])) parts.push(text);
      for (const table of await rows<Table>(client, tablesQuery, [nspname])) parts.push(tableText(table));
      for (const view of await rows<View>(client, viewsQuery, [nspname])) parts.push(viewText(view));
    }
    return `${parts.join("\n\n")}\n`;
  } finally {
    await client.query("reset search_path");
  }
}

interface Table {
  name: string;
  owner: string;
  partition_of: string | null;
  partition_key: string | null;
  options: string | null;
  columns: string[];
  constraints: string[];
  indexes: string[];
  rls: boolean;
  forced: boolean;
  policies: string[];
  triggers: string[];
  grants: string[];
}

function tableText(table: Table): string {
  const body = [...table.columns, ...table.constraints].map((line) => `  ${line}`).join(",\n");
  const head = table.partition_of === null ? `create table ${table.name} (\n${body}\n)` : `create table ${table.name} partition of ${table.partition_of}`;
  return lines([
    `${head}${table.partition_key === null ? "" : ` partition by ${table.partition_key}`}${table.options === null ? "" : ` with (${table.options})`};`,
    ...(table.owner === "qinfra_owner" ? [] : [`alter table ${table.name} owner to ${table.owner};`]),
    ...table.indexes.map((index) => `${index};`),
    ...table.triggers.map((trigger) => `${trigger};`),
    ...(table.rls ? [`alter table ${table.name} enable row level security;`] : []),
    ...(table.forced ? [`alter table ${table.name} force row level security;`] : []),
    ...table.policies.map((policy) => `${policy};`),
    ...table.grants.map((grant) => `grant ${grant};`),
  ]);
}

interface View {
  name: string;
  kind: "view" | "materialized view";
  options: string | null;
  definition: string;
  grants: string[];
}

function viewText({ name, kind, options, definition, grants }: View): string {
  return lines([`create ${kind} ${name}${options === null ? "" : ` with (${options})`} as\n${definition.replace(/;\s*$/, "")};`, ...grants.map((grant) => `grant ${grant};`)]);
}

function lines(all: readonly string[]): string {
  return all.join("\n");
}

async function rows<Row>(client: pg.ClientBase, text: string, values: unknown[] = []): Promise<Row[]> {
  return (await client.query(text, values)).rows as Row[];
}

// `dbos` is the workflow engine's own, which its library makes.
const ours = "n.nspname not like 'pg\\_%' and n.nspname not in ('information_schema', 'public', 'dbos')";

/** `select on t to role`; what the owner may do is left out. */
const grantsOf = (acl: string, kind: string, object: string) => `
  array(select lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)) || ' on ${kind}' || ${object} || ' to ' || coalesce(nullif(a.grantee::regrole::text, '-'), 'public')
    from aclexplode(${acl}) a where a.grantee::regrole::text <> 'qinfra_owner'
    group by a.grantee order by coalesce(nullif(a.grantee::regrole::text, '-'), 'public') collate "C")`;

const schemasQuery = `
  select n.nspname, ${grantsOf("n.nspacl", "schema ", "n.nspname")} as grants
  from pg_catalog.pg_namespace n where ${ours} order by n.nspname collate "C"`;

const functionsQuery = `
  select rtrim(pg_catalog.pg_get_functiondef(p.oid)) || ';' || array_to_string(array(
      select E'\\n' || 'grant ' || g || ';' from unnest(
        ${grantsOf("coalesce(p.proacl, acldefault('f', p.proowner))", "function ", "p.oid::regprocedure::text")}) g), '') as text
  from pg_catalog.pg_proc p join pg_catalog.pg_namespace n on n.oid = p.pronamespace
  where n.nspname = $1 and p.prokind in ('f', 'p') order by p.oid::regprocedure::text collate "C"`;

const tablesQuery = `
  select c.oid::regclass::text as name, c.relowner::regrole::text as owner,
    (select i.inhparent::regclass::text || ' ' || pg_catalog.pg_get_expr(c.relpartbound, c.oid) from pg_catalog.pg_inherits i where i.inhrelid = c.oid) as partition_of,
    pg_catalog.pg_get_partkeydef(c.oid) as partition_key, array_to_string(c.reloptions, ', ') as options,
    array(select a.attname || ' ' || pg_catalog.format_type(a.atttypid, a.atttypmod)
        || case when a.attcollation <> t.typcollation then ' collate ' || a.attcollation::regcollation::text else '' end
        || case when a.attnotnull then ' not null' else '' end
        || case a.attidentity when 'a' then ' generated always as identity' when 'd' then ' generated by default as identity' else '' end
        || coalesce(case a.attgenerated when '' then ' default ' else ' generated always as stored ' end || pg_catalog.pg_get_expr(d.adbin, d.adrelid), '')
      from pg_catalog.pg_attribute a join pg_catalog.pg_type t on t.oid = a.atttypid
      left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
      where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped order by a.attnum) as columns,
    array(select 'constraint ' || k.conname || ' ' || pg_catalog.pg_get_constraintdef(k.oid) from pg_catalog.pg_constraint k
      where k.conrelid = c.oid and k.contype in ('p', 'u', 'f', 'c', 'x') order by array_position(array['p', 'u', 'f', 'c', 'x'], k.contype::text), k.conname collate "C") as constraints,
    array(select pg_catalog.pg_get_indexdef(i.indexrelid) from pg_catalog.pg_index i join pg_catalog.pg_class ic on ic.oid = i.indexrelid
      where i.indrelid = c.oid and not ic.relispartition and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x'))
      order by ic.relname collate "C") as indexes,
    array(select pg_catalog.pg_get_triggerdef(g.oid) from pg_catalog.pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal order by g.tgname collate "C") as triggers,
    c.relrowsecurity as rls, c.relforcerowsecurity as forced,
    array(select 'create policy ' || p.polname || ' on ' || c.oid::regclass::text || case when p.polpermissive then '' else ' as restrictive' end
        || ' for ' || case p.polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update' when 'd' then 'delete' else 'all' end
        || ' to ' || (select string_agg(case r when 0 then 'public' else r::regrole::text end, ', ' order by r) from unnest(p.polroles) r)
        || coalesce(' using (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', '') || coalesce(' with check (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', '')
      from pg_catalog.pg_policy p where p.polrelid = c.oid order by p.polname collate "C") as policies,
    ${grantsOf("c.relacl", "", "c.oid::regclass::text")} || array(
      select lower(a.privilege_type) || ' (' || string_agg(t.attname, ', ' order by t.attnum) || ') on ' || c.oid::regclass::text || ' to ' || coalesce(nullif(a.grantee::regrole::text, '-'), 'public')
      from pg_catalog.pg_attribute t cross join lateral aclexplode(t.attacl) a where t.attrelid = c.oid and t.attnum > 0
      group by a.privilege_type, a.grantee order by a.privilege_type collate "C", a.grantee::regrole::text collate "C") as grants
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('r', 'p') and not (c.relispartition and c.relname ~ '_[0-9]{6}$')
  order by c.relname collate "C"`;

const viewsQuery = `
  select c.oid::regclass::text as name, case c.relkind when 'v' then 'view' else 'materialized view' end as kind,
    array_to_string(c.reloptions, ', ') as options, pg_catalog.pg_get_viewdef(c.oid) as definition, ${grantsOf("c.relacl", "", "c.oid::regclass::text")} as grants
  from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
  where n.nspname = $1 and c.relkind in ('v', 'm') order by c.relname collate "C"`;
