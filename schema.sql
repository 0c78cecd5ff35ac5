-- What the migrations make together, on PostgreSQL 18. Written by `qinfra goldens --write`; change it by a migration.

create schema analytics;
grant usage on schema analytics to qinfra_app;
grant usage on schema analytics to qinfra_system;

create table analytics.activity (
  org_id uuid not null,
  build integer not null,
  metric text not null,
  day date not null,
  value bigint not null,
  constraint activity_pkey PRIMARY KEY (org_id, build, metric, day)
);
alter table analytics.activity enable row level security;
alter table analytics.activity force row level security;
create policy tenant on analytics.activity for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on analytics.activity to qinfra_app;
grant delete, insert, select, update on analytics.activity to qinfra_system;

create table analytics.exposed_sets (
  org_id uuid not null,
  build integer not null,
  component_set text not null,
  assets integer not null,
  images integer not null,
  critical integer not null,
  high integer not null,
  medium integer not null,
  low integer not null,
  none integer not null,
  unknown integer not null,
  constraint exposed_sets_pkey PRIMARY KEY (org_id, build, component_set)
);
alter table analytics.exposed_sets enable row level security;
alter table analytics.exposed_sets force row level security;
create policy tenant on analytics.exposed_sets for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on analytics.exposed_sets to qinfra_app;
grant delete, insert, select, update on analytics.exposed_sets to qinfra_system;

create table analytics.exposed_targets (
  org_id uuid not null,
  build integer not null,
  target text not null,
  kind text not null,
  counted text,
  pending text,
  constraint exposed_targets_pkey PRIMARY KEY (org_id, build, target),
  constraint exposed_targets_kind_check CHECK ((kind = ANY (ARRAY['asset'::text, 'image'::text])))
);
CREATE INDEX exposed_targets_pending ON analytics.exposed_targets USING btree (org_id, build, pending) WHERE (pending IS NOT NULL);
alter table analytics.exposed_targets enable row level security;
alter table analytics.exposed_targets force row level security;
create policy tenant on analytics.exposed_targets for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on analytics.exposed_targets to qinfra_app;
grant delete, insert, select, update on analytics.exposed_targets to qinfra_system;

create table analytics.exposure (
  org_id uuid not null,
  build integer not null,
  metric text not null,
  day date not null,
  value bigint not null,
  constraint exposure_pkey PRIMARY KEY (org_id, build, metric, day)
);
alter table analytics.exposure enable row level security;
alter table analytics.exposure force row level security;
create policy tenant on analytics.exposure for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on analytics.exposure to qinfra_app;
grant delete, insert, select, update on analytics.exposure to qinfra_system;

create view analytics.api_series with (security_invoker=true) as
 SELECT s.org_id,
    s.metric,
    s.day,
    s.value
   FROM (analytics.activity s
     JOIN events.projections p ON (((p.name = 'analytics.activity'::text) AND (p.build = s.build) AND (p.state = 'active'::text))))
UNION ALL
 SELECT s.org_id,
    s.metric,
    s.day,
    s.value
   FROM (analytics.exposure s
     JOIN events.projections p ON (((p.name = 'analytics.exposure'::text) AND (p.build = s.build) AND (p.state = 'active'::text))));
grant select on analytics.api_series to qinfra_app;
grant select on analytics.api_series to qinfra_system;

create schema events;
grant usage on schema events to qinfra_app;
grant usage on schema events to qinfra_system;

CREATE OR REPLACE FUNCTION events.append(p_id uuid, p_org uuid, p_stream text, p_expected bigint, p_type text, p_subject text, p_actor text, p_operation text, p_request text, p_door text, p_ai boolean, p_time timestamp with time zone, p_head text)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
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
end $function$
;
grant execute on function events.append(uuid,uuid,text,bigint,text,text,text,text,text,text,boolean,timestamp with time zone,text) to qinfra_app;
grant execute on function events.append(uuid,uuid,text,bigint,text,text,text,text,text,text,boolean,timestamp with time zone,text) to qinfra_system;

CREATE OR REPLACE FUNCTION events.build_digest(p_table regclass, p_build integer, OUT held bigint, OUT digest text)
 RETURNS record
 LANGUAGE plpgsql
 STABLE
AS $function$
begin
  execute format('select count(*), coalesce(sum((''x'' || left(md5((to_jsonb(t) - ''build'')::text), 15))::bit(60)::bigint), 0)::text from %s t where build = $1', p_table)
    into held, digest using p_build;
end $function$
;
grant execute on function events.build_digest(regclass,integer) to qinfra_system;

CREATE OR REPLACE FUNCTION events.detach_partition(p_name text)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
begin
  if p_name !~ '^log_[0-9]{6}$' then
    raise exception '% is not the name of a monthly partition', p_name;
  end if;
  execute format('alter table events.log detach partition events.%I', p_name);
end $function$
;
grant execute on function events.detach_partition(text) to qinfra_system;

CREATE OR REPLACE FUNCTION events.drop_detached(p_name text, p_orgs uuid[], p_events bigint)
 RETURNS void
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
declare
  held bigint;
begin
  if p_name !~ '^log_[0-9]{6}$' or exists (select from pg_inherits where inhrelid = to_regclass(format('events.%I', p_name))) then
    raise exception '% is not a monthly partition that is out of the log', p_name;
  end if;
  execute format('alter table events.%I no force row level security', p_name);
  execute format('select count(*) from events.%I where org_id = any($1)', p_name) into held using p_orgs;
  if held <> p_events then
    raise exception '% holds % events, of which % were exported', p_name, held, p_events using errcode = 'QE411';
  end if;
  execute format('drop table events.%I', p_name);
end $function$
;
grant execute on function events.drop_detached(text,uuid[],bigint) to qinfra_system;

CREATE OR REPLACE FUNCTION events.ensure_partitions(p_from timestamp with time zone, p_months integer)
 RETURNS integer
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
 SET lock_timeout TO '2s'
AS $function$
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
end $function$
;
grant execute on function events.ensure_partitions(timestamp with time zone,integer) to qinfra_system;

CREATE OR REPLACE FUNCTION events.first_id(p_time timestamp without time zone)
 RETURNS uuid
 LANGUAGE sql
 IMMUTABLE
