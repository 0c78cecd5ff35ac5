-- Module vulnerabilities. Feeds and advisories are for everybody: tables without org_id, which tenants may only read.
create schema vulnerabilities;
grant usage on schema vulnerabilities to qinfra_app, qinfra_system;

create table vulnerabilities.feed_versions (
  id uuid primary key,
  feed text not null,
  state text not null check (state in ('staging', 'current', 'retired')),
  digest text,
  newest timestamptz,
  records integer not null default 0,
  -- Advisory lock of the server that stages it; a staging version whose lock nobody holds was left by a crash.
  instance integer not null,
  created_at timestamptz not null,
  retired_at timestamptz
);
create index feed_versions_feed on vulnerabilities.feed_versions (feed, state);

-- The one pointer that makes a version current.
create table vulnerabilities.feeds (
  name text primary key,
  current_version_id uuid not null references vulnerabilities.feed_versions (id),
  updated_at timestamptz not null
);

create table vulnerabilities.advisories (
  feed_version_id uuid not null references vulnerabilities.feed_versions (id) on delete cascade,
  id text not null,
  aliases text[] not null,
  summary text,
  severity text not null,
  vector text,
  published timestamptz,
  modified timestamptz,
  primary key (feed_version_id, id)
);

create table vulnerabilities.advisory_aliases (
  feed_version_id uuid not null references vulnerabilities.feed_versions (id) on delete cascade,
  alias text not null,
  advisory_id text not null,
  primary key (feed_version_id, alias, advisory_id)
);

create table vulnerabilities.affected (
  feed_version_id uuid not null references vulnerabilities.feed_versions (id) on delete cascade,
  ecosystem text not null,
  -- The form under which names are compared: what the ecosystem itself holds equal.
  package_key text not null,
  package text not null,
  advisory_id text not null,
  -- {ranges, versions, severity?, vector?} as src/modules/vulnerabilities/domain/advisory.ts describes them.
  entry jsonb not null
);
create index affected_package on vulnerabilities.affected (feed_version_id, ecosystem, package_key);

-- Which ecosystems (with release) a version holds: what is not here cannot be matched.
create table vulnerabilities.feed_ecosystems (
  feed_version_id uuid not null references vulnerabilities.feed_versions (id) on delete cascade,
  ecosystem text not null,
  primary key (feed_version_id, ecosystem)
);

grant select on vulnerabilities.feed_versions, vulnerabilities.feeds, vulnerabilities.advisories,
  vulnerabilities.advisory_aliases, vulnerabilities.affected, vulnerabilities.feed_ecosystems to qinfra_app;
grant select, insert, update, delete on vulnerabilities.feed_versions, vulnerabilities.feeds, vulnerabilities.advisories,
  vulnerabilities.advisory_aliases, vulnerabilities.affected, vulnerabilities.feed_ecosystems to qinfra_system;

-- The result of matching one component set, once, however many images and assets have it.
create table vulnerabilities.matches (
  org_id uuid not null,
  component_set_id uuid not null,
  database_digest text not null,
  database_newest timestamptz,
  -- json, not jsonb: they are answered as they were written, keys in order.
  summary json not null,
  could_not_match json not null,
  matched_at timestamptz not null,
  primary key (org_id, component_set_id)
);

create table vulnerabilities.findings (
  org_id uuid not null,
  component_set_id uuid not null,
  advisory_id text not null,
  source text not null,
  source_version text not null,
  matched_by text not null check (matched_by in ('source', 'signed-source', 'package')),
  ecosystem text not null,
  matched_source text,
  matched_version text,
  fixed_version text,
  aliases text[] not null,
  severity text not null,
  vector text,
  summary text,
  packages json not null,
  primary key (org_id, component_set_id, advisory_id, ecosystem, source, source_version, matched_by),
  foreign key (org_id, component_set_id) references vulnerabilities.matches (org_id, component_set_id) on delete cascade
);
create index findings_advisory on vulnerabilities.findings (org_id, advisory_id);

do $$
declare t text;
begin
  foreach t in array array['matches', 'findings'] loop
    execute format('alter table vulnerabilities.%I enable row level security', t);
    execute format('alter table vulnerabilities.%I force row level security', t);
    execute format('create policy tenant on vulnerabilities.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', t);
    execute format('grant select, insert, update, delete on vulnerabilities.%I to qinfra_app', t);
    execute format('grant select, delete on vulnerabilities.%I to qinfra_system', t);
  end loop;
end $$;
