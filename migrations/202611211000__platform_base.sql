-- The platform's own tables. Each migration grants by name: qinfra_app serves tenants under row level security,
-- qinfra_system serves what comes before or across tenants.

grant usage on schema platform to qinfra_app, qinfra_system;
revoke all on schema public from public;

-- The organization of the current transaction; null outside one, so that every policy then refuses.
create function platform.current_org() returns uuid
  language sql stable parallel safe
  return nullif(current_setting('app.org_id', true), '')::uuid;
grant execute on function platform.current_org() to qinfra_app, qinfra_system;

grant select on platform.migrations to qinfra_system;

-- Answers of changes, so that a repeated request is answered and not run again.
create table platform.idempotency_keys (
  org_id uuid not null,
  actor_id text not null,
  operation text not null,
  key text not null,
  input_hash bytea not null,
  response jsonb,
  created_at timestamptz not null,
  primary key (org_id, actor_id, operation, key)
);
create index idempotency_keys_age on platform.idempotency_keys (created_at);
alter table platform.idempotency_keys enable row level security;
alter table platform.idempotency_keys force row level security;
create policy tenant on platform.idempotency_keys using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update on platform.idempotency_keys to qinfra_app;
grant select, insert, update, delete on platform.idempotency_keys to qinfra_system;
