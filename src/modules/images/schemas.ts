import { Type, type Static } from "typebox";
import { EventOutcome, TagsOutput } from "../../platform/operation/index.ts";
import { TypeId } from "../../platform/ids.ts";
import { OperatingSystem } from "../software/index.ts";

export const imageSources = ["rootfs", "oci-layout", "dpkg-status", "sbom"] as const;
export type ImageSource = (typeof imageSources)[number];

export const ImageId = TypeId("img", "Id of a golden image");

/** A family's or version's name: what people type after `--as-image`, so nothing that needs quoting. */
export const FamilyName = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,99}$", description: "Name of the family, for example debian-server", examples: ["debian-server"] });
export const ImageVersion = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._+~-]{0,99}$", description: "Version within the family", examples: ["2026.11.1"] });

export const GoldenImage = Type.Object({
  id: ImageId,
  family: FamilyName,
  version: ImageVersion,
  source: Type.Enum([...imageSources], { description: "What it was registered from" }),
  digest: Type.Union([Type.String(), Type.Null()], { description: "Digest of the image itself, where its source has one" }),
  os: Type.Union([OperatingSystem, Type.Null()]),
  packages: Type.Integer({ description: "Number of distinct components" }),
  tags: TagsOutput,
  createdAt: Type.String({ format: "date-time" }),
}, { description: "A golden image: one version of a family" });
export type GoldenImage = Static<typeof GoldenImage>;

export const RegisteredImage = Type.Object({ image: GoldenImage, event: Type.Optional(EventOutcome) });
