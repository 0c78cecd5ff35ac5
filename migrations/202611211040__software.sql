-- Module software: the dictionary of packages and the content-addressed component sets over it.
create schema software;
grant usage on schema software to qinfra_app, qinfra_system;

-- One row for each distinct component of an organization; `key` is its purl, or name@version where it has none.
create table software.packages (
  org_id uuid not null,
  id bigint generated always as identity,
  key text not null,
  name text not null,
  version text,
  purl text,
  primary key (org_id, id),
  unique (org_id, key)
);

-- Immutable. `digest` is the SHA-256 of the sorted keys; near-identical images share nearly all of their packages.
create table software.component_sets (
  org_id uuid not null,
  id uuid not null,
  digest bytea not null,
  size integer not null,
  packages bigint[] not null,
  created_at timestamptz not null,
  touched_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, digest)
);

alter table software.packages enable row level security;
alter table software.packages force row level security;
create policy tenant on software.packages using (org_id = platform.current_org()) with check (org_id = platform.current_org());
alter table software.component_sets enable row level security;
alter table software.component_sets force row level security;
create policy tenant on software.component_sets using (org_id = platform.current_org()) with check (org_id = platform.current_org());

-- Published: the components of a set.
create view software.api_components with (security_invoker = true) as
  select s.org_id, s.id as component_set_id, p.id as package_id, p.name, p.version, p.purl
  from software.component_sets s
  cross join lateral unnest(s.packages) as u(package_id)
  join software.packages p on p.org_id = s.org_id and p.id = u.package_id;
create view software.api_component_sets with (security_invoker = true) as
  select org_id, id, encode(digest, 'hex') as digest, size, created_at from software.component_sets;

grant select, insert, update on software.packages, software.component_sets to qinfra_app;
grant select on software.api_components, software.api_component_sets to qinfra_app, qinfra_system;
grant select, delete on software.packages, software.component_sets to qinfra_system;
