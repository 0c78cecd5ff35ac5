-- Events that are older than the log is kept lie in the blobs: files of gzip JSON lines, encrypted under the data key of
-- their organization. From `retired_at` on they are no longer in events.log and readers take them from there.
create table events.exports (
  org_id uuid not null,
  -- `log_YYYYMM`, and `log_default_YYYYMM` for those of a month that the default partition holds.
  partition text not null,
  part integer not null check (part > 0),
  -- Of the blob.
  name text not null,
  events bigint not null check (events > 0),
  first_seq bigint not null,
  last_seq bigint not null,
  first_position bigint not null,
  last_position bigint not null,
  first_time timestamptz not null,
  last_time timestamptz not null,
  -- Chain hash of the last event, and SHA-256 of the file before it was encrypted.
  chain_hash bytea not null,
  sha256 bytea not null,
  bytes bigint not null,
  exported_at timestamptz not null,
  retired_at timestamptz,
  primary key (org_id, partition, part)
);
create index exports_seq on events.exports (org_id, last_seq) where retired_at is not null;
alter table events.exports enable row level security;
alter table events.exports force row level security;
create policy tenant on events.exports using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select on events.exports to qinfra_app;
grant select, insert, update, delete on events.exports to qinfra_system;

-- When a reader last began or moved: one that is gone for good does not keep partitions for ever.
alter table events.subscriptions add column seen_at timestamptz not null default now();

-- For the old rows of the default partition, which cannot be dropped with it.
grant delete on events.log to qinfra_system;

-- Takes a partition out of the log. Waits for writers at most two seconds, since others queue behind it.
create function events.detach_partition(p_name text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
begin
  if p_name !~ '^log_[0-9]{6}$' then
    raise exception '% is not the name of a monthly partition', p_name;
  end if;
  execute format('alter table events.log detach partition events.%I', p_name);
end $$;

-- Drops a partition that is out of the log, if it holds what was exported of these organizations. Nobody can write to it
-- any more; an organization that is not named was deleted since.
create function events.drop_detached(p_name text, p_orgs uuid[], p_events bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  held bigint;
begin
  if p_name !~ '^log_[0-9]{6}$' or exists (select from pg_inherits where inhrelid = to_regclass(format('events.%I', p_name))) then
    raise exception '% is not a monthly partition that is out of the log', p_name;
  end if;
  execute format('alter table events.%I no force row level security', p_name);
  execute format('select count(*) from events.%I where org_id = any($1)', p_name) into held using p_orgs;
  if held <> p_events then
    raise exception '% holds % events, of which % were exported', p_name, held, p_events using errcode = 'QE411';
  end if;
  execute format('drop table events.%I', p_name);
end $$;

revoke execute on function events.detach_partition, events.drop_detached from public;
grant execute on function events.detach_partition, events.drop_detached to qinfra_system;
