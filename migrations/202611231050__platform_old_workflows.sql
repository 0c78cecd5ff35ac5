-- Runs that are over are removed when a policy says so, each with the runs that it started.
create index workflow_runs_old on platform.workflow_runs (ended_at) where parent_id is null and forgotten_at is not null;
