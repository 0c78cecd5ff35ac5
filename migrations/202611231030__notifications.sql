-- Module notifications: where people and programs are told of events, what of, and what became of each message.
create schema notifications;
grant usage on schema notifications to qinfra_app, qinfra_system;

create table notifications.channels (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null check (kind in ('webhook', 'slack', 'email', 'alertmanager')),
  enabled boolean not null,
  -- Why it was disabled by itself.
  disabled_reason text,
  recipients text[] not null,
  -- URL, secrets and credentials, sealed; what of the URL may be shown.
  sealed text,
  hint text,
  -- The run that sends what waits, and until when it sleeps.
  run_id uuid,
  wake_at timestamptz,
  -- Failures in a row, and until when nothing is tried because of them.
  failures integer not null,
  blocked_until timestamptz,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name)
);

create table notifications.rules (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  channel_id uuid not null,
  enabled boolean not null,
  -- Types of events, whole or `images.*`.
  types text[] not null,
  -- What whoever made the rule was allowed to see.
  permissions text[] not null,
  filter jsonb not null,
  urgent jsonb,
  template jsonb,
  digest jsonb,
  quiet jsonb,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name),
  foreign key (org_id, channel_id) references notifications.channels (org_id, id) on delete cascade
);
create index rules_channel on notifications.rules (org_id, channel_id);

-- One message to one channel: of one event, of all events of a digest, or a test.
create table notifications.deliveries (
  org_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  rule_id uuid,
  kind text not null check (kind in ('event', 'digest', 'test')),
  -- `sending` from the moment that its content is fixed.
  state text not null check (state in ('waiting', 'sending', 'delivered', 'failed', 'cancelled')),
  -- Time of the digest that it is; one that was being sent already, or is full, has another part.
  digest_at timestamptz,
  part integer not null,
  items integer not null,
  attempts integer not null,
  -- It is given up on after so many attempts, and three days after this time.
  most_attempts integer not null,
  since timestamptz not null,
  next_at timestamptz not null,
  reason text,
  created_at timestamptz not null,
  ended_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, channel_id) references notifications.channels (org_id, id) on delete cascade,
  foreign key (org_id, rule_id) references notifications.rules (org_id, id) on delete set null (rule_id)
);
create index deliveries_channel on notifications.deliveries (org_id, channel_id, id desc);
create unique index deliveries_digest on notifications.deliveries (org_id, rule_id, digest_at, part) where digest_at is not null;
create index deliveries_rule on notifications.deliveries (org_id, rule_id, id desc);
create index deliveries_newest on notifications.deliveries (org_id, id desc);
create index deliveries_waiting on notifications.deliveries (org_id, channel_id, next_at, id) where state in ('waiting', 'sending');
create index deliveries_ended on notifications.deliveries (ended_at) where ended_at is not null;

-- The events that a delivery tells of: one row a rule and event.
create table notifications.items (
  org_id uuid not null,
  delivery_id uuid not null,
  event_id uuid not null,
  position bigint not null,
  type text not null,
  event jsonb not null,
  primary key (org_id, delivery_id, event_id),
  foreign key (org_id, delivery_id) references notifications.deliveries (org_id, id) on delete cascade
);

create table notifications.attempts (
  org_id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  at timestamptz not null,
  ms integer not null,
  outcome text not null check (outcome in ('delivered', 'again', 'failed')),
  -- Status of HTTP, or reply code of SMTP.
  status integer,
  reason text,
  -- The first bytes of what was answered, without what looks like a secret.
  answer text,
  primary key (org_id, delivery_id, number),
  foreign key (org_id, delivery_id) references notifications.deliveries (org_id, id) on delete cascade
);

do $$
declare t text;
begin
  foreach t in array array['channels', 'rules', 'deliveries', 'items', 'attempts'] loop
    execute format('alter table notifications.%I enable row level security', t);
    execute format('alter table notifications.%I force row level security', t);
    execute format('create policy tenant on notifications.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', t);
    execute format('grant select, insert, update, delete on notifications.%I to qinfra_app', t);
  end loop;
end $$;
grant select on notifications.channels, notifications.deliveries to qinfra_system;
-- What ended long ago goes, also where nothing is sent any more.
grant delete on notifications.deliveries to qinfra_system;
