-- Positions of events that went with their organization, so that the log as a whole can still be counted. No org_id: it
-- is what is known of an organization that is none any more.
create table events.erased (
  organization uuid primary key,
  events bigint not null,
  last_position bigint not null
);
alter table events.erased enable row level security;
alter table events.erased force row level security;
create policy erasure on events.erased to qinfra_owner using (true) with check (true);
grant select on events.erased to qinfra_system;

-- As before, and counts what had a position.
create or replace function platform.erase_rows(p_org uuid, p_table regclass, p_limit integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part oid;
  removed bigint;
  placed bigint := 0;
  last bigint;
begin
  if not platform.erasure_begun(p_org) then
    raise exception 'organization % is not being erased', p_org using errcode = 'QE411';
  end if;
  if not exists (
    select from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.oid = p_table and c.relkind in ('r', 'p') and a.attname = 'org_id' and a.atttypid = 'uuid'::regtype and not a.attisdropped
  ) then
    raise exception '% holds no rows of organizations', p_table using errcode = 'QE412';
  end if;
  perform set_config('app.org_id', p_org::text, true);
  execute format('select tableoid from %s where org_id = $1 limit 1', p_table) into part using p_org;
  if part is null then
    return 0;
  end if;
  if p_table = 'events.log'::regclass then
    with gone as (
      delete from events.log where tableoid = part and org_id = p_org
        and ctid = any (array(select ctid from events.log where tableoid = part and org_id = p_org limit p_limit))
      returning position
    ) select count(*), count(position), max(position) into removed, placed, last from gone;
  elsif p_table = to_regclass('events.exports') then
    -- Of events that are in the files alone; the others are counted where they are removed from the log.
    with gone as (
      delete from events.exports where org_id = p_org and ctid = any (array(select ctid from events.exports where org_id = p_org limit p_limit))
      returning events, last_position, retired_at
    ) select count(*), coalesce(sum(events) filter (where retired_at is not null), 0), max(last_position) filter (where retired_at is not null)
      into removed, placed, last from gone;
  else
    execute format('delete from %1$s where tableoid = $2 and org_id = $1
      and ctid = any (array(select ctid from %1$s where tableoid = $2 and org_id = $1 limit $3))', p_table) using p_org, part, p_limit;
    get diagnostics removed = row_count;
  end if;
  if placed > 0 then
    insert into events.erased as e (organization, events, last_position) values (p_org, placed, last)
    on conflict (organization) do update set events = e.events + excluded.events, last_position = greatest(e.last_position, excluded.last_position);
  end if;
  return removed;
end $$;
