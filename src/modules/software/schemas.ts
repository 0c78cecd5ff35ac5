import { Type, type Static } from "typebox";

const text = (description: string) => Type.String({ minLength: 1, maxLength: 2_000, pattern: "^[^\\u0000]*$", description });

/** A component as operations take and answer it. */
export const ComponentInput = Type.Object({
  name: text("Name of the package"),
  version: Type.Optional(text("Its version, where there is one")),
  purl: Type.Optional(text("Package URL with arch, distro and upstream as qualifiers")),
}, { additionalProperties: false });

/** 100,000 components are more than the largest image that was seen, by a factor of twenty. */
export const ComponentsInput = Type.Array(ComponentInput, { maxItems: 100_000, description: "Everything that is installed" });

export const OperatingSystemInput = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 100, pattern: "^[^\\u0000]*$", description: "ID of os-release, for example debian" }),
  versionId: Type.String({ maxLength: 100, pattern: "^[^\\u0000]*$", description: "VERSION_ID of os-release, for example 12" }),
  prettyName: Type.Optional(Type.String({ maxLength: 200, pattern: "^[^\\u0000]*$", description: "PRETTY_NAME of os-release" })),
}, { additionalProperties: false });
export type OperatingSystemInput = Static<typeof OperatingSystemInput>;

/** An operating system as operations answer it. */
export const OperatingSystem = Type.Object({
  id: Type.String({ description: "ID of os-release" }),
  versionId: Type.String({ description: "VERSION_ID of os-release" }),
  name: Type.String({ description: "PRETTY_NAME of os-release, or id and version where there is none" }),
});

/** The three columns in which images and assets keep their operating system. */
export function shownOs(row: { os_id: string | null; os_version: string | null; os_name: string | null }): Static<typeof OperatingSystem> | null {
  if (row.os_id === null) return null;
  const versionId = row.os_version ?? "";
  return { id: row.os_id, versionId, name: row.os_name ?? `${row.os_id} ${versionId}`.trim() };
}

/** The most that a list of components may weigh as JSON. */
export const componentsMaxBytes = 64 * 1024 * 1024;
