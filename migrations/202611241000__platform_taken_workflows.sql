-- What a server took and has not handed over is looked for each second; it is a handful among all that run.
create index workflow_runs_taken on platform.workflow_runs (executor) where state = 'running' and handed_at is null;