AS $function$
  select (lpad(to_hex((extract(epoch from p_time) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$function$
;
grant execute on function events.first_id(timestamp without time zone) to qinfra_app;
grant execute on function events.first_id(timestamp without time zone) to qinfra_system;

CREATE OR REPLACE FUNCTION events.remove_build(p_table regclass, p_build integer, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
declare
  removed bigint;
begin
  execute format('delete from %1$s where build = $1 and ctid = any (array(select ctid from %1$s where build = $1 limit $2))', p_table) using p_build, p_limit;
  get diagnostics removed = row_count;
  return removed;
end $function$
;
grant execute on function events.remove_build(regclass,integer,integer) to qinfra_system;

CREATE OR REPLACE FUNCTION events.seal(p_position bigint, p_ids uuid[], p_orgs uuid[], p_seqs bigint[], p_chain bytea[], p_chain_orgs uuid[], p_chain_seqs bigint[], p_chain_hashes bytea[])
 RETURNS void
 LANGUAGE plpgsql
AS $function$
declare
  touched bigint := 0;
begin
  update events.head set position = p_position + cardinality(p_ids) where position = p_position;
  if not found then
    raise exception 'the log is not at position %', p_position using errcode = 'QE410';
  end if;
  for n in 1 .. cardinality(p_ids) loop
    update events.log set position = p_position + n, org_seq = p_seqs[n], chain_hash = p_chain[n] where id = p_ids[n] and org_id is not distinct from p_orgs[n];
    if found then
      touched := touched + 1;
    end if;
  end loop;
  if touched <> cardinality(p_ids) then
    raise exception 'only % of % events could be sealed', touched, cardinality(p_ids) using errcode = 'QE410';
  end if;
  insert into events.chains as c (org_id, seq, hash)
  select * from unnest(p_chain_orgs, p_chain_seqs, p_chain_hashes)
  on conflict (org_id) do update set seq = excluded.seq, hash = excluded.hash;
  perform pg_notify('events_sealed', (p_position + cardinality(p_ids))::text);
end $function$
;
grant execute on function events.seal(bigint,uuid[],uuid[],bigint[],bytea[],uuid[],bigint[],bytea[]) to qinfra_system;

create table events.chains (
  org_id uuid not null,
  seq bigint not null,
  hash bytea not null,
  constraint chains_pkey PRIMARY KEY (org_id)
);
alter table events.chains enable row level security;
alter table events.chains force row level security;
create policy tenant on events.chains for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.chains to qinfra_app;
grant insert, select, update on events.chains to qinfra_system;

create table events.checkpoints (
  org_id uuid not null,
  day date not null,
  seq bigint not null,
  position bigint not null,
  chain_hash bytea not null,
  time timestamp with time zone not null,
  key_id text not null,
  signature bytea not null,
  constraint checkpoints_pkey PRIMARY KEY (org_id, day)
);
alter table events.checkpoints enable row level security;
alter table events.checkpoints force row level security;
create policy tenant on events.checkpoints for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.checkpoints to qinfra_app;
grant insert, select, update on events.checkpoints to qinfra_system;

create table events.dead_letters (
  subscription text not null,
  event_id uuid not null,
  org_id uuid not null,
  position bigint not null,
  attempts integer not null,
  reason text not null,
  at timestamp with time zone not null,
  constraint dead_letters_pkey PRIMARY KEY (subscription, event_id, org_id)
);
CREATE INDEX dead_letters_asked ON events.dead_letters USING btree (subscription, "position") WHERE (attempts < 0);
CREATE INDEX dead_letters_org ON events.dead_letters USING btree (org_id, at);
alter table events.dead_letters enable row level security;
alter table events.dead_letters force row level security;
create policy tenant on events.dead_letters for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.dead_letters to qinfra_app;
grant delete, insert, select, update on events.dead_letters to qinfra_system;
grant update (attempts) on events.dead_letters to qinfra_app;

create table events.erased (
  organization uuid not null,
  events bigint not null,
  last_position bigint not null,
  constraint erased_pkey PRIMARY KEY (organization)
);
alter table events.erased enable row level security;
alter table events.erased force row level security;
create policy erasure on events.erased for all to qinfra_owner using (true) with check (true);
grant select on events.erased to qinfra_system;

create table events.exports (
  org_id uuid not null,
  partition text not null,
  part integer not null,
  name text not null,
  events bigint not null,
  first_seq bigint not null,
  last_seq bigint not null,
  first_position bigint not null,
  last_position bigint not null,
  first_time timestamp with time zone not null,
  last_time timestamp with time zone not null,
  chain_hash bytea not null,
  sha256 bytea not null,
  bytes bigint not null,
  exported_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  constraint exports_pkey PRIMARY KEY (org_id, partition, part),
  constraint exports_events_check CHECK ((events > 0)),
  constraint exports_part_check CHECK ((part > 0))
);
CREATE INDEX exports_position ON events.exports USING btree (last_position) WHERE (retired_at IS NOT NULL);
CREATE INDEX exports_seq ON events.exports USING btree (org_id, last_seq) WHERE (retired_at IS NOT NULL);
alter table events.exports enable row level security;
alter table events.exports force row level security;
create policy tenant on events.exports for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.exports to qinfra_app;
grant delete, insert, select, update on events.exports to qinfra_system;

create table events.handled (
  subscription text not null,
  event_id uuid not null,
  org_id uuid not null,
  at timestamp with time zone not null,
  constraint handled_pkey PRIMARY KEY (subscription, event_id, org_id)
);
CREATE INDEX handled_at ON events.handled USING btree (at);
alter table events.handled enable row level security;
alter table events.handled force row level security;
create policy tenant on events.handled for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select on events.handled to qinfra_app;
grant delete, insert, select on events.handled to qinfra_system;

create table events.head (
  one boolean not null default true,
  position bigint not null,
  constraint head_pkey PRIMARY KEY (one),
  constraint head_one_check CHECK (one)
);
grant select, update on events.head to qinfra_system;

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
  time timestamp with time zone not null,
  body text not null,
  hash bytea not null,
  xid xid8 not null default pg_current_xact_id(),
  position bigint,
  org_seq bigint,
  chain_hash bytea,
  constraint log_pkey PRIMARY KEY (id, org_id),
  constraint log_check CHECK (((("position" IS NULL) = (org_seq IS NULL)) AND (("position" IS NULL) = (chain_hash IS NULL))))
) partition by RANGE (id);
CREATE INDEX log_actor ON ONLY events.log USING btree (org_id, actor, org_seq) WHERE ("position" IS NOT NULL);
CREATE INDEX log_org_seq ON ONLY events.log USING btree (org_id, org_seq) WHERE ("position" IS NOT NULL);
CREATE INDEX log_position ON ONLY events.log USING btree ("position") WHERE ("position" IS NOT NULL);
CREATE INDEX log_stream ON ONLY events.log USING btree (org_id, stream, version);
CREATE INDEX log_subject ON ONLY events.log USING btree (org_id, subject, org_seq) WHERE ("position" IS NOT NULL);
CREATE INDEX log_type ON ONLY events.log USING btree (org_id, type, org_seq) WHERE ("position" IS NOT NULL);
CREATE INDEX log_unsealed ON ONLY events.log USING btree (xid, id) WHERE ("position" IS NULL);
alter table events.log enable row level security;
alter table events.log force row level security;
create policy tenant on events.log for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.log to qinfra_app;
grant delete, select on events.log to qinfra_system;
grant insert (id, org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash) on events.log to qinfra_app;
grant insert (id, org_id, type, subject, stream, version, actor, operation, request_id, door, ai, time, body, hash) on events.log to qinfra_system;
grant update (xid, position, org_seq, chain_hash) on events.log to qinfra_system;

create table events.log_default partition of events.log DEFAULT with (autovacuum_vacuum_scale_factor=0.05, autovacuum_vacuum_insert_scale_factor=0.05);
alter table events.log_default enable row level security;
alter table events.log_default force row level security;

create table events.private (
  org_id uuid not null,
  event_id uuid not null,
  subject_id text not null,
  body text not null,
  constraint private_pkey PRIMARY KEY (org_id, event_id)
);
CREATE INDEX private_subject ON events.private USING btree (org_id, subject_id);
alter table events.private enable row level security;
alter table events.private force row level security;
create policy tenant on events.private for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select on events.private to qinfra_app;
grant delete, insert, select on events.private to qinfra_system;

create table events.projections (
  name text not null,
  build integer not null,
  version integer not null,
  state text not null,
  reason text not null,
  position bigint not null,
  applied bigint not null default 0,
  started_at timestamp with time zone not null,
  moved_at timestamp with time zone not null,
  active_at timestamp with time zone,
  ended_at timestamp with time zone,
  matches boolean,
  problem text,
  constraint projections_pkey PRIMARY KEY (name, build),
  constraint projections_build_check CHECK ((build > 0)),
  constraint projections_reason_check CHECK ((reason = ANY (ARRAY['first'::text, 'version'::text, 'asked'::text]))),
  constraint projections_state_check CHECK ((state = ANY (ARRAY['building'::text, 'active'::text, 'removing'::text, 'removed'::text]))),
  constraint projections_version_check CHECK ((version >= 0))
);
CREATE UNIQUE INDEX projections_active ON events.projections USING btree (name) WHERE (state = 'active'::text);
CREATE UNIQUE INDEX projections_building ON events.projections USING btree (name) WHERE (state = 'building'::text);
grant select on events.projections to qinfra_app;
grant insert, select, update on events.projections to qinfra_system;

create table events.sealer (
  one boolean not null default true,
  asleep boolean not null,
  constraint sealer_pkey PRIMARY KEY (one),
  constraint sealer_one_check CHECK (one)
);
grant select on events.sealer to qinfra_app;
grant select, update on events.sealer to qinfra_system;

create table events.streams (
  org_id uuid not null,
  stream text not null,
  version bigint not null,
  last_hash bytea not null,
  snapshot jsonb,
  snapshot_schema integer,
  snapshot_version bigint,
  constraint streams_pkey PRIMARY KEY (org_id, stream),
  constraint streams_check CHECK ((((snapshot IS NULL) = (snapshot_version IS NULL)) AND ((snapshot IS NULL) = (snapshot_schema IS NULL)))),
  constraint streams_version_check CHECK ((version > 0))
);
alter table events.streams enable row level security;
alter table events.streams force row level security;
create policy tenant on events.streams for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on events.streams to qinfra_app;
grant select on events.streams to qinfra_system;
grant insert (org_id, stream, version, last_hash) on events.streams to qinfra_app;
grant insert (org_id, stream, version, last_hash) on events.streams to qinfra_system;
grant update (version, last_hash, snapshot, snapshot_schema, snapshot_version) on events.streams to qinfra_app;
grant update (version, last_hash, snapshot, snapshot_schema, snapshot_version) on events.streams to qinfra_system;

create table events.subject_keys (
  org_id uuid not null,
  subject_id text not null,
  wrapped text not null,
  constraint subject_keys_pkey PRIMARY KEY (org_id, subject_id)
);
alter table events.subject_keys enable row level security;
alter table events.subject_keys force row level security;
create policy tenant on events.subject_keys for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select on events.subject_keys to qinfra_app;
grant delete, insert, select on events.subject_keys to qinfra_system;

create table events.subscriptions (
  name text not null,
  position bigint not null,
  seen_at timestamp with time zone not null default now(),
  constraint subscriptions_pkey PRIMARY KEY (name)
);
grant select on events.subscriptions to qinfra_app;
grant insert, select, update on events.subscriptions to qinfra_system;

create schema images;
grant usage on schema images to qinfra_app;
grant usage on schema images to qinfra_system;

create table images.golden_image_families (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null,
  created_at timestamp with time zone not null,
  constraint golden_image_families_pkey PRIMARY KEY (org_id, id),
  constraint golden_image_families_org_id_name_key UNIQUE (org_id, name)
);
alter table images.golden_image_families enable row level security;
alter table images.golden_image_families force row level security;
create policy tenant on images.golden_image_families for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on images.golden_image_families to qinfra_app;
grant select on images.golden_image_families to qinfra_system;

create table images.golden_images (
  org_id uuid not null,
  id uuid not null,
  family_id uuid not null,
  version text not null,
  source text not null,
  digest text,
  os_id text,
  os_version text,
  os_name text,
  component_set_id uuid not null,
  created_at timestamp with time zone not null,
  constraint golden_images_pkey PRIMARY KEY (org_id, id),
  constraint golden_images_org_id_family_id_version_key UNIQUE (org_id, family_id, version),
  constraint golden_images_org_id_family_id_fkey FOREIGN KEY (org_id, family_id) REFERENCES images.golden_image_families(org_id, id),
  constraint golden_images_source_check CHECK ((source = ANY (ARRAY['rootfs'::text, 'oci-layout'::text, 'dpkg-status'::text, 'sbom'::text])))
);
CREATE INDEX golden_images_component_set ON images.golden_images USING btree (org_id, component_set_id);
alter table images.golden_images enable row level security;
alter table images.golden_images force row level security;
create policy tenant on images.golden_images for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on images.golden_images to qinfra_app;
grant select on images.golden_images to qinfra_system;

create table images.image_tags (
  org_id uuid not null,
  image_id uuid not null,
  key text not null,
  value text not null,
  constraint image_tags_pkey PRIMARY KEY (org_id, image_id, key),
  constraint image_tags_org_id_image_id_fkey FOREIGN KEY (org_id, image_id) REFERENCES images.golden_images(org_id, id) ON DELETE CASCADE
);
CREATE INDEX image_tags_value ON images.image_tags USING btree (org_id, key, value);
alter table images.image_tags enable row level security;
alter table images.image_tags force row level security;
create policy tenant on images.image_tags for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on images.image_tags to qinfra_app;

create view images.api_images with (security_invoker=true) as
 SELECT i.org_id,
    i.id,
    f.name AS family,
    i.version,
    i.os_id,
    i.os_version,
    i.component_set_id,
    i.created_at
   FROM (images.golden_images i
     JOIN images.golden_image_families f ON (((f.org_id = i.org_id) AND (f.id = i.family_id))));
grant select on images.api_images to qinfra_app;
grant select on images.api_images to qinfra_system;

create view images.image_components with (security_invoker=true) as
 SELECT i.org_id,
    i.id AS image_id,
    c.package_id,
    c.name,
    c.version,
    c.purl
   FROM (images.golden_images i
     JOIN software.api_components c ON (((c.org_id = i.org_id) AND (c.component_set_id = i.component_set_id))));
grant select on images.image_components to qinfra_app;
grant select on images.image_components to qinfra_system;

create schema inventory;
grant usage on schema inventory to qinfra_app;
grant usage on schema inventory to qinfra_system;

create table inventory.asset_tags (
  org_id uuid not null,
  asset_id uuid not null,
  key text not null,
  value text not null,
  constraint asset_tags_pkey PRIMARY KEY (org_id, asset_id, key),
  constraint asset_tags_org_id_asset_id_fkey FOREIGN KEY (org_id, asset_id) REFERENCES inventory.assets(org_id, id) ON DELETE CASCADE
);
CREATE INDEX asset_tags_value ON inventory.asset_tags USING btree (org_id, key, value);
alter table inventory.asset_tags enable row level security;
alter table inventory.asset_tags force row level security;
create policy tenant on inventory.asset_tags for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on inventory.asset_tags to qinfra_app;

create table inventory.assets (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null,
  site_id uuid,
  criticality text not null,
  exposure text not null,
  os_id text,
  os_version text,
  os_name text,
  source text not null,
  component_set_id uuid,
  fact_set_id uuid,
  scanned_at timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint assets_pkey PRIMARY KEY (org_id, id),
  constraint assets_org_id_name_key UNIQUE (org_id, name),
  constraint assets_org_id_fact_set_id_fkey FOREIGN KEY (org_id, fact_set_id) REFERENCES inventory.fact_sets(org_id, id),
  constraint assets_org_id_site_id_fkey FOREIGN KEY (org_id, site_id) REFERENCES inventory.sites(org_id, id),
  constraint assets_criticality_check CHECK ((criticality = ANY (ARRAY['low'::text, 'medium'::text, 'high'::text, 'critical'::text, 'unknown'::text]))),
  constraint assets_exposure_check CHECK ((exposure = ANY (ARRAY['internet'::text, 'internal'::text, 'isolated'::text, 'unknown'::text]))),
  constraint assets_kind_check CHECK ((kind = ANY (ARRAY['host'::text, 'container'::text, 'virtual-machine'::text, 'other'::text]))),
  constraint assets_source_check CHECK ((source = ANY (ARRAY['local'::text, 'ssh'::text, 'import'::text])))
);
CREATE INDEX assets_component_set ON inventory.assets USING btree (org_id, component_set_id);
CREATE INDEX assets_site ON inventory.assets USING btree (org_id, site_id);
alter table inventory.assets enable row level security;
alter table inventory.assets force row level security;
create policy tenant on inventory.assets for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on inventory.assets to qinfra_app;
grant select on inventory.assets to qinfra_system;

create table inventory.fact_sets (
  org_id uuid not null,
  id uuid not null,
  digest bytea not null,
  facts jsonb not null,
  constraint fact_sets_pkey PRIMARY KEY (org_id, id),
  constraint fact_sets_org_id_digest_key UNIQUE (org_id, digest)
);
alter table inventory.fact_sets enable row level security;
alter table inventory.fact_sets force row level security;
create policy tenant on inventory.fact_sets for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on inventory.fact_sets to qinfra_app;

create table inventory.site_hosts (
  org_id uuid not null,
  id uuid not null,
  site_id uuid not null,
  name text not null,
  address text not null,
  ssh_port integer,
  host_key text,
  asset_id uuid,
  run_id uuid,
  tried_at timestamp with time zone,
  failure_code text,
  failure text,
  created_at timestamp with time zone not null,
  constraint site_hosts_pkey PRIMARY KEY (org_id, id),
  constraint site_hosts_org_id_name_key UNIQUE (org_id, name),
  constraint site_hosts_org_id_asset_id_fkey FOREIGN KEY (org_id, asset_id) REFERENCES inventory.assets(org_id, id) ON DELETE SET NULL (asset_id),
  constraint site_hosts_org_id_site_id_fkey FOREIGN KEY (org_id, site_id) REFERENCES inventory.sites(org_id, id) ON DELETE CASCADE,
  constraint site_hosts_check CHECK (((failure_code IS NULL) = (failure IS NULL))),
  constraint site_hosts_check1 CHECK (((run_id IS NULL) = (tried_at IS NULL))),
  constraint site_hosts_ssh_port_check CHECK (((ssh_port >= 1) AND (ssh_port <= 65535)))
);
CREATE INDEX site_hosts_asset ON inventory.site_hosts USING btree (org_id, asset_id);
CREATE INDEX site_hosts_site ON inventory.site_hosts USING btree (org_id, site_id, name);
alter table inventory.site_hosts enable row level security;
alter table inventory.site_hosts force row level security;
create policy tenant on inventory.site_hosts for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on inventory.site_hosts to qinfra_app;

create table inventory.sites (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  created_at timestamp with time zone not null,
  ssh_user text,
  ssh_port integer not null default 22,
  private_key text,
  key_fingerprint text,
  known_hosts text not null default ''::text,
  trust_on_first_use boolean not null default false,
  constraint sites_pkey PRIMARY KEY (org_id, id),
  constraint sites_org_id_name_key UNIQUE (org_id, name),
  constraint sites_key CHECK (((private_key IS NULL) = (key_fingerprint IS NULL))),
  constraint sites_ssh_port_check CHECK (((ssh_port >= 1) AND (ssh_port <= 65535)))
);
alter table inventory.sites enable row level security;
alter table inventory.sites force row level security;
create policy tenant on inventory.sites for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on inventory.sites to qinfra_app;
grant select on inventory.sites to qinfra_system;

create view inventory.api_assets with (security_invoker=true) as
 SELECT org_id,
    id,
    name,
    kind,
    criticality,
    exposure,
    os_id,
    os_version,
    component_set_id,
    scanned_at
   FROM inventory.assets;
grant select on inventory.api_assets to qinfra_app;
grant select on inventory.api_assets to qinfra_system;

create schema notifications;
grant usage on schema notifications to qinfra_app;
grant usage on schema notifications to qinfra_system;

create table notifications.attempts (
  org_id uuid not null,
  delivery_id uuid not null,
  number integer not null,
  at timestamp with time zone not null,
  ms integer not null,
  outcome text not null,
  status integer,
  reason text,
  answer text,
  constraint attempts_pkey PRIMARY KEY (org_id, delivery_id, number),
  constraint attempts_org_id_delivery_id_fkey FOREIGN KEY (org_id, delivery_id) REFERENCES notifications.deliveries(org_id, id) ON DELETE CASCADE,
  constraint attempts_outcome_check CHECK ((outcome = ANY (ARRAY['delivered'::text, 'again'::text, 'failed'::text])))
);
alter table notifications.attempts enable row level security;
alter table notifications.attempts force row level security;
create policy tenant on notifications.attempts for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on notifications.attempts to qinfra_app;

create table notifications.channels (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  kind text not null,
  enabled boolean not null,
  disabled_reason text,
  recipients text[] not null,
  sealed text,
  hint text,
  run_id uuid,
  wake_at timestamp with time zone,
  failures integer not null,
  blocked_until timestamp with time zone,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint channels_pkey PRIMARY KEY (org_id, id),
  constraint channels_org_id_name_key UNIQUE (org_id, name),
  constraint channels_kind_check CHECK ((kind = ANY (ARRAY['webhook'::text, 'slack'::text, 'email'::text, 'alertmanager'::text])))
);
alter table notifications.channels enable row level security;
alter table notifications.channels force row level security;
create policy tenant on notifications.channels for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on notifications.channels to qinfra_app;
grant select on notifications.channels to qinfra_system;

create table notifications.deliveries (
  org_id uuid not null,
  id uuid not null,
  channel_id uuid not null,
  rule_id uuid,
  kind text not null,
  state text not null,
  digest_at timestamp with time zone,
  part integer not null,
  items integer not null,
  attempts integer not null,
  most_attempts integer not null,
  since timestamp with time zone not null,
  next_at timestamp with time zone not null,
  reason text,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint deliveries_pkey PRIMARY KEY (org_id, id),
  constraint deliveries_org_id_channel_id_fkey FOREIGN KEY (org_id, channel_id) REFERENCES notifications.channels(org_id, id) ON DELETE CASCADE,
  constraint deliveries_org_id_rule_id_fkey FOREIGN KEY (org_id, rule_id) REFERENCES notifications.rules(org_id, id) ON DELETE SET NULL (rule_id),
  constraint deliveries_kind_check CHECK ((kind = ANY (ARRAY['event'::text, 'digest'::text, 'test'::text]))),
  constraint deliveries_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sending'::text, 'delivered'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX deliveries_channel ON notifications.deliveries USING btree (org_id, channel_id, id DESC);
CREATE UNIQUE INDEX deliveries_digest ON notifications.deliveries USING btree (org_id, rule_id, digest_at, part) WHERE (digest_at IS NOT NULL);
CREATE INDEX deliveries_ended ON notifications.deliveries USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX deliveries_newest ON notifications.deliveries USING btree (org_id, id DESC);
CREATE INDEX deliveries_rule ON notifications.deliveries USING btree (org_id, rule_id, id DESC);
CREATE INDEX deliveries_waiting ON notifications.deliveries USING btree (org_id, channel_id, next_at, id) WHERE (state = ANY (ARRAY['waiting'::text, 'sending'::text]));
alter table notifications.deliveries enable row level security;
alter table notifications.deliveries force row level security;
create policy tenant on notifications.deliveries for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on notifications.deliveries to qinfra_app;
grant delete, select on notifications.deliveries to qinfra_system;

create table notifications.items (
  org_id uuid not null,
  delivery_id uuid not null,
  event_id uuid not null,
  position bigint not null,
  type text not null,
  event jsonb not null,
  constraint items_pkey PRIMARY KEY (org_id, delivery_id, event_id),
  constraint items_org_id_delivery_id_fkey FOREIGN KEY (org_id, delivery_id) REFERENCES notifications.deliveries(org_id, id) ON DELETE CASCADE
);
alter table notifications.items enable row level security;
alter table notifications.items force row level security;
create policy tenant on notifications.items for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on notifications.items to qinfra_app;

create table notifications.rules (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  channel_id uuid not null,
  enabled boolean not null,
  types text[] not null,
  permissions text[] not null,
  filter jsonb not null,
  urgent jsonb,
  template jsonb,
  digest jsonb,
  quiet jsonb,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint rules_pkey PRIMARY KEY (org_id, id),
  constraint rules_org_id_name_key UNIQUE (org_id, name),
  constraint rules_org_id_channel_id_fkey FOREIGN KEY (org_id, channel_id) REFERENCES notifications.channels(org_id, id) ON DELETE CASCADE
);
CREATE INDEX rules_channel ON notifications.rules USING btree (org_id, channel_id);
alter table notifications.rules enable row level security;
alter table notifications.rules force row level security;
create policy tenant on notifications.rules for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on notifications.rules to qinfra_app;

create schema organizations;
grant usage on schema organizations to qinfra_app;
grant usage on schema organizations to qinfra_system;

CREATE OR REPLACE FUNCTION organizations.keep_past_membership()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;
grant execute on function organizations.keep_past_membership() to public;

create table organizations.api_keys (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  prefix text not null,
  hash bytea not null,
  scopes text[] not null,
  agent boolean not null,
  created_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  revoked_at timestamp with time zone,
  acts_as uuid,
  constraint api_keys_pkey PRIMARY KEY (org_id, id),
  constraint api_keys_acts_as_fkey FOREIGN KEY (acts_as) REFERENCES organizations.users(id),
  constraint api_keys_created_by_fkey FOREIGN KEY (created_by) REFERENCES organizations.users(id),
  constraint api_keys_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id)
);
CREATE INDEX api_keys_acts_as ON organizations.api_keys USING btree (acts_as) WHERE (acts_as IS NOT NULL);
CREATE INDEX api_keys_maker ON organizations.api_keys USING btree (org_id, created_by);
CREATE UNIQUE INDEX api_keys_prefix ON organizations.api_keys USING btree (prefix);
alter table organizations.api_keys enable row level security;
alter table organizations.api_keys force row level security;
create policy tenant on organizations.api_keys for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert on organizations.api_keys to qinfra_app;
grant delete, insert, select, update on organizations.api_keys to qinfra_system;
grant select (org_id, id, name, prefix, scopes, agent, created_by, created_at, expires_at, last_used_at, revoked_at, acts_as) on organizations.api_keys to qinfra_app;
grant update (revoked_at) on organizations.api_keys to qinfra_app;

create table organizations.deletions (
  organization uuid not null,
  slug text not null,
  requested_by uuid not null,
  requested_at timestamp with time zone not null,
  due_at timestamp with time zone not null,
  state text not null,
  progress jsonb not null default '{}'::jsonb,
  finished_at timestamp with time zone,
  constraint deletions_pkey PRIMARY KEY (organization),
  constraint deletions_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'restored'::text, 'erasing'::text, 'done'::text])))
);
alter table organizations.deletions enable row level security;
alter table organizations.deletions force row level security;
create policy erasure on organizations.deletions for select to qinfra_owner using (true);
grant delete, insert, select, update on organizations.deletions to qinfra_system;

