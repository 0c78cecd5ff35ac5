-- Workflows: what was asked for, what came of it, and what each step did. The engine (DBOS in schema `dbos`, or Temporal)
-- keeps its own records of what runs; these are the platform's, the same for every engine.

create table platform.workflow_runs (
  org_id uuid not null,
  id uuid not null,
  workflow text not null,
  state text not null check (state in ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
  input jsonb not null,
  output jsonb,
  failure jsonb,
  progress jsonb,
  -- The next attempt at the whole run is another execution of the engine, which finds the steps that are done.
  execution integer not null default 1,
  -- How often the run began from its first step: steps that were undone are done again under other keys.
  epoch integer not null default 1,
  concurrency_key text,
  actor jsonb not null,
  parent_id uuid,
  parent_seq integer,
  schedule_id uuid,
  scheduled_for timestamptz,
  executor text,
  created_at timestamptz not null,
  handed_at timestamptz,
  ended_at timestamptz,
  cancelled_at timestamptz,
  -- Since when the engine knows nothing of it any more.
  forgotten_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, parent_id) references platform.workflow_runs (org_id, id) on delete cascade,
  check ((parent_id is null) = (parent_seq is null))
);
create index workflow_runs_waiting on platform.workflow_runs (workflow, created_at) where state = 'waiting';
create index workflow_runs_open on platform.workflow_runs (workflow, org_id, concurrency_key) where state in ('waiting', 'running');
create index workflow_runs_newest on platform.workflow_runs (org_id, created_at desc, id desc);
create index workflow_runs_ended on platform.workflow_runs (ended_at) where ended_at is not null and forgotten_at is null;
create unique index workflow_runs_parent on platform.workflow_runs (org_id, parent_id, parent_seq) where parent_id is not null;
create unique index workflow_runs_schedule on platform.workflow_runs (org_id, schedule_id, scheduled_for desc) where schedule_id is not null;
alter table platform.workflow_runs enable row level security;
alter table platform.workflow_runs force row level security;
create policy tenant on platform.workflow_runs using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.workflow_runs to qinfra_app, qinfra_system;

-- What a run is told: signals, its cancellation, the ends of its children. Handed to the engine under this id.
create table platform.workflow_messages (
  org_id uuid not null,
  id uuid not null,
  run_id uuid not null,
  body jsonb not null,
  created_at timestamptz not null,
  handed_at timestamptz,
  primary key (org_id, id),
  foreign key (org_id, run_id) references platform.workflow_runs (org_id, id) on delete cascade
);
create index workflow_messages_waiting on platform.workflow_messages (created_at, id) where handed_at is null;
create index workflow_messages_run on platform.workflow_messages (org_id, run_id, created_at);
alter table platform.workflow_messages enable row level security;
alter table platform.workflow_messages force row level security;
create policy tenant on platform.workflow_messages using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.workflow_messages to qinfra_app, qinfra_system;

-- A step's row is written in the transaction of its effect, which is how the effect happens once.
create table platform.workflow_steps (
  org_id uuid not null,
  run_id uuid not null,
  seq integer not null,
  step text not null,
  attempt integer not null,
  input jsonb not null,
  output jsonb,
  failure jsonb,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  primary key (org_id, run_id, seq),
  foreign key (org_id, run_id) references platform.workflow_runs (org_id, id) on delete cascade
);
alter table platform.workflow_steps enable row level security;
alter table platform.workflow_steps force row level security;
create policy tenant on platform.workflow_steps using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.workflow_steps to qinfra_app, qinfra_system;

-- Attempts that failed and were followed by another.
create table platform.workflow_attempts (
  org_id uuid not null,
  run_id uuid not null,
  seq integer not null,
  execution integer not null,
  attempt integer not null,
  step text not null,
  failure jsonb not null,
  started_at timestamptz not null,
  ended_at timestamptz not null,
  primary key (org_id, run_id, seq, execution, attempt),
  foreign key (org_id, run_id) references platform.workflow_runs (org_id, id) on delete cascade
);
alter table platform.workflow_attempts enable row level security;
alter table platform.workflow_attempts force row level security;
create policy tenant on platform.workflow_attempts using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.workflow_attempts to qinfra_app, qinfra_system;

-- When workflows are started by themselves.
create table platform.workflow_schedules (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  workflow text not null,
  input jsonb not null,
  cron text not null,
  time_zone text not null,
  overlap text not null check (overlap in ('skip', 'wait', 'allow', 'cancel')),
  catch_up_seconds integer not null check (catch_up_seconds >= 0),
  paused boolean not null,
  next_at timestamptz,
  actor jsonb not null,
  created_at timestamptz not null,
  updated_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name)
);
create index workflow_schedules_due on platform.workflow_schedules (next_at) where not paused;
alter table platform.workflow_schedules enable row level security;
alter table platform.workflow_schedules force row level security;
create policy tenant on platform.workflow_schedules using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.workflow_schedules to qinfra_app, qinfra_system;

-- Servers that run workflows; one that has not been seen for a while has its runs taken over.
create table platform.workflow_executors (
  id text primary key,
  seen_at timestamptz not null
);
grant select, insert, update, delete on platform.workflow_executors to qinfra_system;
