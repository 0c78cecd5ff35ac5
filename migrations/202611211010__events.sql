-- The event log: appended by writers, put in order and chained by one sealer, read by position.

create schema events;
grant usage on schema events to qinfra_app, qinfra_system;

-- One row a stream. The sealer never writes here: it would wait for the writers' row locks.
create table events.streams (
  org_id uuid not null,
  stream text not null,
  version bigint not null check (version > 0),
  last_hash bytea not null,
  snapshot jsonb,
  snapshot_schema integer,
  snapshot_version bigint,
  primary key (org_id, stream),
  check ((snapshot is null) = (snapshot_version is null) and (snapshot is null) = (snapshot_schema is null))
);

-- Partitioned by the UUIDv7, whose first 48 bits are the time. `body` is the CloudEvents 1.0 JSON of which `hash` is the
-- SHA-256; the other columns repeat it for indexes. The sealer fills position, org_seq and chain_hash.
create table events.log (
  id uuid not null,
  org_id uuid not null,
  type text not null,
  subject text not null,
  stream text not null,
  version bigint not null,
  actor text not null,
  operation text not null,
  request_id text not null,
  door text not null,
  ai boolean not null,
  time timestamptz not null,
  body text not null,
  hash bytea not null,
  xid xid8 not null default pg_current_xact_id(),
  position bigint,
  org_seq bigint,
  chain_hash bytea,
  primary key (id, org_id),
  check ((position is null) = (org_seq is null) and (position is null) = (chain_hash is null))
) partition by range (id);

create index log_unsealed on events.log (xid, id) where position is null;
create index log_stream on events.log (org_id, stream, version);
create index log_position on events.log (position) where position is not null;
create index log_org_seq on events.log (org_id, org_seq) where position is not null;
create index log_subject on events.log (org_id, subject, org_seq) where position is not null;
create index log_actor on events.log (org_id, actor, org_seq) where position is not null;
create index log_type on events.log (org_id, type, org_seq) where position is not null;

create table events.log_default partition of events.log default;

-- Last position of all, and whether the sealer sleeps. Apart, because every append reads the second.
create table events.head (
  one boolean primary key default true check (one),
  position bigint not null
);
insert into events.head (position) values (0);
create table events.sealer (
  one boolean primary key default true check (one),
  asleep boolean not null
);
insert into events.sealer (asleep) values (false);

create table events.chains (
  org_id uuid primary key,
  seq bigint not null,
  hash bytea not null
);

-- The newest signed checkpoint of each UTC day.
create table events.checkpoints (
  org_id uuid not null,
  day date not null,
  seq bigint not null,
  position bigint not null,
  chain_hash bytea not null,
  time timestamptz not null,
  key_id text not null,
  signature bytea not null,
  primary key (org_id, day)
);

-- How far each reader is. Handled events are kept a while beyond that, so that a late second reader still finds them.
create table events.subscriptions (
  name text primary key,
  position bigint not null
);
create table events.handled (
  subscription text not null,
  event_id uuid not null,
  org_id uuid not null,
  at timestamptz not null,
  primary key (subscription, event_id, org_id)
);
create index handled_at on events.handled (at);
create table events.dead_letters (
  subscription text not null,
  event_id uuid not null,
  org_id uuid not null,
  position bigint not null,
  attempts integer not null,
  reason text not null,
  at timestamptz not null,
  primary key (subscription, event_id, org_id)
);
create index dead_letters_org on events.dead_letters (org_id, at);

-- Words about persons, encrypted with the key of that person; deleting the key erases them.
create table events.subject_keys (
  org_id uuid not null,
  subject_id text not null,
  wrapped text not null,
  primary key (org_id, subject_id)
);
create table events.private (
  org_id uuid not null,
  event_id uuid not null,
  subject_id text not null,
  body text not null,
  primary key (org_id, event_id)
);
create index private_subject on events.private (org_id, subject_id);

do $$
declare
  name text;
begin
  foreach name in array array['streams', 'log', 'chains', 'checkpoints', 'handled', 'dead_letters', 'subject_keys', 'private'] loop
    execute format('alter table events.%I enable row level security', name);
    execute format('alter table events.%I force row level security', name);
    execute format('create policy tenant on events.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', name);
  end loop;
end $$;
-- Nobody is granted a partition by itself; without a policy it would show nothing anyway.
alter table events.log_default enable row level security;
alter table events.log_default force row level security;
alter table events.log_default set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05);

grant select on events.log, events.streams, events.sealer, events.chains, events.checkpoints, events.subscriptions, events.handled,
  events.dead_letters, events.private, events.subject_keys to qinfra_app;
grant insert (id, org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash) on events.log
  to qinfra_app, qinfra_system;
grant insert (org_id, stream, version, last_hash), update (version, last_hash, snapshot, snapshot_schema, snapshot_version)
  on events.streams to qinfra_app, qinfra_system;
grant insert on events.handled, events.private, events.subject_keys to qinfra_app, qinfra_system;
grant delete on events.subject_keys, events.private to qinfra_app;
grant select on all tables in schema events to qinfra_system;
revoke select on events.log_default from qinfra_system;
grant update (position, org_seq, chain_hash, xid) on events.log to qinfra_system;
grant update on events.head, events.sealer to qinfra_system;
grant insert, update on events.chains, events.checkpoints, events.subscriptions, events.dead_letters to qinfra_system;
grant delete on events.handled, events.dead_letters to qinfra_system;

