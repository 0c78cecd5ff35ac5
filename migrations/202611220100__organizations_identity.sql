-- Module organizations: second factors, external issuers, the embedded OIDC provider, invitations, service accounts,
-- settings with history, quotas, and the end of an organization.

alter table organizations.users
  add column kind text not null default 'person' check (kind in ('person', 'service')),
  add column erased_at timestamptz;

-- Set from the request to delete it until it is gone. In between everything of the organization is refused.
alter table organizations.organizations
  add column closed_at timestamptz,
  add column due_at timestamptz,
  add constraint organizations_closed check ((closed_at is null) = (due_at is null));

-- `issuer`: the membership comes from the claims of that issuer's tokens. `claimed_at`: when the newest of them was
-- issued, so that an older token never brings back what a newer one took.
alter table organizations.memberships
  add column issuer text,
  add column claimed_at timestamptz,
  add constraint memberships_issuer check ((issuer is null) = (claimed_at is null));

-- `confirmed_at`: when the person last gave a second factor in this session, for what asks for it anew.
alter table organizations.sessions
  add column issuer text not null default 'local',
  add column second_factor boolean not null default false,
  add column confirmed_at timestamptz;

-- A key of a service account acts with that account's membership and outlives who made it.
alter table organizations.api_keys add column acts_as uuid references organizations.users (id);
create index api_keys_acts_as on organizations.api_keys (acts_as) where acts_as is not null;
grant select (acts_as) on organizations.api_keys to qinfra_app;

-- RFC 6238. `secret` is an envelope. `last_step` is the time step of the last code that was taken: none is taken twice.
create table organizations.totp (
  user_id uuid primary key references organizations.users (id),
  secret text not null,
  confirmed_at timestamptz,
  last_step bigint not null default 0,
  created_at timestamptz not null
);

-- SHA-256 of codes of 100 random bits, each good once.
create table organizations.recovery_codes (
  user_id uuid not null references organizations.users (id),
  hash bytea not null,
  used_at timestamptz,
  primary key (user_id, hash)
);

-- WebAuthn credentials: `id` and `public_key` (COSE) as the authenticator made them.
create table organizations.passkeys (
  id bytea primary key,
  user_id uuid not null references organizations.users (id),
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamptz not null,
  last_used_at timestamptz
);
create index passkeys_user on organizations.passkeys (user_id);

-- What was handed out once and must come back once: challenges of WebAuthn, ID tokens that began a session, links that
-- reset a password. `hash` is the SHA-256 of the secret.
create table organizations.single_use (
  hash bytea primary key,
  purpose text not null check (purpose in ('webauthn', 'id-token', 'password-reset')),
  user_id uuid references organizations.users (id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  used_at timestamptz
);
create index single_use_user on organizations.single_use (user_id) where user_id is not null;
create index single_use_age on organizations.single_use (expires_at);

-- What the OIDC provider keeps. `id` is the SHA-256 of the token or session id, which the payload does not repeat.
create table organizations.oidc_payloads (
  model text not null,
  id bytea not null,
  payload jsonb not null,
  grant_id bytea,
  user_code bytea,
  uid bytea,
  consumed_at timestamptz,
  expires_at timestamptz,
  primary key (model, id)
);
create index oidc_payloads_grant on organizations.oidc_payloads (grant_id) where grant_id is not null;
create index oidc_payloads_user_code on organizations.oidc_payloads (user_code) where user_code is not null;
create index oidc_payloads_uid on organizations.oidc_payloads (uid) where uid is not null;
create index oidc_payloads_age on organizations.oidc_payloads (expires_at);

-- Signing keys of the OIDC provider, private part as an envelope. The newest signs; older ones still verify until they go.
create table organizations.oidc_keys (
  id text primary key,
  sealed text not null,
  created_at timestamptz not null,
  retires_at timestamptz
);

create table organizations.invitations (
  org_id uuid not null references organizations.organizations (id),
  id uuid not null,
  hash bytea not null,
  role text not null check (role in ('admin', 'operator', 'viewer', 'auditor')),
  email text,
  invited_by uuid not null references organizations.users (id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  accepted_at timestamptz,
  accepted_by uuid references organizations.users (id),
  revoked_at timestamptz,
  primary key (org_id, id)
);
create unique index invitations_hash on organizations.invitations (hash);
create index invitations_inviter on organizations.invitations (invited_by);
create index invitations_acceptor on organizations.invitations (accepted_by) where accepted_by is not null;

-- Every version of an organization's settings; the newest is in organizations.organizations as well.
create table organizations.settings_history (
  org_id uuid not null references organizations.organizations (id),
  version integer not null check (version > 0),
  settings jsonb not null,
  changed_by uuid not null,
  changed_at timestamptz not null,
  primary key (org_id, version)
);

-- Where an organization's quota is not the platform's default. `most` null: no limit.
create table organizations.quotas (
  org_id uuid not null references organizations.organizations (id),
  resource text not null check (resource in ('assets', 'images', 'scans', 'storage')),
  most bigint check (most >= 0),
  primary key (org_id, resource)
);

-- The deletions of organizations: how far each is, and afterwards what proves it. `organization` is no foreign key,
-- because the row outlives what it names.
create table organizations.deletions (
  organization uuid primary key,
  slug text not null,
  requested_by uuid not null,
  requested_at timestamptz not null,
  due_at timestamptz not null,
  state text not null check (state in ('waiting', 'restored', 'erasing', 'done')),
  progress jsonb not null default '{}',
  finished_at timestamptz
);

do $$
declare
  name text;
begin
  foreach name in array array['totp', 'recovery_codes', 'passkeys', 'single_use', 'oidc_payloads', 'oidc_keys', 'deletions', 'invitations', 'settings_history', 'quotas'] loop
    execute format('alter table organizations.%I enable row level security', name);
    execute format('alter table organizations.%I force row level security', name);
    execute format('grant select, insert, update, delete on organizations.%I to qinfra_system', name);
  end loop;
  foreach name in array array['invitations', 'settings_history', 'quotas'] loop
    execute format('create policy tenant on organizations.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', name);
  end loop;
end $$;
-- Not the hash: a tenant's transaction has no use for it.
grant select (org_id, id, role, email, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at) on organizations.invitations to qinfra_app;
grant insert, update (revoked_at) on organizations.invitations to qinfra_app;
grant select, insert on organizations.settings_history to qinfra_app;
grant select on organizations.quotas to qinfra_app;
