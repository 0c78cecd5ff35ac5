-- Module analytics: what happened, by organization and UTC day. All of it is projected from the event log.
create schema analytics;
grant usage on schema analytics to qinfra_app, qinfra_system;

-- By how much a metric changed on a day: how often something happened, or what a level rose or fell by.
create table analytics.activity (
  org_id uuid not null,
  build integer not null,
  metric text not null,
  day date not null,
  value bigint not null,
  primary key (org_id, build, metric, day)
);
create table analytics.exposure (
  org_id uuid not null,
  build integer not null,
  metric text not null,
  day date not null,
  value bigint not null,
  primary key (org_id, build, metric, day)
);

-- Which software each asset and image has, as far as its findings are counted, and what was recorded and is not matched yet.
create table analytics.exposed_targets (
  org_id uuid not null,
  build integer not null,
  target text not null,
  kind text not null check (kind in ('asset', 'image')),
  counted text,
  pending text,
  primary key (org_id, build, target)
);
create index exposed_targets_pending on analytics.exposed_targets (org_id, build, pending) where pending is not null;

-- Findings of each component set by severity, and how many assets and images count them.
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
  primary key (org_id, build, component_set)
);

do $$
declare t text;
begin
  foreach t in array array['activity', 'exposure', 'exposed_targets', 'exposed_sets'] loop
    execute format('alter table analytics.%I enable row level security', t);
    execute format('alter table analytics.%I force row level security', t);
    execute format('create policy tenant on analytics.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', t);
    execute format('grant select on analytics.%I to qinfra_app', t);
    execute format('grant select, insert, update, delete on analytics.%I to qinfra_system', t);
  end loop;
end $$;

-- Of the builds that are read.
create view analytics.api_series with (security_invoker = true) as
  select s.org_id, s.metric, s.day, s.value from analytics.activity s
    join events.projections p on p.name = 'analytics.activity' and p.build = s.build and p.state = 'active'
  union all
  select s.org_id, s.metric, s.day, s.value from analytics.exposure s
    join events.projections p on p.name = 'analytics.exposure' and p.build = s.build and p.state = 'active';
grant select on analytics.api_series to qinfra_app, qinfra_system;
