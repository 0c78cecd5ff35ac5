-- Approvals: what was asked for and waits for people, and what they said. What may run is bound to the SHA-256 of operation,
-- canonical input and plan; an approval is used up in the transaction of the change that it allows.

create table platform.approvals (
  org_id uuid not null,
  id uuid not null,
  operation text not null,
  -- Counts the modifications; a decision holds for one revision.
  revision integer not null default 1,
  -- Canonical JSON as text, byte for byte what the hash was made of.
  input text not null,
  plan text,
  hash bytea not null,
  state text not null check (state in ('pending', 'approved', 'executed', 'rejected', 'withdrawn', 'expired', 'outdated', 'failed')),
  reasons text[] not null,
  -- [{"role": "admin", "count": 2}]
  approvers jsonb not null,
  -- As whom it runs: kind, ids, whether an AI, what the credential granted, and whether a second factor was given.
  requester jsonb not null,
  requester_id uuid not null,
  -- Users and keys whom it serves, and who changed it: none of them decides.
  requesters uuid[] not null,
  door text not null,
  request_id text not null,
  idempotency_key text,
  run_id uuid not null,
  self_approved boolean not null default false,
  output text,
  failure jsonb,
  created_at timestamptz not null,
  escalate_at timestamptz,
  escalated_at timestamptz,
  expires_at timestamptz not null,
  decided_at timestamptz,
  -- Until when an approved one may run.
  run_before timestamptz,
  ended_at timestamptz,
  primary key (org_id, id)
);
-- Who asks again for the same gets the same request.
create unique index approvals_pending on platform.approvals (org_id, requester_id, hash) where state = 'pending';
-- What waits or is about to run, for whoever looks whether a run still follows it.
create index approvals_open on platform.approvals (org_id, id) where state in ('pending', 'approved');
alter table platform.approvals enable row level security;
alter table platform.approvals force row level security;
create policy tenant on platform.approvals using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.approvals to qinfra_app, qinfra_system;

create table platform.approval_decisions (
  org_id uuid not null,
  approval_id uuid not null,
  revision integer not null,
  -- Who decided, and for whom: the person themselves, unless they were delegated to.
  user_id uuid not null,
  counts_for uuid not null,
  -- Role that the decision counts as.
  role text not null,
  decision text not null check (decision in ('approve', 'reject')),
  hash bytea not null,
  -- The only person who could decide, who confirmed it with a second factor.
  sole boolean not null,
  reason text,
  created_at timestamptz not null,
  primary key (org_id, approval_id, revision, user_id),
  foreign key (org_id, approval_id) references platform.approvals (org_id, id) on delete cascade
);
create unique index approval_decisions_once on platform.approval_decisions (org_id, approval_id, revision, counts_for);
alter table platform.approval_decisions enable row level security;
alter table platform.approval_decisions force row level security;
create policy tenant on platform.approval_decisions using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.approval_decisions to qinfra_app, qinfra_system;

create table platform.approval_comments (
  org_id uuid not null,
  id uuid not null,
  approval_id uuid not null,
  revision integer not null,
  -- User or key.
  author_id uuid not null,
  author_kind text not null,
  ai boolean not null,
  text text,
  created_at timestamptz not null,
  primary key (org_id, id),
  foreign key (org_id, approval_id) references platform.approvals (org_id, id) on delete cascade
);
create index approval_comments_of on platform.approval_comments (org_id, approval_id, created_at);
alter table platform.approval_comments enable row level security;
alter table platform.approval_comments force row level security;
create policy tenant on platform.approval_comments using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.approval_comments to qinfra_app, qinfra_system;

-- Somebody decides for somebody else for a time. Nobody passes on what was passed to them.
create table platform.approval_delegations (
  org_id uuid not null,
  id uuid not null,
  from_user uuid not null,
  to_user uuid not null,
  -- Null for all.
  operations text[],
  starts_at timestamptz not null,
  ends_at timestamptz not null,
  created_at timestamptz not null,
  ended_at timestamptz,
  primary key (org_id, id),
  check (from_user <> to_user)
);
create index approval_delegations_to on platform.approval_delegations (org_id, to_user, ends_at);
create index approval_delegations_newest on platform.approval_delegations (org_id, created_at desc, id desc);
alter table platform.approval_delegations enable row level security;
alter table platform.approval_delegations force row level security;
create policy tenant on platform.approval_delegations using (org_id = platform.current_org()) with check (org_id = platform.current_org());
grant select, insert, update, delete on platform.approval_delegations to qinfra_app, qinfra_system;
