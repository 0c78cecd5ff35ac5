-- Which person was a member in which role until when, for as long as it matters to who may approve alone: a second person who was
-- sent away a moment ago still counts. Written by the database itself, whatever ends a membership.

create table organizations.past_memberships (
  org_id uuid not null references organizations.organizations (id) on delete cascade,
  user_id uuid not null references organizations.users (id),
  role text not null,
  until timestamptz not null,
  primary key (org_id, user_id, role)
);
create index past_memberships_user on organizations.past_memberships (user_id);
alter table organizations.past_memberships enable row level security;
alter table organizations.past_memberships force row level security;
create policy tenant on organizations.past_memberships using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on organizations.past_memberships to qinfra_app, qinfra_system;

create function organizations.keep_past_membership() returns trigger language plpgsql as $$
begin
  if tg_op = 'DELETE' then
    -- Nothing is kept of an organization that is being erased.
    if platform.erasure_begun(old.org_id) then
      return null;
    end if;
  end if;
  delete from organizations.past_memberships where org_id = old.org_id and until < now() - interval '60 days';
  insert into organizations.past_memberships (org_id, user_id, role, until)
  select old.org_id, old.user_id, old.role, now() from organizations.users u where u.id = old.user_id and u.kind = 'person'
  on conflict (org_id, user_id, role) do update set until = excluded.until;
  return null;
end $$;

create trigger memberships_ended after delete on organizations.memberships
  for each row execute function organizations.keep_past_membership();
create trigger memberships_changed after update on organizations.memberships
  for each row when (old.role <> new.role) execute function organizations.keep_past_membership();
