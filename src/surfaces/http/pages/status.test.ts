import { describe, expect, test } from "vitest";
import { modules } from "../../../app/modules.ts";
import { createRegistry } from "../../../platform/operation/registry.ts";
import type { Summary } from "./answers.ts";
import { thingBody } from "./findings.ts";
import { render } from "./html.ts";
import { addressOf, statusBody } from "./status.ts";
import type { MachineSection, StatusData } from "./status-data.ts";

const now = Date.UTC(2026, 10, 21, 12);
const none = { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 };
const clean: Summary = { findings: 0, cves: 0, bySeverity: none, packages: 3, couldNotMatch: 0 };
const feed = { name: "debian", records: 3_648, ecosystems: 4, digest: "sha256:0", newest: "2026-11-20T12:00:00Z", importedAt: "2026-11-21T11:00:00Z" };
const read = { state: "read" as const, name: "web01", os: "Debian 12", kernel: "6.1", architecture: "x64", packages: [{ type: "deb", count: 1_200 }], components: [], readAt: "2026-11-21T11:58:00Z" };
const data: StatusData = {
  me: { user: { id: "usr_1", name: "ada", displayName: "Ada" }, organization: { id: "org_1", name: "Example <Ltd>", platform: true }, organizations: [{ name: "Example <Ltd>" }], roles: ["admin"], permissions: [] },
  machine: { ...read, findings: { state: "matched", summary: clean } },
  attention: { approvals: { shown: true, value: [] }, runs: { shown: true, value: [] }, deliveries: { shown: true, value: [] } },
  feeds: { shown: true, value: [feed] }, assets: { shown: true, value: { items: [] } }, images: { shown: true, value: { items: [] } },
  events: { shown: true, value: [] }, health: { ready: true, checks: { database: "ok" } },
};
const show = (change: Partial<StatusData>) => render(statusBody({ ...data, ...change }, { now, address: "http://localhost:8080" }));

