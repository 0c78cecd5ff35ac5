-- Sealing a batch took time with the square of the log: where statistics were made while the log was nearly empty, the
-- planner joined the whole log to the batch and kept that plan. A batch of 1,000 then took more than a second, the
-- sealer fell behind its writers, and only the next analysis brought it back. One row at a time, found by its id, has one
-- possible plan: `is not distinct from` keeps the indexes that begin with the organization out.
create or replace function events.seal(
  p_position bigint, p_ids uuid[], p_orgs uuid[], p_seqs bigint[], p_chain bytea[],
  p_chain_orgs uuid[], p_chain_seqs bigint[], p_chain_hashes bytea[]
) returns void language plpgsql as $$
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
end $$;
