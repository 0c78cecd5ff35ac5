-- Module organizations: counts what organizations have already, so that a quota sees it from the first change on. Scans
-- are counted by day and begin with none. The owner passes row level security only where it is not forced: it is taken
-- back within this transaction, and nobody else sees the tables meanwhile.
alter table inventory.assets no force row level security;
alter table images.golden_images no force row level security;
alter table platform.usage no force row level security;

insert into platform.usage (org_id, resource, used)
  select org_id, 'assets', count(*) from inventory.assets group by org_id
  union all
  select org_id, 'images', count(*) from images.golden_images group by org_id
  on conflict (org_id, resource, period) do update set used = excluded.used;

alter table inventory.assets force row level security;
alter table images.golden_images force row level security;
alter table platform.usage force row level security;