create table organizations.invitations (
  org_id uuid not null,
  id uuid not null,
  hash bytea not null,
  role text not null,
  email text,
  invited_by uuid not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  accepted_at timestamp with time zone,
  accepted_by uuid,
  revoked_at timestamp with time zone,
  constraint invitations_pkey PRIMARY KEY (org_id, id),
  constraint invitations_accepted_by_fkey FOREIGN KEY (accepted_by) REFERENCES organizations.users(id),
  constraint invitations_invited_by_fkey FOREIGN KEY (invited_by) REFERENCES organizations.users(id),
  constraint invitations_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id),
  constraint invitations_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'viewer'::text, 'auditor'::text])))
);
CREATE INDEX invitations_acceptor ON organizations.invitations USING btree (accepted_by) WHERE (accepted_by IS NOT NULL);
CREATE UNIQUE INDEX invitations_hash ON organizations.invitations USING btree (hash);
CREATE INDEX invitations_inviter ON organizations.invitations USING btree (invited_by);
alter table organizations.invitations enable row level security;
alter table organizations.invitations force row level security;
create policy tenant on organizations.invitations for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert on organizations.invitations to qinfra_app;
grant delete, insert, select, update on organizations.invitations to qinfra_system;
grant select (org_id, id, role, email, invited_by, created_at, expires_at, accepted_at, accepted_by, revoked_at) on organizations.invitations to qinfra_app;
grant update (revoked_at) on organizations.invitations to qinfra_app;

