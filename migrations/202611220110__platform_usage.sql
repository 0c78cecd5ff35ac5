-- What is used of each quota, counted in the transaction that uses it. `period` is the UTC day for what is counted by
-- day, and empty for what is there.
create table platform.usage (
  org_id uuid not null,
  resource text not null,
  period text not null default '',
  used bigint not null,
  primary key (org_id, resource, period)
);
alter table platform.usage enable row level security;
alter table platform.usage force row level security;
create policy tenant on platform.usage using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update on platform.usage to qinfra_app;
grant select, insert, update, delete on platform.usage to qinfra_system;
