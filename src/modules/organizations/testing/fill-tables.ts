import type pg from "pg";

interface Column {
  name: string;
  type: string;
  /** The words that a check allows, where it lists them. */
  words: string[] | null;
}

interface Key {
  columns: string[];
  table: string;
  refers: string[];
}

interface Table {
  name: string;
  columns: Column[];
  keys: Key[];
}

const catalogue = (which: string): string => `
  select c.oid::regclass::text as name,
    (select json_agg(json_build_object('name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'words', (
        select array(select m[1] from regexp_matches(pg_get_constraintdef(k.oid), '''([^'']+)''::text', 'g') m)
        from pg_constraint k where k.conrelid = c.oid and k.contype = 'c' and k.conkey = array[a.attnum] and pg_get_constraintdef(k.oid) like '%ANY%' limit 1)) order by a.attnum)
      from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attnotnull and not a.atthasdef and a.attidentity = '') as columns,
    coalesce((select json_agg(json_build_object('table', k.confrelid::regclass::text,
        'columns', (select array_agg(f.attname order by u.n) from unnest(k.conkey) with ordinality u(num, n) join pg_attribute f on f.attrelid = k.conrelid and f.attnum = u.num),
        'refers', (select array_agg(f.attname order by u.n) from unnest(k.confkey) with ordinality u(num, n) join pg_attribute f on f.attrelid = k.confrelid and f.attnum = u.num)))
      from pg_constraint k where k.conrelid = c.oid and k.contype = 'f'), '[]') as keys
  from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and ${which} order by 1`;
const ofOrganizations = catalogue("exists (select from pg_attribute o where o.attrelid = c.oid and o.attname = 'org_id' and not o.attisdropped)");
const aboutPeople = catalogue("exists (select from pg_constraint k where k.conrelid = c.oid and k.confrelid = 'organizations.users'::regclass)");

/** How many rows of the organization each table has that has `org_id`, found from the catalogue alone. */
export async function rowsOf(superuser: pg.Client, orgId: string): Promise<Record<string, number>> {
  const { rows: tables } = await superuser.query<Table>(ofOrganizations);
  const counts: Record<string, number> = {};
  for (const { name } of tables) {
    const { rows } = await superuser.query<{ count: number }>(`select count(*)::int as count from ${name} where org_id = $1`, [orgId]);
    counts[name] = rows[0]?.count ?? 0;
  }
  return counts;
}

/** Puts `each` rows of the organization into every table that has `org_id`; what they refer to is made first. */
export async function fillTables(superuser: pg.Client, orgId: string, each: number, except: readonly string[]): Promise<void> {
  const { rows: tables } = await superuser.query<Table>(ofOrganizations);
  const done = new Set<string>();
  for (let left = tables; left.length > 0; left = left.filter(({ name }) => !done.has(name))) {
    const ready = left.filter(({ name, keys }) => keys.every((key) => key.table === name || !left.some((other) => other.name === key.table)));
    if (ready.length === 0) throw new Error(`tables refer to each other in a ring: ${left.map(({ name }) => name).join(", ")}`);
    for (const table of ready) {
      for (let i = 0; i < each && !except.includes(table.name); i += 1) await insertRow(superuser, table, orgId);
      done.add(table.name);
    }
  }
}

/**
 * Puts a row that names the person into every table that refers to people, for each column by which it does; the names of
 * the columns, as `schema.table.column`.
 */
export async function fillPerson(superuser: pg.Client, orgId: string, userId: string): Promise<string[]> {
  const { rows: tables } = await superuser.query<Table>(aboutPeople);
  const columns = tables.flatMap((table) => table.keys.filter((key) => key.table === "organizations.users").flatMap((key) => key.columns.map((column) => ({ table, column }))));
  for (const { table, column } of columns) await insertRow(superuser, table, orgId, new Map([[column, `'${userId}'`]]));
  return columns.map(({ table, column }) => `${table.name}.${column}`);
}

/** The condition that keeps a reference within the organization; a person of another one may be erased with that. */
function rowsThatFit(key: Key, table: Table, orgId: string): string {
  if (key.refers.includes("org_id")) return ` where org_id = '${orgId}'`;
  if (key.table === "organizations.organizations") return ` where id = '${orgId}'`;
  const newMember = table.name === "organizations.memberships";
  return key.table === "organizations.users" && !newMember ? ` where id in (select user_id from organizations.memberships where org_id = '${orgId}')` : "";
}

async function insertRow(superuser: pg.Client, table: Table, orgId: string, given: ReadonlyMap<string, string> = new Map()): Promise<void> {
  const values = new Map<string, string>(table.columns.map((column) => [column.name, valueOf(column)]));
  if (values.has("org_id")) values.set("org_id", `'${orgId}'`);
  for (const key of table.keys) {
    if (!key.columns.every((column) => values.has(column))) continue; // may be null
    const within = rowsThatFit(key, table, orgId);
    for (const [i, column] of key.columns.entries()) {
      if (column !== "org_id") values.set(column, `(select ${key.refers[i]} from ${key.table}${within} order by random() limit 1)`);
    }
  }
  for (const [column, value] of given) values.set(column, value);
  const text = `insert into ${table.name} (${[...values.keys()].join(", ")}) select ${[...values.values()].join(", ")} on conflict do nothing`;
  await superuser.query(text).catch((error: Error) => {
    throw new Error(`${table.name} could not be filled: ${error.message}\n${text}`);
  });
}

function valueOf({ type, words }: Column): string {
  const word = words?.[0];
  if (word !== undefined) return `'${word}'`;
  if (type.endsWith("[]")) return `'{}'::${type}`;
  if (type === "uuid") return "gen_random_uuid()";
  if (type === "text") return "md5(random()::text)";
  if (type === "bytea") return "sha256(random()::text::bytea)";
  if (type === "boolean") return "false";
  if (type === "date") return "current_date + (random() * 1000)::int";
  if (/^(integer|bigint|smallint|numeric)/.test(type)) return "1 + (random() * 100000)::int";
  if (type.startsWith("timestamp")) return "now()";
  if (/^jsonb?$/.test(type)) return "'{}'";
  throw new Error(`no value is known for ${type}; add one to fill-tables.ts`);
}
