-- Module images: golden images and the families that they are versions of.
create schema images;
grant usage on schema images to qinfra_app, qinfra_system;

create table images.golden_image_families (
  org_id uuid not null,
  id uuid not null,
  name text not null,
  description text not null,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, name)
);

create table images.golden_images (
  org_id uuid not null,
  id uuid not null,
  family_id uuid not null,
  version text not null,
  source text not null check (source in ('rootfs', 'oci-layout', 'dpkg-status', 'sbom')),
  -- Digest of the image itself (OCI manifest), where the source has one.
  digest text,
  os_id text,
  os_version text,
  os_name text,
  component_set_id uuid not null,
  created_at timestamptz not null,
  primary key (org_id, id),
  unique (org_id, family_id, version),
  foreign key (org_id, family_id) references images.golden_image_families (org_id, id)
);
create index golden_images_component_set on images.golden_images (org_id, component_set_id);

create table images.image_tags (
  org_id uuid not null,
  image_id uuid not null,
  key text not null,
  value text not null,
  primary key (org_id, image_id, key),
  foreign key (org_id, image_id) references images.golden_images (org_id, id) on delete cascade
);
create index image_tags_value on images.image_tags (org_id, key, value);

do $$
declare t text;
begin
  foreach t in array array['golden_image_families', 'golden_images', 'image_tags'] loop
    execute format('alter table images.%I enable row level security', t);
    execute format('alter table images.%I force row level security', t);
    execute format('create policy tenant on images.%I using (org_id = platform.current_org()) with check (org_id = platform.current_org())', t);
    execute format('grant select, insert, update, delete on images.%I to qinfra_app', t);
  end loop;
end $$;

create view images.api_images with (security_invoker = true) as
  select i.org_id, i.id, f.name as family, i.version, i.os_id, i.os_version, i.component_set_id, i.created_at
  from images.golden_images i join images.golden_image_families f on f.org_id = i.org_id and f.id = i.family_id;
-- The reference's image_components: which packages an image holds.
create view images.image_components with (security_invoker = true) as
  select i.org_id, i.id as image_id, c.package_id, c.name, c.version, c.purl
  from images.golden_images i join software.api_components c on c.org_id = i.org_id and c.component_set_id = i.component_set_id;
grant select on images.api_images, images.image_components to qinfra_app, qinfra_system;
grant select on images.golden_images, images.golden_image_families to qinfra_system;
