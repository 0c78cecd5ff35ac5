import { describe, expect, it } from "vitest";
import { readOsvRecord } from "./osv-record.ts";

const minimal = { id: "X-1", modified: "2026-01-02T03:04:05Z" };
const range = { type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.0.0" }] };
const lib = { package: { ecosystem: "npm", name: "lib" }, ranges: [range] };

function advisoryOf(record: unknown) {
  const read = readOsvRecord(record);
  if ("reason" in read || read.withdrawn) throw new Error("expected an advisory");
  return read.advisory;
}

describe("readOsvRecord", () => {
  it("reduces a record, unites aliases and upstream, and ignores what it does not know", () => {
    const advisory = advisoryOf({
      ...minimal,
      schema_version: "1.7.0",
      aliases: ["CVE-1", "GHSA-1"],
      upstream: ["CVE-2", "CVE-1", "X-1"],
      summary: "Bad thing",
      published: "2025-01-01T01:00:00+01:00",
      credits: null,
      made_up: { anything: 1 },
      affected: [
        { ...lib, ranges: [range, { type: "GIT", repo: "r", events: [{ introduced: "0" }] }], versions: ["0.9.0"] },
        { package: { ecosystem: "Ubuntu:22.04:LTS", name: "lib" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { last_affected: "1" }] }] },
        { ranges: [{ type: "GIT", events: [{ introduced: "0" }] }] },
      ],
    });
    expect(advisory).toEqual({
      id: "X-1",
      aliases: ["CVE-1", "GHSA-1", "CVE-2"],
      summary: "Bad thing",
      severity: "unknown",
      published: "2025-01-01T00:00:00.000Z",
      modified: "2026-01-02T03:04:05.000Z",
      affected: [
        { ecosystem: "npm", package: "lib", ranges: [range], versions: ["0.9.0"] },
        { ecosystem: "Ubuntu:22.04", package: "lib", ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { lastAffected: "1" }] }], versions: [] },
      ],
    });
  });

  it("says that a record is withdrawn", () => {
    expect(readOsvRecord({ ...minimal, withdrawn: "2026-01-01T00:00:00Z", affected: [lib] })).toMatchObject({ withdrawn: true, id: "X-1" });
  });

  it("holds Go's zero time absent", () => {
    const record = { ...minimal, modified: "0001-01-01T00:00:00Z", published: "2024-01-01T00:00:00Z" };
    expect(readOsvRecord(record)).toMatchObject({ modified: "2024-01-01T00:00:00.000Z" });
    expect(advisoryOf(record)).not.toHaveProperty("modified");
  });

  it.each<[string, unknown, string]>([
    ["a string", "x", ""],
    ["a list", [], ""],
    ["no id", { modified: minimal.modified }, "id"],
    ["an id that is a number", { ...minimal, id: 7 }, "id"],
    ["no modified", { id: "X-1" }, "modified"],
    ["a time that is none", { ...minimal, modified: "yesterday" }, "modified"],
    ["a month 13", { ...minimal, modified: "2026-13-01T00:00:00Z" }, "modified"],
    ["schema 2", { ...minimal, schema_version: "2.0.0" }, "schema_version"],
    ["aliases that are no list", { ...minimal, aliases: "CVE-1" }, "aliases"],
    ["an alias that is no string", { ...minimal, aliases: ["CVE-1", 2] }, "aliases[1]"],
    ["affected that is no list", { ...minimal, affected: {} }, "affected"],
    ["a package without a name", { ...minimal, affected: [{ package: { ecosystem: "npm" } }] }, "affected[0].package.name"],
    ["an unknown range", { ...minimal, affected: [{ ...lib, ranges: [{ ...range, type: "SEMVAR" }] }] }, "affected[0].ranges[0].type"],
    ["a range without events", { ...minimal, affected: [{ ...lib, ranges: [{ type: "SEMVER" }] }] }, "affected[0].ranges[0].events"],
    ["only a fix", { ...minimal, affected: [{ ...lib, ranges: [{ type: "SEMVER", events: [{ fixed: "1" }] }] }] }, "affected[0].ranges[0].events"],
    ["two in one event", { ...minimal, affected: [{ ...lib, ranges: [{ type: "SEMVER", events: [{ introduced: "0", fixed: "1" }] }] }] }, "affected[0].ranges[0].events[0]"],
    ["an event of nothing", { ...minimal, affected: [lib, { ...lib, ranges: [range, { type: "SEMVER", events: [{ introduced: "0" }, {}] }] }] }, "affected[1].ranges[1].events[1]"],
    ["half a character", { ...minimal, summary: "a\uD800b" }, "summary"],
    ["a NUL character", { ...minimal, summary: "a\0b" }, "summary"],
  ])("refuses %s", (_, record, field) => {
    expect(readOsvRecord(record)).toMatchObject({ field, reason: expect.any(String) });
  });
});

const v2 = { type: "CVSS_V2", score: "AV:N/AC:L/Au:N/C:C/I:C/A:C" };
const v3 = { type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H" };
const v30 = { type: "CVSS_V3", score: "CVSS:3.0/AV:N/AC:H/PR:N/UI:N/S:U/C:H/I:H/A:H" };
const v4 = { type: "CVSS_V4", score: "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:L/VI:L/VA:N/SC:N/SI:N/SA:N" };
const broken = { type: "CVSS_V4", score: "CVSS:4.0/AV:N" };

describe("severity of a record", () => {
  it.each<[string, object, string, string | undefined]>([
    ["nothing stated", {}, "unknown", undefined],
    ["4.0 before 3.1", { severity: [v3, v4] }, "medium", v4.score],
    ["3.1 before 3.0", { severity: [v30, v3] }, "critical", v3.score],
    ["3.0 before 2.0", { severity: [v2, v30] }, "high", v30.score],
    ["2.0 alone", { severity: [v2] }, "high", v2.score],
    ["a vector that cannot be read is ignored", { severity: [broken, v30] }, "high", v30.score],
    ["a word where no vector can be read", { severity: [broken], database_specific: { severity: "MODERATE" } }, "medium", undefined],
    ["a word alone", { database_specific: { severity: "CRITICAL" } }, "critical", undefined],
    ["a vector before a word", { severity: [v30], database_specific: { severity: "LOW" } }, "high", v30.score],
    ["Ubuntu's own type", { severity: [{ type: "Ubuntu", score: "negligible" }] }, "low", undefined],
    ["a word that is none", { database_specific: { severity: "not yet assigned" } }, "unknown", undefined],
    ["only the broken", { severity: [broken] }, "unknown", undefined],
    ["severity that is no list", { severity: "HIGH" }, "unknown", undefined],
  ])("%s", (_, fields, severity, vector) => {
    const advisory = advisoryOf({ ...minimal, ...fields });
    expect(advisory.severity).toBe(severity);
    expect(advisory.vector).toBe(vector);
  });

  it("keeps what is stated for one package with that package, and takes the worst for the record", () => {
    const advisory = advisoryOf({
      ...minimal,
      affected: [lib, { ...lib, severity: [v30] }, { ...lib, ecosystem_specific: { urgency: "low" } }, { ...lib, severity: [v3] }],
    });
    expect(advisory).toMatchObject({ severity: "critical", vector: v3.score });
    expect(advisory.affected.map((entry) => entry.severity)).toEqual([undefined, "high", "low", "critical"]);
  });

  it("does not let one package's severity replace the record's", () => {
    expect(advisoryOf({ ...minimal, severity: [v30], affected: [{ ...lib, severity: [v3] }] }).severity).toBe("high");
  });
});
