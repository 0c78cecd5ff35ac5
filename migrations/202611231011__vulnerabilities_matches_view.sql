-- For whoever asks how many findings some component sets have together.
create view vulnerabilities.api_matches with (security_invoker = true) as
  select org_id, component_set_id, summary, matched_at from vulnerabilities.matches;
grant select on vulnerabilities.api_matches to qinfra_app, qinfra_system;