create table organizations.memberships (
  org_id uuid not null,
  user_id uuid not null,
  role text not null,
  created_at timestamp with time zone not null,
  issuer text,
  claimed_at timestamp with time zone,
  constraint memberships_pkey PRIMARY KEY (org_id, user_id),
  constraint memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id),
  constraint memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id),
  constraint memberships_issuer CHECK (((issuer IS NULL) = (claimed_at IS NULL))),
  constraint memberships_role_check CHECK ((role = ANY (ARRAY['admin'::text, 'operator'::text, 'viewer'::text, 'auditor'::text])))
);
CREATE INDEX memberships_user ON organizations.memberships USING btree (user_id, created_at, org_id);
CREATE TRIGGER memberships_changed AFTER UPDATE ON organizations.memberships FOR EACH ROW WHEN ((old.role <> new.role)) EXECUTE FUNCTION organizations.keep_past_membership();
CREATE TRIGGER memberships_ended AFTER DELETE ON organizations.memberships FOR EACH ROW EXECUTE FUNCTION organizations.keep_past_membership();
alter table organizations.memberships enable row level security;
alter table organizations.memberships force row level security;
create policy tenant on organizations.memberships for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on organizations.memberships to qinfra_app;
grant delete, insert, select, update on organizations.memberships to qinfra_system;
grant update (role) on organizations.memberships to qinfra_app;

