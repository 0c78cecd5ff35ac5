import { Type, type Static } from "typebox";
import { severities } from "./advisory.ts";

export const SeveritySchema = Type.Enum([...severities], {
  $id: "Severity",
  description: "CVSS rating word of FIRST; unknown where nobody states a severity",
});

export const AffectedPackage = Type.Object(
  {
    name: Type.String({ description: "Name of the installed package" }),
    version: Type.Optional(Type.String({ description: "Its own version, which can differ from its source's" })),
    purl: Type.Optional(Type.String({ description: "Package URL, as the input or its parser gave it" })),
  },
  { $id: "AffectedPackage" },
);
export type AffectedPackage = Static<typeof AffectedPackage>;

export const Finding = Type.Object(
  {
    advisory: Type.String({ description: "Id of the advisory" }),
    aliases: Type.Array(Type.String(), {
      description: "Other ids of the same problem and those that the advisory answers (OSV aliases and upstream)",
    }),
    summary: Type.Optional(Type.String({ description: "One line about the problem" })),
    ecosystem: Type.String({ description: "Ecosystem, and release where it has one: Debian:12, npm" }),
    source: Type.String({ description: "Source package; for a language package the package itself" }),
    sourceVersion: Type.String({ description: "Version of the source package" }),
    matchedBy: Type.Enum(["source", "signed-source", "package"], {
      description: "What was compared: the source, the source that it is a signed build of, or the package",
    }),
    matchedSource: Type.Optional(Type.String({ description: "The source that was compared, where it is another one" })),
    matchedVersion: Type.Optional(Type.String({ description: "Its version" })),
    fixedVersion: Type.Union([Type.String(), Type.Null()], {
      description: "Version of the compared source or package that has the fix; null where none is known",
    }),
    severity: SeveritySchema,
    vector: Type.Optional(Type.String({ description: "CVSS vector that the severity comes from" })),
    packages: Type.Array(AffectedPackage, { description: "Installed packages of that source, sorted by name" }),
  },
  { $id: "Finding", description: "One advisory that affects one version of one source" },
);
export type Finding = Static<typeof Finding>;

export const couldNotMatchCodes = [
  "no-purl",
  "malformed-purl",
  "no-version",
  "invalid-version",
  "no-distribution",
  "unknown-distribution",
  "unknown-release",
  "type-unsupported",
  "advisories-not-loaded",
  "ecosystem-not-compared",
  "advisory-undecided",
] as const;
export type CouldNotMatchCode = (typeof couldNotMatchCodes)[number];

export const CouldNotMatch = Type.Object(
  {
    what: Type.Object(
      {
        name: Type.String({ description: "Name of the component" }),
        version: Type.Optional(Type.String({ description: "Its version, where it has one" })),
        purl: Type.Optional(Type.String({ description: "Its package URL, where it has one" })),
      },
      { description: "The component" },
    ),
    why: Type.Object(
      {
        code: Type.Enum([...couldNotMatchCodes], { description: "The reason, for programs" }),
        text: Type.String({ description: "The reason, for people" }),
      },
      { description: "The reason" },
    ),
  },
  { $id: "CouldNotMatch", description: "A component of which it is not known whether it is vulnerable" },
);
export type CouldNotMatch = Static<typeof CouldNotMatch>;