describe("the status page", () => {
  test("shows a machine without findings as good when its advisories are new", () => {
    const text = show({});
    expect(text).toContain("no findings");
    expect(text).toContain("1,200 deb");
    expect(text).toContain("Example &lt;Ltd&gt;");
    expect(text).toContain("qinfra login --url http://localhost:8080");
  });

  test.each<[string, MachineSection, Partial<StatusData>, string]>([
    ["while it is read", { state: "reading" }, {}, "is being read"],
    ["when it could not be read", { state: "unknown", why: "no os-release" }, {}, "no os-release"],
    ["without advisories", { ...read, findings: { state: "no-advisories" } }, { feeds: { shown: true, value: [] } }, "no advisories are loaded"],
    ["when the scan was refused", { ...read, findings: { state: "not-shown", why: "needs scans:run" } }, {}, "needs scans:run"],
    ["with old advisories", { ...read, findings: { state: "matched", summary: clean } }, { feeds: { shown: true, value: [{ ...feed, newest: "2026-01-01T00:00:00Z" }] } }, "none in old advisories"],
    ["when nothing could be matched", { ...read, findings: { state: "matched", summary: { ...clean, couldNotMatch: 3 } } }, {}, "unknown: none matched"],
    ["for other organizations", { state: "withheld" }, {}, "members of the platform organization"],
  ])("never shows this machine as good %s", (_name, machine, change, text) => {
    const shown = show({ machine, ...change, health: { ready: true, checks: {} } });
    expect(shown).toContain(text);
    expect(shown).not.toContain("chip ok");
  });

  test.each([
    ["degraded while the platform is ready", { ready: true, checks: { database: "ok", cache: "cannot be reached" } }, ['<span class="chip warn">degraded</span> cannot be reached'], "chip bad"],
    ["not ok while it is not", { ready: false, checks: { database: "does not answer", cache: "ok" } }, ['<span class="chip bad">not ok</span> does not answer'], "chip warn"],
  ])("shows a part that is wrong as %s", (_how, health, shown, never) => {
    const text = show({ health });
    for (const one of shown) expect(text).toContain(one);
    expect(text).not.toContain(never);
  });

  test("says what waits for somebody and what failed, with the command that shows it", () => {
    const request = { id: "apr_1", operation: "images.delete", about: "debian-server:2026.11.1", ai: true, createdAt: "2026-11-21T11:00:00Z", escalatedAt: null };
    const run = { id: "run_1", workflow: "inventory.scan-site", parent: null, failure: { code: "step-failed" }, endedAt: "2026-11-21T10:00:00Z" };
    const delivery = { id: "dlv_1", attempts: 8, reason: "<500>", endedAt: "2026-11-21T09:00:00Z" };
    const text = show({ attention: { approvals: { shown: true, value: Array.from({ length: 6 }, () => request) }, runs: { shown: true, value: [run] }, deliveries: { shown: true, value: [delivery] } } });
    for (const said of ["waits for approval", "debian-server:2026.11.1", "AI", "step-failed", "after 8 tries: &lt;500&gt;", "qinfra approvals get apr_1", "qinfra workflows get run_1", "qinfra deliveries get dlv_1", "qinfra approvals list --state pending"]) {
      expect(text).toContain(said);
    }
    expect(text.split("apr_1")).toHaveLength(1 + 5);
  });

  test("names commands that there are", () => {
    const commands = createRegistry(modules).operations.flatMap(({ cli }) => (cli === undefined ? [] : [cli.name]));
    expect(commands).toEqual(expect.arrayContaining(["approvals get", "approvals list", "workflows get", "workflows list", "deliveries get", "deliveries list"]));
  });

  test("says nothing of what waits to who may read none of it, and that nothing does to who may", () => {
    const no = { shown: false as const, why: "no" };
    expect(show({ attention: { approvals: no, runs: no, deliveries: no } })).not.toContain("Needs attention");
    expect(show({})).toContain("Nothing waits for anybody");
  });

  test("leads on to more assets by their cursor", () => {
    const asset = { id: "ast_1", name: "web01", kind: "host", site: null, criticality: "low", exposure: "internal", os: null, source: "ssh", packages: 3, scannedAt: null };
    const text = show({ assets: { shown: true, value: { items: [{ ...asset, matched: { shown: true, value: { state: "stale", summary: clean } } }], next: "a b" } } });
    expect(text).toContain('href="/?assets=a%20b#assets"');
    expect(text).toContain(">stale<");
  });
});

test.each([["localhost:8080", "http://localhost:8080"], ["[::1]:8080", "http://[::1]:8080"], ["<script>", "http://localhost:8080"], ["a;rm -rf", "http://localhost:8080"]])("the host %s gives the address %s", (host, address) => {
  expect(addressOf({ host }, false)).toBe(address);
});

describe("the findings of one thing", () => {
  const thing = { name: "base:1", what: "Golden image", facts: [], command: "qinfra findings list --image img_1" };
  const view = { path: "/images/img_1", old: false };
  const finding = {
    advisory: "DSA-1", aliases: ["CVE-2026-1", "DSA-1"], summary: "a <bug>", ecosystem: "Debian:12", source: "openssl", sourceVersion: "1", matchedBy: "source",
    fixedVersion: null, severity: "high" as const, packages: [{ name: "libssl3" }, { name: "openssl" }],
  };

  test("are a table that says each severity by word", () => {
    const summary = { ...clean, findings: 1, cves: 1, bySeverity: { ...none, high: 1 } };
    const text = render(thingBody(thing, { state: "current", summary, items: [finding], next: "c" }, { ...view, severity: "high" }));
    for (const part of ["DSA-1", "CVE-2026-1", "a &lt;bug&gt;", 'class="chip high">high<', "no fix known", "libssl3, openssl", "/images/img_1?severity=high&amp;cursor=c"]) expect(text).toContain(part);
  });

  test.each([
    ["pending", null, "nothing is known"], ["never-scanned", null, "No software is recorded"], ["stale", clean, "older advisories"],
    ["current", { ...clean, couldNotMatch: 3 }, "Nothing is known."], ["current", { ...clean, couldNotMatch: 1 }, "No finding in what could be matched."],
  ] as const)("say that they are %s", (state, summary, part) => {
    expect(render(thingBody(thing, { state, summary, items: [] }, view))).toContain(part);
  });
});