create table organizations.oidc_keys (
  id text not null,
  sealed text not null,
  created_at timestamp with time zone not null,
  retires_at timestamp with time zone,
  constraint oidc_keys_pkey PRIMARY KEY (id)
);
alter table organizations.oidc_keys enable row level security;
alter table organizations.oidc_keys force row level security;
grant delete, insert, select, update on organizations.oidc_keys to qinfra_system;

create table organizations.oidc_payloads (
  model text not null,
  id bytea not null,
  payload jsonb not null,
  grant_id bytea,
  user_code bytea,
  uid bytea,
  consumed_at timestamp with time zone,
  expires_at timestamp with time zone,
  constraint oidc_payloads_pkey PRIMARY KEY (model, id)
);
CREATE INDEX oidc_payloads_age ON organizations.oidc_payloads USING btree (expires_at);
CREATE INDEX oidc_payloads_grant ON organizations.oidc_payloads USING btree (grant_id) WHERE (grant_id IS NOT NULL);
CREATE INDEX oidc_payloads_uid ON organizations.oidc_payloads USING btree (uid) WHERE (uid IS NOT NULL);
CREATE INDEX oidc_payloads_user_code ON organizations.oidc_payloads USING btree (user_code) WHERE (user_code IS NOT NULL);
alter table organizations.oidc_payloads enable row level security;
alter table organizations.oidc_payloads force row level security;
grant delete, insert, select, update on organizations.oidc_payloads to qinfra_system;

create table organizations.organizations (
  id uuid not null,
  name text not null,
  slug text not null,
  is_platform boolean not null default false,
  settings jsonb not null default '{}'::jsonb,
  created_at timestamp with time zone not null,
  closed_at timestamp with time zone,
  due_at timestamp with time zone,
  constraint organizations_pkey PRIMARY KEY (id),
  constraint organizations_slug_key UNIQUE (slug),
  constraint organizations_closed CHECK (((closed_at IS NULL) = (due_at IS NULL)))
);
CREATE UNIQUE INDEX organizations_one_platform ON organizations.organizations USING btree (is_platform) WHERE is_platform;
alter table organizations.organizations enable row level security;
alter table organizations.organizations force row level security;
create policy tenant on organizations.organizations for all to public using ((id = platform.current_org())) with check ((id = platform.current_org()));
grant select on organizations.organizations to qinfra_app;
grant delete, insert, select, update on organizations.organizations to qinfra_system;

create table organizations.passkeys (
  id bytea not null,
  user_id uuid not null,
  public_key bytea not null,
  counter bigint not null,
  transports text[] not null,
  name text not null,
  backed_up boolean not null,
  created_at timestamp with time zone not null,
  last_used_at timestamp with time zone,
  constraint passkeys_pkey PRIMARY KEY (id),
  constraint passkeys_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id)
);
CREATE INDEX passkeys_user ON organizations.passkeys USING btree (user_id);
alter table organizations.passkeys enable row level security;
alter table organizations.passkeys force row level security;
grant delete, insert, select, update on organizations.passkeys to qinfra_system;

create table organizations.password_credentials (
  user_id uuid not null,
  hash text not null,
  one_time boolean not null,
  sealed text,
  used_at timestamp with time zone,
  changed_at timestamp with time zone not null,
  constraint password_credentials_pkey PRIMARY KEY (user_id),
  constraint password_credentials_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id),
  constraint password_credentials_check CHECK (((sealed IS NULL) OR one_time))
);
alter table organizations.password_credentials enable row level security;
alter table organizations.password_credentials force row level security;
grant delete, insert, select, update on organizations.password_credentials to qinfra_system;

create table organizations.past_memberships (
  org_id uuid not null,
  user_id uuid not null,
  role text not null,
  until timestamp with time zone not null,
  constraint past_memberships_pkey PRIMARY KEY (org_id, user_id, role),
  constraint past_memberships_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id) ON DELETE CASCADE,
  constraint past_memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id)
);
CREATE INDEX past_memberships_user ON organizations.past_memberships USING btree (user_id);
alter table organizations.past_memberships enable row level security;
alter table organizations.past_memberships force row level security;
create policy tenant on organizations.past_memberships for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on organizations.past_memberships to qinfra_app;
grant delete, insert, select, update on organizations.past_memberships to qinfra_system;

create table organizations.quotas (
  org_id uuid not null,
  resource text not null,
  most bigint,
  constraint quotas_pkey PRIMARY KEY (org_id, resource),
  constraint quotas_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id),
  constraint quotas_most_check CHECK ((most >= 0)),
  constraint quotas_resource_check CHECK ((resource = ANY (ARRAY['assets'::text, 'images'::text, 'scans'::text, 'storage'::text])))
);
alter table organizations.quotas enable row level security;
alter table organizations.quotas force row level security;
create policy tenant on organizations.quotas for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant select on organizations.quotas to qinfra_app;
grant delete, insert, select, update on organizations.quotas to qinfra_system;

create table organizations.recovery_codes (
  user_id uuid not null,
  hash bytea not null,
  used_at timestamp with time zone,
  constraint recovery_codes_pkey PRIMARY KEY (user_id, hash),
  constraint recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id)
);
alter table organizations.recovery_codes enable row level security;
alter table organizations.recovery_codes force row level security;
grant delete, insert, select, update on organizations.recovery_codes to qinfra_system;

create table organizations.sessions (
  hash bytea not null,
  id uuid not null,
  user_id uuid not null,
  org_id uuid not null,
  door text not null,
  must_change boolean not null,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  last_seen_at timestamp with time zone not null,
  revoked_at timestamp with time zone,
  issuer text not null default 'local'::text,
  second_factor boolean not null default false,
  confirmed_at timestamp with time zone,
  constraint sessions_pkey PRIMARY KEY (hash),
  constraint sessions_id_key UNIQUE (id),
  constraint sessions_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id),
  constraint sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id),
  constraint sessions_door_check CHECK ((door = ANY (ARRAY['browser'::text, 'cli'::text])))
);
CREATE INDEX sessions_user ON organizations.sessions USING btree (user_id, id);
alter table organizations.sessions enable row level security;
alter table organizations.sessions force row level security;
create policy tenant on organizations.sessions for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on organizations.sessions to qinfra_system;

create table organizations.settings_history (
  org_id uuid not null,
  version integer not null,
  settings jsonb not null,
  changed_by uuid not null,
  changed_at timestamp with time zone not null,
  constraint settings_history_pkey PRIMARY KEY (org_id, version),
  constraint settings_history_org_id_fkey FOREIGN KEY (org_id) REFERENCES organizations.organizations(id),
  constraint settings_history_version_check CHECK ((version > 0))
);
alter table organizations.settings_history enable row level security;
alter table organizations.settings_history force row level security;
create policy tenant on organizations.settings_history for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select on organizations.settings_history to qinfra_app;
grant delete, insert, select, update on organizations.settings_history to qinfra_system;

create table organizations.single_use (
  hash bytea not null,
  purpose text not null,
  user_id uuid,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone not null,
  used_at timestamp with time zone,
  constraint single_use_pkey PRIMARY KEY (hash),
  constraint single_use_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id),
  constraint single_use_purpose_check CHECK ((purpose = ANY (ARRAY['webauthn'::text, 'id-token'::text, 'password-reset'::text])))
);
CREATE INDEX single_use_age ON organizations.single_use USING btree (expires_at);
CREATE INDEX single_use_user ON organizations.single_use USING btree (user_id) WHERE (user_id IS NOT NULL);
alter table organizations.single_use enable row level security;
alter table organizations.single_use force row level security;
grant delete, insert, select, update on organizations.single_use to qinfra_system;

