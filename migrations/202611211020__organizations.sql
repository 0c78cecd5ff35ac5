-- Module organizations: who may do what, and where.
create schema organizations;
grant usage on schema organizations to qinfra_app, qinfra_system;

create table organizations.organizations (
  id uuid primary key,
  name text not null,
  slug text not null unique,
  is_platform boolean not null default false,
  settings jsonb not null default '{}',
  created_at timestamptz not null
);
create unique index organizations_one_platform on organizations.organizations (is_platform) where is_platform;

-- People belong to the platform, not to one organization, so that one person can be a member of several.
create table organizations.users (
  id uuid primary key,
  name text not null,
  display_name text not null,
  email text,
  created_at timestamptz not null,
  disabled_at timestamptz
);
-- Login names are ASCII, so lower() does not depend on a collation.
create unique index users_name on organizations.users (lower(name));

-- Who an issuer means by a subject. The platform's own passwords are the issuer 'local'.
create table organizations.user_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null references organizations.users (id),
  created_at timestamptz not null,
  primary key (issuer, subject)
);
create index user_identities_user on organizations.user_identities (user_id);

-- `hash` is a PHC string (argon2id). `sealed` is the first administrator's one-time password as an envelope, kept until
-- a new password is set.
create table organizations.password_credentials (
  user_id uuid primary key references organizations.users (id),
  hash text not null,
  one_time boolean not null,
  sealed text,
  used_at timestamptz,
  changed_at timestamptz not null,
  check (sealed is null or one_time)
);

create table organizations.memberships (
  org_id uuid not null references organizations.organizations (id),
  user_id uuid not null references organizations.users (id),
  role text not null check (role in ('admin', 'operator', 'viewer', 'auditor')),
  created_at timestamptz not null,
  primary key (org_id, user_id)
);
create index memberships_user on organizations.memberships (user_id, created_at, org_id);

-- `hash` is the SHA-256 of the secret, which has 200 random bits. The prefix finds the row before the tenant is known.
create table organizations.api_keys (
  org_id uuid not null references organizations.organizations (id),
  id uuid not null,
  name text not null,
  prefix text not null,
  hash bytea not null,
  scopes text[] not null,
  agent boolean not null,
  created_by uuid not null references organizations.users (id),
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_used_at timestamptz,
  revoked_at timestamptz,
  primary key (org_id, id)
);
create unique index api_keys_prefix on organizations.api_keys (prefix);
create index api_keys_maker on organizations.api_keys (org_id, created_by);

-- `hash` is the SHA-256 of an opaque token of 260 random bits.
create table organizations.sessions (
  hash bytea primary key,
  id uuid not null unique,
  user_id uuid not null references organizations.users (id),
  org_id uuid not null references organizations.organizations (id),
  door text not null check (door in ('browser', 'cli')),
  must_change boolean not null,
  created_at timestamptz not null,
  expires_at timestamptz not null,
  last_seen_at timestamptz not null,
  revoked_at timestamptz
);
create index sessions_user on organizations.sessions (user_id, id);

alter table organizations.organizations enable row level security;
alter table organizations.organizations force row level security;
create policy tenant on organizations.organizations using (id = platform.current_org()) with check (id = platform.current_org());

alter table organizations.memberships enable row level security;
alter table organizations.memberships force row level security;
create policy tenant on organizations.memberships using (org_id = platform.current_org()) with check (org_id = platform.current_org());

alter table organizations.api_keys enable row level security;
alter table organizations.api_keys force row level security;
create policy tenant on organizations.api_keys using (org_id = platform.current_org()) with check (org_id = platform.current_org());

-- A person is visible where they are a member, and nowhere else.
alter table organizations.users enable row level security;
alter table organizations.users force row level security;
create policy member on organizations.users for select using (exists (
  select from organizations.memberships m where m.org_id = platform.current_org() and m.user_id = users.id));

-- What proves who somebody is comes before the tenant: no tenant reaches it, by grant or by policy.
alter table organizations.user_identities enable row level security;
alter table organizations.user_identities force row level security;
alter table organizations.password_credentials enable row level security;
alter table organizations.password_credentials force row level security;
alter table organizations.sessions enable row level security;
alter table organizations.sessions force row level security;
create policy tenant on organizations.sessions using (org_id = platform.current_org()) with check (org_id = platform.current_org());

grant select on organizations.organizations, organizations.users, organizations.memberships to qinfra_app;
grant update (role) on organizations.memberships to qinfra_app;
-- Not the hash: a tenant's transaction has no use for it.
grant select (org_id, id, name, prefix, scopes, agent, created_by, created_at, expires_at, last_used_at, revoked_at) on organizations.api_keys to qinfra_app;
grant insert, update (revoked_at) on organizations.api_keys to qinfra_app;
grant select, insert, update, delete on all tables in schema organizations to qinfra_system;

-- What other modules may read.
create view organizations.api_organizations with (security_invoker = true) as
  select id, name, slug, is_platform, settings, created_at from organizations.organizations;

create view organizations.api_members with (security_invoker = true) as
  select m.org_id, m.user_id, m.role, m.created_at, u.name, u.display_name, u.email, u.disabled_at
  from organizations.memberships m join organizations.users u on u.id = m.user_id;

create view organizations.api_key_names with (security_invoker = true) as
  select org_id, id, name, agent, created_by from organizations.api_keys;

grant select on organizations.api_organizations, organizations.api_members, organizations.api_key_names to qinfra_app, qinfra_system;
