import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { AdvisoryNotFound } from "../errors.ts";
import { advisoriesNamed, currentDatabase } from "../feed-views.ts";
import { SeveritySchema } from "../domain/finding.ts";
import { assetsWith, imagesWith } from "../match-views.ts";

const mostListed = 1000;

const AffectedThing = Type.Object({
  id: Type.String(),
  name: Type.String(),
  advisories: Type.Array(Type.String(), { description: "Through which of the advisories" }),
  packages: Type.Array(Type.String(), { description: "Installed packages, with their versions" }),
});

const AdvisoryDetails = Type.Object({
  id: Type.String(),
  feed: Type.String({ description: "Feed that it came from" }),
  aliases: Type.Array(Type.String()),
  summary: Type.Union([Type.String(), Type.Null()]),
  severity: SeveritySchema,
  vector: Type.Union([Type.String(), Type.Null()], { description: "CVSS vector that the severity comes from" }),
  published: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  modified: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  affected: Type.Array(Type.Object({ ecosystem: Type.String(), package: Type.String(), fixed: Type.Array(Type.String(), { description: "Versions that have the fix" }) })),
});

export const whatIs = operation({
  id: "vulnerabilities.what-is",
  http: "GET /api/v1/advisories/{name}",
  cli: { name: "whatis", positional: ["name"] },
  summary: "An advisory or CVE, with the images and assets that it affects",
  permission: "vulnerabilities:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ name: Type.String({ pattern: "^[A-Za-z0-9][A-Za-z0-9._:-]{1,99}$", description: "Id of an advisory, or an alias of it such as a CVE", examples: ["CVE-2026-25243"] }) }),
  output: Type.Object({
    name: Type.String(),
    advisories: Type.Array(AdvisoryDetails),
    images: Type.Array(AffectedThing, { description: "Affected images, newest first" }),
    assets: Type.Array(AffectedThing, { description: "Affected assets, by name" }),
  }),
  errors: [AdvisoryNotFound],
  examples: [{ input: { name: "CVE-2026-25243" } }],
  async handle({ db }, { name }) {
    const { versionIds, feeds } = await currentDatabase(db);
    const found = await advisoriesNamed(db, versionIds, name);
    if (found.length === 0) {
      const loaded = feeds.length === 0 ? "No feed is loaded; import one with qinfra feeds import." : `Loaded feeds: ${feeds.join(", ")}.`;
      fail(AdvisoryNotFound, `No advisory is or mentions ${name}. ${loaded}`);
    }
    const ids = found.map((advisory) => advisory.id);
    return {
      name,
      advisories: found.map(({ id, feed, aliases, summary, severity, vector, published, modified, affected }) => ({
        id, feed, aliases, summary: summary ?? null, severity, vector: vector ?? null, published: published ?? null, modified: modified ?? null,
        affected: affected.map((entry) => ({
          ecosystem: entry.ecosystem, package: entry.package,
          fixed: entry.ranges.flatMap((range) => range.events.flatMap((event) => (event.fixed === undefined ? [] : [event.fixed]))),
        })),
      })),
      images: await imagesWith(db, ids, mostListed),
      assets: await assetsWith(db, ids, mostListed),
    };
  },
});