-- Appends one event in one round trip and answers its version. `head` is the JSON up to the version, which is its last
-- member, because the version is known only here. QE409: the stream is not at the expected version.
-- NOTIFY takes a lock of the whole cluster until the commit has reached the disk, so that writers would commit one after
-- the other: it is sent only to a sealer that sleeps.
create function events.append(
  p_id uuid, p_org uuid, p_stream text, p_expected bigint, p_type text, p_subject text, p_actor text, p_operation text,
  p_request text, p_door text, p_ai boolean, p_time timestamptz, p_head text
) returns bigint language plpgsql as $$
declare
  v bigint;
  h bytea;
begin
  if p_expected is null then
    insert into events.streams as s (org_id, stream, version, last_hash)
    values (p_org, p_stream, 1, sha256(convert_to(p_head || '1}', 'UTF8')))
    on conflict (org_id, stream) do update
      set version = s.version + 1, last_hash = sha256(convert_to(p_head || (s.version + 1) || '}', 'UTF8'))
    returning s.version, s.last_hash into v, h;
  elsif p_expected = 0 then
    insert into events.streams as s (org_id, stream, version, last_hash)
    values (p_org, p_stream, 1, sha256(convert_to(p_head || '1}', 'UTF8')))
    on conflict (org_id, stream) do nothing
    returning s.version, s.last_hash into v, h;
  else
    update events.streams s
    set version = p_expected + 1, last_hash = sha256(convert_to(p_head || (p_expected + 1) || '}', 'UTF8'))
    where s.org_id = p_org and s.stream = p_stream and s.version = p_expected
    returning s.version, s.last_hash into v, h;
  end if;
  if v is null then
    raise exception 'stream % is not at version %', p_stream, p_expected using errcode = 'QE409';
  end if;
  insert into events.log (id, org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash)
  values (p_id, p_org, p_type, p_subject, p_stream, v, p_actor, p_operation, p_request, p_door, p_ai, p_time, p_head || v || '}', h);
  if (select asleep from events.sealer) then
    perform pg_notify('events_appended', '');
  end if;
  return v;
end $$;

-- Writes a batch of the sealer, all or nothing. QE410: another sealer was faster, or an event is not there any more.
-- The head alone tells that none of the events has a position yet. Asking for `position is null` as well made the planner
-- expect few rows and join over all unsealed events, in time that grows with the square. `is not distinct from` keeps it
-- from planning by organization while the table is still small, a plan that a session would keep.
create function events.seal(
  p_position bigint, p_ids uuid[], p_orgs uuid[], p_seqs bigint[], p_chain bytea[],
  p_chain_orgs uuid[], p_chain_seqs bigint[], p_chain_hashes bytea[]
) returns void language plpgsql as $$
declare
  touched bigint;
begin
  update events.head set position = p_position + cardinality(p_ids) where position = p_position;
  if not found then
    raise exception 'the log is not at position %', p_position using errcode = 'QE410';
  end if;
  update events.log l set position = p_position + u.n, org_seq = u.seq, chain_hash = u.hash
  from unnest(p_ids, p_orgs, p_seqs, p_chain) with ordinality as u(id, org_id, seq, hash, n)
  where l.id = u.id and l.org_id is not distinct from u.org_id;
  get diagnostics touched = row_count;
  if touched <> cardinality(p_ids) then
    raise exception 'only % of % events could be sealed', touched, cardinality(p_ids) using errcode = 'QE410';
  end if;
  insert into events.chains as c (org_id, seq, hash)
  select * from unnest(p_chain_orgs, p_chain_seqs, p_chain_hashes)
  on conflict (org_id) do update set seq = excluded.seq, hash = excluded.hash;
  perform pg_notify('events_sealed', (p_position + cardinality(p_ids))::text);
end $$;

-- Makes the monthly partitions from the month of `p_from` on, where they are missing; answers how many it made. A month of
-- which the default partition already holds events stays there. Attaching waits for writers at most two seconds, since others
-- queue behind it.
create function events.ensure_partitions(p_from timestamptz, p_months integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp set lock_timeout = '2s' as $$
declare
  first timestamp := date_trunc('month', p_from at time zone 'UTC');
  starts timestamp;
  name text;
  made integer := 0;
begin
  for i in 0 .. p_months - 1 loop
    starts := first + make_interval(months => i);
    name := 'log_' || to_char(starts, 'YYYYMM');
    continue when to_regclass(format('events.%I', name)) is not null;
    begin
      execute format('create table events.%I (like events.log including defaults including constraints)', name);
      execute format('alter table events.%I enable row level security', name);
      execute format('alter table events.%I force row level security', name);
      execute format('alter table events.%I set (autovacuum_vacuum_scale_factor = 0.05, autovacuum_vacuum_insert_scale_factor = 0.05)', name);
      -- A writer that has chosen the default partition already would be refused after this: none is under way now.
      lock table events.log in share row exclusive mode;
      execute format('alter table events.log attach partition events.%I for values from (%L) to (%L)',
        name, events.first_id(starts), events.first_id(starts + interval '1 month'));
      made := made + 1;
    exception when check_violation then
      null; -- the default partition holds events of that month
    end;
  end loop;
  return made;
end $$;

-- The smallest UUIDv7 of a time in UTC.
create function events.first_id(p_time timestamp) returns uuid language sql immutable as $$
  select (lpad(to_hex((extract(epoch from p_time) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;

revoke execute on all functions in schema events from public;
grant execute on function events.append to qinfra_app, qinfra_system;
grant execute on function events.seal, events.ensure_partitions, events.first_id to qinfra_system;
grant execute on function events.first_id to qinfra_app;