create table organizations.totp (
  user_id uuid not null,
  secret text not null,
  confirmed_at timestamp with time zone,
  last_step bigint not null default 0,
  created_at timestamp with time zone not null,
  constraint totp_pkey PRIMARY KEY (user_id),
  constraint totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id)
);
alter table organizations.totp enable row level security;
alter table organizations.totp force row level security;
grant delete, insert, select, update on organizations.totp to qinfra_system;

create table organizations.user_identities (
  issuer text not null,
  subject text not null,
  user_id uuid not null,
  created_at timestamp with time zone not null,
  claimed_at timestamp with time zone,
  constraint user_identities_pkey PRIMARY KEY (issuer, subject),
  constraint user_identities_user_id_fkey FOREIGN KEY (user_id) REFERENCES organizations.users(id)
);
CREATE INDEX user_identities_user ON organizations.user_identities USING btree (user_id);
alter table organizations.user_identities enable row level security;
alter table organizations.user_identities force row level security;
grant delete, insert, select, update on organizations.user_identities to qinfra_system;

create table organizations.users (
  id uuid not null,
  name text not null,
  display_name text not null,
  email text,
  created_at timestamp with time zone not null,
  disabled_at timestamp with time zone,
  kind text not null default 'person'::text,
  erased_at timestamp with time zone,
  constraint users_pkey PRIMARY KEY (id),
  constraint users_kind_check CHECK ((kind = ANY (ARRAY['person'::text, 'service'::text])))
);
CREATE UNIQUE INDEX users_name ON organizations.users USING btree (lower(name));
alter table organizations.users enable row level security;
alter table organizations.users force row level security;
create policy member on organizations.users for select to public using ((EXISTS ( SELECT
   FROM organizations.memberships m
  WHERE ((m.org_id = platform.current_org()) AND (m.user_id = users.id)))));
grant select on organizations.users to qinfra_app;
grant delete, insert, select, update on organizations.users to qinfra_system;

create view organizations.api_key_names with (security_invoker=true) as
 SELECT org_id,
    id,
    name,
    agent,
    created_by
   FROM organizations.api_keys;
grant select on organizations.api_key_names to qinfra_app;
grant select on organizations.api_key_names to qinfra_system;

create view organizations.api_members with (security_invoker=true) as
 SELECT m.org_id,
    m.user_id,
    m.role,
    m.created_at,
    u.name,
    u.display_name,
    u.email,
    u.disabled_at
   FROM (organizations.memberships m
     JOIN organizations.users u ON ((u.id = m.user_id)));
grant select on organizations.api_members to qinfra_app;
grant select on organizations.api_members to qinfra_system;

create view organizations.api_organizations with (security_invoker=true) as
 SELECT id,
    name,
    slug,
    is_platform,
    settings,
    created_at
   FROM organizations.organizations;
grant select on organizations.api_organizations to qinfra_app;
grant select on organizations.api_organizations to qinfra_system;

create schema platform;
grant usage on schema platform to qinfra_app;
grant usage on schema platform to qinfra_system;

CREATE OR REPLACE FUNCTION platform.current_org()
 RETURNS uuid
 LANGUAGE sql
 STABLE PARALLEL SAFE
RETURN (NULLIF(current_setting('app.org_id'::text, true), ''::text))::uuid
;
grant execute on function platform.current_org() to public;
grant execute on function platform.current_org() to qinfra_app;
grant execute on function platform.current_org() to qinfra_system;

CREATE OR REPLACE FUNCTION platform.erase_rows(p_org uuid, p_table regclass, p_limit integer)
 RETURNS bigint
 LANGUAGE plpgsql
 SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
declare
  part oid;
  removed bigint;
  placed bigint := 0;
  last bigint;
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
  if p_table = 'events.log'::regclass then
    with gone as (
      delete from events.log where tableoid = part and org_id = p_org
        and ctid = any (array(select ctid from events.log where tableoid = part and org_id = p_org limit p_limit))
      returning position
    ) select count(*), count(position), max(position) into removed, placed, last from gone;
  elsif p_table = to_regclass('events.exports') then
    -- Of events that are in the files alone; the others are counted where they are removed from the log.
    with gone as (
      delete from events.exports where org_id = p_org and ctid = any (array(select ctid from events.exports where org_id = p_org limit p_limit))
      returning events, last_position, retired_at
    ) select count(*), coalesce(sum(events) filter (where retired_at is not null), 0), max(last_position) filter (where retired_at is not null)
      into removed, placed, last from gone;
  else
    execute format('delete from %1$s where tableoid = $2 and org_id = $1
      and ctid = any (array(select ctid from %1$s where tableoid = $2 and org_id = $1 limit $3))', p_table) using p_org, part, p_limit;
    get diagnostics removed = row_count;
  end if;
  if placed > 0 then
    insert into events.erased as e (organization, events, last_position) values (p_org, placed, last)
    on conflict (organization) do update set events = e.events + excluded.events, last_position = greatest(e.last_position, excluded.last_position);
  end if;
  return removed;
end $function$
;
grant execute on function platform.erase_rows(uuid,regclass,integer) to qinfra_system;

CREATE OR REPLACE FUNCTION platform.erasure_begun(p_org uuid)
 RETURNS boolean
 LANGUAGE sql
 STABLE SECURITY DEFINER
 SET search_path TO 'pg_catalog', 'pg_temp'
AS $function$
  select exists (select from organizations.deletions d where d.organization = p_org and d.state in ('erasing', 'done'))
$function$
;
grant execute on function platform.erasure_begun(uuid) to qinfra_system;

create table platform.approval_comments (
  org_id uuid not null,
  id uuid not null,
  approval_id uuid not null,
  revision integer not null,
  author_id uuid not null,
  author_kind text not null,
  ai boolean not null,
  text text,
  created_at timestamp with time zone not null,
  constraint approval_comments_pkey PRIMARY KEY (org_id, id),
  constraint approval_comments_org_id_approval_id_fkey FOREIGN KEY (org_id, approval_id) REFERENCES platform.approvals(org_id, id) ON DELETE CASCADE
);
CREATE INDEX approval_comments_of ON platform.approval_comments USING btree (org_id, approval_id, created_at);
alter table platform.approval_comments enable row level security;
alter table platform.approval_comments force row level security;
create policy tenant on platform.approval_comments for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.approval_comments to qinfra_app;
grant delete, insert, select, update on platform.approval_comments to qinfra_system;

create table platform.approval_decisions (
  org_id uuid not null,
  approval_id uuid not null,
  revision integer not null,
  user_id uuid not null,
  counts_for uuid not null,
  role text not null,
  decision text not null,
  hash bytea not null,
  sole boolean not null,
  reason text,
  created_at timestamp with time zone not null,
  constraint approval_decisions_pkey PRIMARY KEY (org_id, approval_id, revision, user_id),
  constraint approval_decisions_org_id_approval_id_fkey FOREIGN KEY (org_id, approval_id) REFERENCES platform.approvals(org_id, id) ON DELETE CASCADE,
  constraint approval_decisions_decision_check CHECK ((decision = ANY (ARRAY['approve'::text, 'reject'::text])))
);
CREATE UNIQUE INDEX approval_decisions_once ON platform.approval_decisions USING btree (org_id, approval_id, revision, counts_for);
alter table platform.approval_decisions enable row level security;
alter table platform.approval_decisions force row level security;
create policy tenant on platform.approval_decisions for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.approval_decisions to qinfra_app;
grant delete, insert, select, update on platform.approval_decisions to qinfra_system;

create table platform.approval_delegations (
  org_id uuid not null,
  id uuid not null,
  from_user uuid not null,
  to_user uuid not null,
  operations text[],
  starts_at timestamp with time zone not null,
  ends_at timestamp with time zone not null,
  created_at timestamp with time zone not null,
  ended_at timestamp with time zone,
  constraint approval_delegations_pkey PRIMARY KEY (org_id, id),
  constraint approval_delegations_check CHECK ((from_user <> to_user))
);
CREATE INDEX approval_delegations_newest ON platform.approval_delegations USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX approval_delegations_to ON platform.approval_delegations USING btree (org_id, to_user, ends_at);
alter table platform.approval_delegations enable row level security;
alter table platform.approval_delegations force row level security;
create policy tenant on platform.approval_delegations for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.approval_delegations to qinfra_app;
grant delete, insert, select, update on platform.approval_delegations to qinfra_system;

create table platform.approvals (
  org_id uuid not null,
  id uuid not null,
  operation text not null,
  revision integer not null default 1,
  input text not null,
  plan text,
  hash bytea not null,
  state text not null,
  reasons text[] not null,
  approvers jsonb not null,
  requester jsonb not null,
  requester_id uuid not null,
  requesters uuid[] not null,
  door text not null,
  request_id text not null,
  idempotency_key text,
  run_id uuid not null,
  self_approved boolean not null default false,
  output text,
  failure jsonb,
  created_at timestamp with time zone not null,
  escalate_at timestamp with time zone,
  escalated_at timestamp with time zone,
  expires_at timestamp with time zone not null,
  decided_at timestamp with time zone,
  run_before timestamp with time zone,
  ended_at timestamp with time zone,
  constraint approvals_pkey PRIMARY KEY (org_id, id),
  constraint approvals_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'executed'::text, 'rejected'::text, 'withdrawn'::text, 'expired'::text, 'outdated'::text, 'failed'::text])))
);
CREATE INDEX approvals_open ON platform.approvals USING btree (org_id, id) WHERE (state = ANY (ARRAY['pending'::text, 'approved'::text]));
CREATE UNIQUE INDEX approvals_pending ON platform.approvals USING btree (org_id, requester_id, hash) WHERE (state = 'pending'::text);
alter table platform.approvals enable row level security;
alter table platform.approvals force row level security;
create policy tenant on platform.approvals for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.approvals to qinfra_app;
grant delete, insert, select, update on platform.approvals to qinfra_system;

