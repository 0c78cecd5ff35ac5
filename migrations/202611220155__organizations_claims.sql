-- Module organizations: when the newest token that was heard of an identity was issued. It outlives the membership, so
-- that an older token never brings back what a newer one took.
alter table organizations.user_identities add column claimed_at timestamptz;
