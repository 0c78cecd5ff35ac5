-- Projections: folds of the log into tables of modules, whose rows carry the number of their build. One build of a
-- projection is active, which is what readers see; another may be under way beside it. A build's row is written in the
-- transaction of its effect. Numbers are never given twice, so the rows stay.
create table events.projections (
  name text not null,
  build integer not null check (build > 0),
  -- Of the code that makes it; 0 until a server has taken it up.
  version integer not null check (version >= 0),
  state text not null check (state in ('building', 'active', 'removing', 'removed')),
  reason text not null check (reason in ('first', 'version', 'asked')),
  position bigint not null,
  -- Events that it was made of.
  applied bigint not null default 0,
  started_at timestamptz not null,
  moved_at timestamptz not null,
  active_at timestamptz,
  ended_at timestamptz,
  -- Whether it was found to be the same as the build before; null where that could not be compared.
  matches boolean,
  problem text,
  primary key (name, build)
);
create unique index projections_active on events.projections (name) where state = 'active';
create unique index projections_building on events.projections (name) where state = 'building';
grant select on events.projections to qinfra_app;
grant select, insert, update on events.projections to qinfra_system;

-- For rebuilds, which read by position what lies in files.
create index exports_position on events.exports (last_position) where retired_at is not null;

-- Removes rows of a build, at most so many; answers how many.
create function events.remove_build(p_table regclass, p_build integer, p_limit integer) returns bigint language plpgsql as $$
declare
  removed bigint;
begin
  execute format('delete from %1$s where build = $1 and ctid = any (array(select ctid from %1$s where build = $1 limit $2))', p_table) using p_build, p_limit;
  get diagnostics removed = row_count;
  return removed;
end $$;

-- How many rows a build has, and a sum over their hashes, whatever their order.
create function events.build_digest(p_table regclass, p_build integer, out held bigint, out digest text) language plpgsql stable as $$
begin
  execute format('select count(*), coalesce(sum((''x'' || left(md5((to_jsonb(t) - ''build'')::text), 15))::bit(60)::bigint), 0)::text from %s t where build = $1', p_table)
    into held, digest using p_build;
end $$;

revoke execute on function events.remove_build, events.build_digest from public;
grant execute on function events.remove_build, events.build_digest to qinfra_system;