create table platform.data_keys (
  org_id uuid not null,
  id text not null,
  wrapped text not null,
  created_at timestamp with time zone not null,
  constraint data_keys_pkey PRIMARY KEY (org_id, id)
);
alter table platform.data_keys enable row level security;
alter table platform.data_keys force row level security;
create policy tenant on platform.data_keys for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.data_keys to qinfra_system;

create table platform.idempotency_keys (
  org_id uuid not null,
  actor_id text not null,
  operation text not null,
  key text not null,
  input_hash bytea not null,
  response jsonb,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (org_id, actor_id, operation, key)
);
CREATE INDEX idempotency_keys_age ON platform.idempotency_keys USING btree (created_at);
alter table platform.idempotency_keys enable row level security;
alter table platform.idempotency_keys force row level security;
create policy tenant on platform.idempotency_keys for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select, update on platform.idempotency_keys to qinfra_app;
grant delete, insert, select, update on platform.idempotency_keys to qinfra_system;

create table platform.migrations (
  name text not null,
  sha256 text not null,
  applied_at timestamp with time zone not null default now(),
  constraint migrations_pkey PRIMARY KEY (name)
);
grant select on platform.migrations to qinfra_system;

create table platform.stored (
  org_id uuid not null,
  kind text not null,
  name text not null,
  size bigint not null,
  constraint stored_pkey PRIMARY KEY (org_id, kind, name),
  constraint stored_kind_check CHECK ((kind = ANY (ARRAY['blob'::text, 'object'::text]))),
  constraint stored_size_check CHECK ((size >= 0))
);
alter table platform.stored enable row level security;
alter table platform.stored force row level security;
create policy tenant on platform.stored for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.stored to qinfra_system;

create table platform.strangers (
  minute timestamp with time zone not null,
  reason text not null,
  network text not null,
  count bigint not null,
  constraint strangers_pkey PRIMARY KEY (minute, reason, network)
);
grant delete, insert, select, update on platform.strangers to qinfra_system;

create table platform.usage (
  org_id uuid not null,
  resource text not null,
  period text not null default ''::text,
  used bigint not null,
  constraint usage_pkey PRIMARY KEY (org_id, resource, period)
);
alter table platform.usage enable row level security;
alter table platform.usage force row level security;
create policy tenant on platform.usage for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select, update on platform.usage to qinfra_app;
grant delete, insert, select, update on platform.usage to qinfra_system;

create table platform.workflow_attempts (
  org_id uuid not null,
  run_id uuid not null,
  seq integer not null,
  execution integer not null,
  attempt integer not null,
  step text not null,
  failure jsonb not null,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone not null,
  constraint workflow_attempts_pkey PRIMARY KEY (org_id, run_id, seq, execution, attempt),
  constraint workflow_attempts_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES platform.workflow_runs(org_id, id) ON DELETE CASCADE
);
alter table platform.workflow_attempts enable row level security;
alter table platform.workflow_attempts force row level security;
create policy tenant on platform.workflow_attempts for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.workflow_attempts to qinfra_app;
grant delete, insert, select, update on platform.workflow_attempts to qinfra_system;

create table platform.workflow_executors (
  id text not null,
  seen_at timestamp with time zone not null,
  constraint workflow_executors_pkey PRIMARY KEY (id)
);
grant delete, insert, select, update on platform.workflow_executors to qinfra_system;

create table platform.workflow_messages (
  org_id uuid not null,
  id uuid not null,
  run_id uuid not null,
  body jsonb not null,
  created_at timestamp with time zone not null,
  handed_at timestamp with time zone,
  constraint workflow_messages_pkey PRIMARY KEY (org_id, id),
  constraint workflow_messages_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES platform.workflow_runs(org_id, id) ON DELETE CASCADE
);
CREATE INDEX workflow_messages_run ON platform.workflow_messages USING btree (org_id, run_id, created_at);
CREATE INDEX workflow_messages_waiting ON platform.workflow_messages USING btree (created_at, id) WHERE (handed_at IS NULL);
alter table platform.workflow_messages enable row level security;
alter table platform.workflow_messages force row level security;
create policy tenant on platform.workflow_messages for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.workflow_messages to qinfra_app;
grant delete, insert, select, update on platform.workflow_messages to qinfra_system;

create table platform.workflow_runs (
  org_id uuid not null,
  id uuid not null,
  workflow text not null,
  state text not null,
  input jsonb not null,
  output jsonb,
  failure jsonb,
  progress jsonb,
  execution integer not null default 1,
  epoch integer not null default 1,
  concurrency_key text,
  actor jsonb not null,
  parent_id uuid,
  parent_seq integer,
  schedule_id uuid,
  scheduled_for timestamp with time zone,
  executor text,
  created_at timestamp with time zone not null,
  handed_at timestamp with time zone,
  ended_at timestamp with time zone,
  cancelled_at timestamp with time zone,
  forgotten_at timestamp with time zone,
  constraint workflow_runs_pkey PRIMARY KEY (org_id, id),
  constraint workflow_runs_org_id_parent_id_fkey FOREIGN KEY (org_id, parent_id) REFERENCES platform.workflow_runs(org_id, id) ON DELETE CASCADE,
  constraint workflow_runs_check CHECK (((parent_id IS NULL) = (parent_seq IS NULL))),
  constraint workflow_runs_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'running'::text, 'succeeded'::text, 'failed'::text, 'cancelled'::text])))
);
CREATE INDEX workflow_runs_ended ON platform.workflow_runs USING btree (ended_at) WHERE ((ended_at IS NOT NULL) AND (forgotten_at IS NULL));
CREATE INDEX workflow_runs_newest ON platform.workflow_runs USING btree (org_id, created_at DESC, id DESC);
CREATE INDEX workflow_runs_old ON platform.workflow_runs USING btree (ended_at) WHERE ((parent_id IS NULL) AND (forgotten_at IS NOT NULL));
CREATE INDEX workflow_runs_open ON platform.workflow_runs USING btree (workflow, org_id, concurrency_key) WHERE (state = ANY (ARRAY['waiting'::text, 'running'::text]));
CREATE UNIQUE INDEX workflow_runs_parent ON platform.workflow_runs USING btree (org_id, parent_id, parent_seq) WHERE (parent_id IS NOT NULL);
CREATE UNIQUE INDEX workflow_runs_schedule ON platform.workflow_runs USING btree (org_id, schedule_id, scheduled_for DESC) WHERE (schedule_id IS NOT NULL);
CREATE INDEX workflow_runs_taken ON platform.workflow_runs USING btree (executor) WHERE ((state = 'running'::text) AND (handed_at IS NULL));
CREATE INDEX workflow_runs_waiting ON platform.workflow_runs USING btree (workflow, created_at) WHERE (state = 'waiting'::text);
alter table platform.workflow_runs enable row level security;
alter table platform.workflow_runs force row level security;
create policy tenant on platform.workflow_runs for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.workflow_runs to qinfra_app;
grant delete, insert, select, update on platform.workflow_runs to qinfra_system;

create table platform.workflow_schedules (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  workflow text not null,
  input jsonb not null,
  cron text not null,
  time_zone text not null,
  overlap text not null,
  catch_up_seconds integer not null,
  paused boolean not null,
  next_at timestamp with time zone,
  actor jsonb not null,
  created_at timestamp with time zone not null,
  updated_at timestamp with time zone not null,
  constraint workflow_schedules_pkey PRIMARY KEY (org_id, id),
  constraint workflow_schedules_org_id_name_key UNIQUE (org_id, name),
  constraint workflow_schedules_catch_up_seconds_check CHECK ((catch_up_seconds >= 0)),
  constraint workflow_schedules_overlap_check CHECK ((overlap = ANY (ARRAY['skip'::text, 'wait'::text, 'allow'::text, 'cancel'::text])))
);
CREATE INDEX workflow_schedules_due ON platform.workflow_schedules USING btree (next_at) WHERE (NOT paused);
alter table platform.workflow_schedules enable row level security;
alter table platform.workflow_schedules force row level security;
create policy tenant on platform.workflow_schedules for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.workflow_schedules to qinfra_app;
grant delete, insert, select, update on platform.workflow_schedules to qinfra_system;

