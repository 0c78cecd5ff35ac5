-- The end of an organization, table by table, and of a person in the event log.

-- The functions below run as the owner, whom forced row level security binds as well: this is all that it may see here.
create policy erasure on organizations.deletions for select to qinfra_owner using (true);

-- Whether the erasure of the organization has begun: from then on nothing is made for it any more.
create function platform.erasure_begun(p_org uuid) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
  select exists (select from organizations.deletions d where d.organization = p_org and d.state in ('erasing', 'done'))
$$;

-- Removes at most `p_limit` of the organization's rows from the table and answers how many. A partition takes part as
-- itself, because a row's place says nothing outside of it. QE411: the organization is not being erased. QE412: no table
-- of organizations.
create function platform.erase_rows(p_org uuid, p_table regclass, p_limit integer) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
  part oid;
  removed bigint;
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
  execute format('delete from %1$s where tableoid = $2 and org_id = $1
    and ctid = any (array(select ctid from %1$s where tableoid = $2 and org_id = $1 limit $3))', p_table) using p_org, part, p_limit;
  get diagnostics removed = row_count;
  return removed;
end $$;

revoke execute on function platform.erasure_begun, platform.erase_rows from public;
grant execute on function platform.erasure_begun, platform.erase_rows to qinfra_system;

-- Erasing a person concerns every organization.
grant delete on events.subject_keys, events.private to qinfra_system;
