-- What of an organization lies in the blob store, so that the same bytes count once, and the right number comes back
-- when a named object is replaced. Sizes are of the plain bytes.
create table platform.stored (
  org_id uuid not null,
  kind text not null check (kind in ('blob', 'object')),
  name text not null,
  size bigint not null check (size >= 0),
  primary key (org_id, kind, name)
);
alter table platform.stored enable row level security;
alter table platform.stored force row level security;
create policy tenant on platform.stored using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.stored to qinfra_system;
