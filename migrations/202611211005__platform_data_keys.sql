-- The data keys of organizations, wrapped by the platform's key: blobs are encrypted under them, and destroying an
-- organization's keys destroys what they encrypted. Only the server itself reads them, never a tenant's transaction.
create table platform.data_keys (
  org_id uuid not null,
  id text not null,
  wrapped text not null,
  created_at timestamptz not null,
  primary key (org_id, id)
);
alter table platform.data_keys enable row level security;
alter table platform.data_keys force row level security;
create policy tenant on platform.data_keys using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.data_keys to qinfra_system;
