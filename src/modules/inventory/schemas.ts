import { Type, type Static } from "typebox";
import { TypeId } from "../../platform/ids.ts";
import { TagsOutput } from "../../platform/operation/index.ts";
import { OperatingSystem } from "../software/index.ts";

export const kinds = ["host", "container", "virtual-machine", "other"] as const;
export const criticalities = ["low", "medium", "high", "critical", "unknown"] as const;
export const exposures = ["internet", "internal", "isolated", "unknown"] as const;
export const assetSources = ["local", "ssh", "import"] as const;

export const AssetId = TypeId("ast", "Id of an asset");
export const SiteId = TypeId("sit", "Id of a site");

/** What people type after `--as-asset`: a host name or another name without spaces. */
export const AssetName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._:@-]{0,252}$", description: "Name of the asset, unique in the organization", examples: ["web01.example.org"] });
export const SiteName = Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._ -]{0,99}$", description: "Name of the site", examples: ["frankfurt"] });

export const Kind = Type.Enum([...kinds], { description: "What the asset is" });
export const Criticality = Type.Enum([...criticalities], { description: "How much depends on it" });
export const Exposure = Type.Enum([...exposures], { description: "Who can reach it" });
export const AssetSource = Type.Enum([...assetSources], { description: "How its software was collected" });

const factName = "^[a-z][A-Za-z0-9.]{0,63}$";

/** What a collector found out about a host beside its software. */
export const Facts = Type.Record(
  Type.String({ pattern: factName }),
  Type.Union([Type.String({ maxLength: 2_000, pattern: "^[^\\u0000]*$" }), Type.Number(), Type.Boolean()]),
  { description: "Facts, for example kernel, architecture, memoryBytes", examples: [{ kernel: "6.1.0-44-amd64", architecture: "x86_64" }], maxProperties: 200, propertyNames: { pattern: factName } },
);
export type Facts = Static<typeof Facts>;

export const Asset = Type.Object({
  id: AssetId,
  name: AssetName,
  kind: Kind,
  site: Type.Union([SiteName, Type.Null()]),
  criticality: Criticality,
  exposure: Exposure,
  os: Type.Union([OperatingSystem, Type.Null()]),
  source: AssetSource,
  packages: Type.Union([Type.Integer(), Type.Null()], { description: "Number of distinct components; null before the first scan" }),
  tags: TagsOutput,
  facts: Facts,
  scannedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  createdAt: Type.String({ format: "date-time" }),
}, { description: "Something that runs software" });
export type Asset = Static<typeof Asset>;