create table platform.workflow_steps (
  org_id uuid not null,
  run_id uuid not null,
  seq integer not null,
  step text not null,
  attempt integer not null,
  input jsonb not null,
  output jsonb,
  failure jsonb,
  started_at timestamp with time zone not null,
  ended_at timestamp with time zone not null,
  constraint workflow_steps_pkey PRIMARY KEY (org_id, run_id, seq),
  constraint workflow_steps_org_id_run_id_fkey FOREIGN KEY (org_id, run_id) REFERENCES platform.workflow_runs(org_id, id) ON DELETE CASCADE
);
alter table platform.workflow_steps enable row level security;
alter table platform.workflow_steps force row level security;
create policy tenant on platform.workflow_steps for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on platform.workflow_steps to qinfra_app;
grant delete, insert, select, update on platform.workflow_steps to qinfra_system;

create schema software;
grant usage on schema software to qinfra_app;
grant usage on schema software to qinfra_system;

create table software.component_sets (
  org_id uuid not null,
  id uuid not null,
  digest bytea not null,
  size integer not null,
  packages bigint[] not null,
  created_at timestamp with time zone not null,
  touched_at timestamp with time zone not null,
  constraint component_sets_pkey PRIMARY KEY (org_id, id),
  constraint component_sets_org_id_digest_key UNIQUE (org_id, digest)
);
alter table software.component_sets enable row level security;
alter table software.component_sets force row level security;
create policy tenant on software.component_sets for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select, update on software.component_sets to qinfra_app;
grant delete, select on software.component_sets to qinfra_system;

create table software.packages (
  org_id uuid not null,
  id bigint not null generated always as identity,
  key text not null,
  name text not null,
  version text,
  purl text,
  constraint packages_pkey PRIMARY KEY (org_id, id),
  constraint packages_org_id_key_key UNIQUE (org_id, key)
);
alter table software.packages enable row level security;
alter table software.packages force row level security;
create policy tenant on software.packages for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant insert, select, update on software.packages to qinfra_app;
grant delete, select on software.packages to qinfra_system;

create view software.api_component_sets with (security_invoker=true) as
 SELECT org_id,
    id,
    encode(digest, 'hex'::text) AS digest,
    size,
    created_at
   FROM software.component_sets;
grant select on software.api_component_sets to qinfra_app;
grant select on software.api_component_sets to qinfra_system;

create view software.api_components with (security_invoker=true) as
 SELECT s.org_id,
    s.id AS component_set_id,
    p.id AS package_id,
    p.name,
    p.version,
    p.purl
   FROM ((software.component_sets s
     CROSS JOIN LATERAL unnest(s.packages) u(package_id))
     JOIN software.packages p ON (((p.org_id = s.org_id) AND (p.id = u.package_id))));
grant select on software.api_components to qinfra_app;
grant select on software.api_components to qinfra_system;

create schema vulnerabilities;
grant usage on schema vulnerabilities to qinfra_app;
grant usage on schema vulnerabilities to qinfra_system;

create table vulnerabilities.advisories (
  feed_version_id uuid not null,
  id text not null,
  aliases text[] not null,
  summary text,
  severity text not null,
  vector text,
  published timestamp with time zone,
  modified timestamp with time zone,
  constraint advisories_pkey PRIMARY KEY (feed_version_id, id),
  constraint advisories_feed_version_id_fkey FOREIGN KEY (feed_version_id) REFERENCES vulnerabilities.feed_versions(id) ON DELETE CASCADE
);
grant select on vulnerabilities.advisories to qinfra_app;
grant delete, insert, select, update on vulnerabilities.advisories to qinfra_system;

create table vulnerabilities.advisory_aliases (
  feed_version_id uuid not null,
  alias text not null,
  advisory_id text not null,
  constraint advisory_aliases_pkey PRIMARY KEY (feed_version_id, alias, advisory_id),
  constraint advisory_aliases_feed_version_id_fkey FOREIGN KEY (feed_version_id) REFERENCES vulnerabilities.feed_versions(id) ON DELETE CASCADE
);
grant select on vulnerabilities.advisory_aliases to qinfra_app;
grant delete, insert, select, update on vulnerabilities.advisory_aliases to qinfra_system;

create table vulnerabilities.affected (
  feed_version_id uuid not null,
  ecosystem text not null,
  package_key text not null,
  package text not null,
  advisory_id text not null,
  entry jsonb not null,
  constraint affected_feed_version_id_fkey FOREIGN KEY (feed_version_id) REFERENCES vulnerabilities.feed_versions(id) ON DELETE CASCADE
);
CREATE INDEX affected_package ON vulnerabilities.affected USING btree (feed_version_id, ecosystem, package_key);
grant select on vulnerabilities.affected to qinfra_app;
grant delete, insert, select, update on vulnerabilities.affected to qinfra_system;

create table vulnerabilities.feed_ecosystems (
  feed_version_id uuid not null,
  ecosystem text not null,
  constraint feed_ecosystems_pkey PRIMARY KEY (feed_version_id, ecosystem),
  constraint feed_ecosystems_feed_version_id_fkey FOREIGN KEY (feed_version_id) REFERENCES vulnerabilities.feed_versions(id) ON DELETE CASCADE
);
grant select on vulnerabilities.feed_ecosystems to qinfra_app;
grant delete, insert, select, update on vulnerabilities.feed_ecosystems to qinfra_system;

create table vulnerabilities.feed_versions (
  id uuid not null,
  feed text not null,
  state text not null,
  digest text,
  newest timestamp with time zone,
  records integer not null default 0,
  instance integer not null,
  created_at timestamp with time zone not null,
  retired_at timestamp with time zone,
  constraint feed_versions_pkey PRIMARY KEY (id),
  constraint feed_versions_state_check CHECK ((state = ANY (ARRAY['staging'::text, 'current'::text, 'retired'::text])))
);
CREATE INDEX feed_versions_feed ON vulnerabilities.feed_versions USING btree (feed, state);
grant select on vulnerabilities.feed_versions to qinfra_app;
grant delete, insert, select, update on vulnerabilities.feed_versions to qinfra_system;

create table vulnerabilities.feeds (
  name text not null,
  current_version_id uuid not null,
  updated_at timestamp with time zone not null,
  constraint feeds_pkey PRIMARY KEY (name),
  constraint feeds_current_version_id_fkey FOREIGN KEY (current_version_id) REFERENCES vulnerabilities.feed_versions(id)
);
grant select on vulnerabilities.feeds to qinfra_app;
grant delete, insert, select, update on vulnerabilities.feeds to qinfra_system;

create table vulnerabilities.findings (
  org_id uuid not null,
  component_set_id uuid not null,
  advisory_id text not null,
  source text not null,
  source_version text not null,
  matched_by text not null,
  ecosystem text not null,
  matched_source text,
  matched_version text,
  fixed_version text,
  aliases text[] not null,
  severity text not null,
  vector text,
  summary text,
  packages json not null,
  constraint findings_pkey PRIMARY KEY (org_id, component_set_id, advisory_id, ecosystem, source, source_version, matched_by),
  constraint findings_org_id_component_set_id_fkey FOREIGN KEY (org_id, component_set_id) REFERENCES vulnerabilities.matches(org_id, component_set_id) ON DELETE CASCADE,
  constraint findings_matched_by_check CHECK ((matched_by = ANY (ARRAY['source'::text, 'signed-source'::text, 'package'::text])))
);
CREATE INDEX findings_advisory ON vulnerabilities.findings USING btree (org_id, advisory_id);
alter table vulnerabilities.findings enable row level security;
alter table vulnerabilities.findings force row level security;
create policy tenant on vulnerabilities.findings for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on vulnerabilities.findings to qinfra_app;
grant delete, select on vulnerabilities.findings to qinfra_system;

create table vulnerabilities.matches (
  org_id uuid not null,
  component_set_id uuid not null,
  database_digest text not null,
  database_newest timestamp with time zone,
  summary json not null,
  could_not_match json not null,
  matched_at timestamp with time zone not null,
  constraint matches_pkey PRIMARY KEY (org_id, component_set_id)
);
alter table vulnerabilities.matches enable row level security;
alter table vulnerabilities.matches force row level security;
create policy tenant on vulnerabilities.matches for all to public using ((org_id = platform.current_org())) with check ((org_id = platform.current_org()));
grant delete, insert, select, update on vulnerabilities.matches to qinfra_app;
grant delete, select on vulnerabilities.matches to qinfra_system;

create view vulnerabilities.api_matches with (security_invoker=true) as
 SELECT org_id,
    component_set_id,
    summary,
    matched_at
   FROM vulnerabilities.matches;
grant select on vulnerabilities.api_matches to qinfra_app;
grant select on vulnerabilities.api_matches to qinfra_system;
