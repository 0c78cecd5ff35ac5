-- Module inventory: where things run.
create schema inventory;
grant usage on schema inventory to qinfra_app, qinfra_system;

create table inventory.sites (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name)
);

-- Content-addressed: ten thousand equal nodes share one row.
create table inventory.fact_sets (
  org_id uuid not null,
  id uuid not null,
  digest bytea not null,
  facts jsonb not null,
  primary key (org_id, id),
  unique (org_id, digest)
);

create table inventory.assets (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null check (kind in ('host', 'container', 'virtual-machine', 'other')),
  site_id uuid,
  criticality text not null check (criticality in ('low', 'medium', 'high', 'critical', 'unknown')),
  exposure text not null check (exposure in ('internet', 'internal', 'isolated', 'unknown')),
  os_id text,
  os_version text,
  os_name text,
  source text not null check (source in ('local', 'ssh', 'import')),
  component_set_id uuid,
  fact_set_id uuid,
  scanned_at timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name),
  foreign key (org_id, site_id) references inventory.sites (org_id, id),
  foreign key (org_id, fact_set_id) references inventory.fact_sets (org_id, id)
);
create index assets_component_set on inventory.assets (org_id, component_set_id);

-- Tags live in a side table: operators on jsonb are not leakproof and would ignore their index under RLS.
create table inventory.asset_tags (
  org_id uuid not null,
  asset_id uuid not null,
  key text not null,
  value text not null,
  primary key (org_id, asset_id, key),
  foreign key (org_id, asset_id) references inventory.assets (org_id, id) on delete cascade
);
create index asset_tags_value on inventory.asset_tags (org_id, key, value);

do $$
declare t text;
begin
  foreach t in array array['sites', 'fact_sets', 'assets', 'asset_tags'] loop
    execute format('alter table inventory.%I enable row level security', t);
    execute format('alter table inventory.%I force row level security', t);
    execute format('create policy tenant on inventory.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', t);
    execute format('grant select, insert, update, delete on inventory.%I to qinfra_app', t);
  end loop;
end $$;

create view inventory.api_assets with (security_invoker = true) as
  select org_id, id, name, kind, criticality, exposure, os_id, os_version, component_set_id, scanned_at from inventory.assets;
grant select on inventory.api_assets to qinfra_app, qinfra_system;
grant select on inventory.assets to qinfra_system;
