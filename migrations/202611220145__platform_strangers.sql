-- Refused requests of callers that nobody knows, counted by minute, reason and network until they become one event each in
-- the platform organization's log. Rows live for some two minutes.
create table platform.strangers (
  minute timestamptz not null,
  reason text not null,
  network text not null,
  count bigint not null,
  primary key (minute, reason, network)
);
grant select, insert, update, delete on platform.strangers to qinfra_system;
