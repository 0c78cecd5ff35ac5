-- How the hosts of a site are reached, and which there are.
alter table inventory.sites
  add column ssh_user text,
  add column ssh_port integer not null default 22 check (ssh_port between 1 and 65535),
  -- An envelope of the platform's keys; it is opened for a scan and never answered.
  add column private_key text,
  -- `SHA256:...`, as ssh-keygen -l shows it.
  add column key_fingerprint text,
  add column known_hosts text not null default '',
  add column trust_on_first_use boolean not null default false,
  add constraint sites_key check ((private_key is null) = (key_fingerprint is null));

create table inventory.site_hosts (
  org_id uuid not null,
  id uuid not null,
  site_id uuid not null,
  -- Also the name of its asset.
  name text not null,
  address text not null,
  ssh_port integer check (ssh_port between 1 and 65535),
  -- Type and key as known_hosts(5) has them, a line each; null where the site's known_hosts says it, or nothing yet.
  host_key text,
  asset_id uuid,
  -- The run that tried it last, and when; without a failure it was recorded then.
  run_id uuid,
  tried_at timestamptz,
  failure_code text,
  failure text,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name),
  foreign key (org_id, site_id) references inventory.sites (org_id, id) on delete cascade,
  foreign key (org_id, asset_id) references inventory.assets (org_id, id) on delete set null (asset_id),
  check ((failure_code is null) = (failure is null)),
  check ((run_id is null) = (tried_at is null))
);
create index site_hosts_site on inventory.site_hosts (org_id, site_id, name);
create index site_hosts_asset on inventory.site_hosts (org_id, asset_id);

-- A site that is deleted lets go of its assets.
create index assets_site on inventory.assets (org_id, site_id);

alter table inventory.site_hosts enable row level security;
alter table inventory.site_hosts force row level security;
create policy tenant on inventory.site_hosts using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on inventory.site_hosts to qinfra_app;
-- Moves envelopes to another key.
grant select on inventory.sites to qinfra_system;
