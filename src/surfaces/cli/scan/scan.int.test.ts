import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { collectLocal } from "../../../modules/inventory/collectors/local.ts";
import { sharedData, sharedDataMissing } from "../../../platform/testing/shared-data.ts";
import { dpkgStatus, feedHigh, feedLow, feedUnknown, sbom } from "../testing/fixtures.ts";
import { platformOperations } from "../testing/platform-operations.ts";
import { testManifest } from "../testing/operations.ts";
import { createCliPlace, type CliPlace } from "../testing/run.ts";
import { startPlatformServer, type PlatformServer } from "../testing/server.ts";

let place: CliPlace;
let server: PlatformServer;
let at: Record<"status" | "high" | "low" | "unknown" | "sbom" | "empty" | "rpm" | "rootfs", string>;

beforeAll(async () => {
  place = await createCliPlace(testManifest(platformOperations));
  server = await startPlatformServer();
  const folder = join(place.home, "../input");
  const path = (name: string) => join(folder, name);
  at = { status: path("status"), high: path("high.osv.jsonl.gz"), low: path("low.jsonl"), unknown: path("unknown.jsonl"), sbom: path("sbom.json"), empty: path("empty.json"), rpm: path("rpm"), rootfs: path("rootfs") };
  await mkdir(join(at.rpm, "var/lib/rpm"), { recursive: true });
  await mkdir(join(at.rootfs, "var/lib/dpkg"), { recursive: true });
  await mkdir(join(at.rootfs, "etc"), { recursive: true });
  await Promise.all([
    writeFile(at.status, dpkgStatus), writeFile(at.high, gzipSync(feedHigh)), writeFile(at.low, feedLow), writeFile(at.unknown, feedUnknown), writeFile(at.sbom, sbom),
    writeFile(at.empty, JSON.stringify({ bomFormat: "CycloneDX", specVersion: "1.6", components: [] })),
    writeFile(join(at.rpm, "var/lib/rpm/rpmdb.sqlite"), "x"),
    writeFile(join(at.rootfs, "var/lib/dpkg/status"), dpkgStatus), writeFile(join(at.rootfs, "etc/os-release"), 'ID=debian\nVERSION_ID="12"\n'),
  ]);
});
beforeEach(() => {
  server.received.length = 0;
  for (const key of Object.keys(server.answers)) delete server.answers[key];
});
afterAll(async () => {
  await server.close();
  await place.remove();
});

const words = (line: string): string[] => line.split(" ").map((word) => word.replace(/^@(\w+)/, (_, name: keyof typeof at) => at[name]));
const known = "1 finding (1 high, 0 of unknown severity), 2 CVEs; 3 packages, all could be matched.\n";

describe("scan in this process: exit code and last line", () => {
  it.each([
    ["without a threshold findings are 0", "--dpkg-status @status --os debian:12 --advisories @high", 0, known],
    ["at the threshold", "--dpkg-status @status --os debian:12 --advisories @high --fail-on high", 1, known],
    ["over the threshold", "--dpkg-status @status --os debian:12 --advisories @high --fail-on medium", 1, known],
    ["under the threshold", "--dpkg-status @status --os debian:12 --advisories @high --fail-on critical", 0, known],
    ["an unknown severity meets every threshold", "--dpkg-status @status --os debian:12 --advisories @unknown --fail-on critical", 1, "1 finding (1 of unknown severity), 1 CVE; 3 packages, all could be matched.\n"],
    ["unless it is ignored", "--dpkg-status @status --os debian:12 --advisories @unknown --fail-on critical --ignore-unknown-severity", 0, "1 finding (1 of unknown severity (ignored by --fail-on)), 1 CVE; 3 packages, all could be matched.\n"],
    ["several feeds", "--dpkg-status @status --os debian:12 --advisories @high @low --fail-on low", 1, "2 findings (1 high, 1 low, 0 of unknown severity), 3 CVEs; 3 packages, all could be matched.\n"],
    ["a root file system knows its system", "--rootfs @rootfs --advisories @high --fail-on high", 1, known],
    ["parts that could not be matched", "--sbom @sbom --advisories @high", 0, "1 finding (1 high, 0 of unknown severity), 2 CVEs; 2 packages, 1 could not be matched.\n"],
    ["the same under --strict", "--sbom @sbom --advisories @high --strict", 2, "1 finding (1 high, 0 of unknown severity), 2 CVEs; 2 packages, 1 could not be matched.\n"],
    ["2 wins over 1", "--sbom @sbom --advisories @high --strict --fail-on low", 2, "1 finding (1 high, 0 of unknown severity), 2 CVEs; 2 packages, 1 could not be matched.\n"],
    ["an unknown release matches nothing", "--dpkg-status @status --os debian:99 --advisories @high", 2, "None of 3 packages could be matched: this scan does not say whether they are vulnerable.\n"],
    ["an unknown distribution matches nothing", "--dpkg-status @status --os mylinux:1 --advisories @high", 2, "None of 3 packages could be matched: this scan does not say whether they are vulnerable.\n"],
    ["an empty input is no error", "--sbom @empty --advisories @high --fail-on low", 0, "0 findings (0 of unknown severity), 0 CVEs; 0 packages, all could be matched.\n"],
  ])("%s", async (_what, line, code, stderr) => {
    const ran = await place.run(["scan", ...words(line), "--output", "json"]);
    expect({ code: ran.code, stderr: ran.stderr }).toEqual({ code, stderr });
    expect(JSON.parse(ran.stdout)).toMatchObject({ schema: "qinfra.scan/1", mode: "local" });
  });

  it("says in the report what of the input was not read", async () => {
    const { stdout } = await place.run(["scan", ...words("--rootfs @rpm --advisories @high --output json")]);
    expect((JSON.parse(stdout) as { notes: { kind: string }[] }).notes).toContainEqual({ kind: "unread-package-database", text: "the packages of rpm are not read (var/lib/rpm/rpmdb.sqlite)" });
  });

  it("a root file system whose packages are not read is never clean", async () => {
    const { code, stderr } = await place.run(["scan", ...words("--rootfs @rpm --advisories @high")]);
    expect(code).toBe(2);
    expect(stderr).toContain("warning: the packages of rpm are not read");
    expect(stderr).toContain("Nothing was looked at:");
  });

  it("without any advisories it says how to get some, and prints its JSON", async () => {
    const { code, stdout, stderr } = await place.run(["scan", ...words("--dpkg-status @status --os debian:12 --output json")]);
    expect(code).toBe(2);
    expect(stderr).toContain("No advisories are loaded on this machine.\n  next: give --advisories FILE");
    expect(JSON.parse(stdout)).toMatchObject({ findings: [], advisories: { digest: null }, summary: { packages: 3, couldNotMatch: 3 } });
  });

  it("the JSON says what was scanned, with which advisories, and what was found", async () => {
    const { stdout } = await place.run(["scan", ...words("--dpkg-status - --os debian:12 --advisories @high --output json")], { stdin: gzipSync(dpkgStatus) });
    expect(JSON.parse(stdout)).toMatchObject({
      mode: "local", target: { kind: "dpkg-status", name: "standard input", os: "debian-12" },
      advisories: { digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/), newest: "2026-11-01T00:00:00.000Z", feeds: [{ records: 2 }] },
      findings: [{ advisory: "DSA-1-1", source: "example", sourceVersion: "1.0-1", fixedVersion: "1.0-2", matchedBy: "source", packages: [{ name: "example-tools" }, { name: "libexample1", version: "1:2.0-1" }] }],
    });
  });

  it.each([["sarif", { version: "2.1.0" }], ["cyclonedx", { bomFormat: "CycloneDX" }]])("%s is JSON of its own", async (format, expected) => {
    const { stdout } = await place.run(["scan", ...words("--sbom @sbom --advisories @high --output"), format]);
    expect(JSON.parse(stdout)).toMatchObject(expected);
  });

  it("the table is for people", async () => {
    expect((await place.run(["scan", ...words("--sbom @sbom --advisories @high")])).stdout).toMatch(/^.*sbom\.json: 2 packages\n\nSEVERITY .*\nhigh +DSA-1-1 +example +1\.0-1 +1\.0-2/);
  });
});

describe("scan: what cannot be done is 2", () => {
  it.each([
    ["nothing to scan", "", "There is nothing to scan."],
    ["two inputs", "--sbom @sbom --rootfs /", "--rootfs and --sbom are given together."],
    ["dpkg status without a system", "--dpkg-status @status", "add --os, for example --os debian:12"],
    ["a system that is none", "--dpkg-status @status --os Debian/12", '"Debian/12" is not an operating system.'],
    ["a host that is an option of ssh", "--host=-oProxyCommand=id", 'The target begins with "-"'],
    ["a host with a password", "--host root:secret@web01", "The target holds a password."],
    ["a key for this machine", "--host local --identity key", "--identity and --known-hosts are for --host user@host."],
    ["a key for a file", "--sbom @sbom --known-hosts keys", "--identity and --known-hosts are for --host user@host."],
    ["a key that is missing", "--host root@127.0.0.1:1 --identity nowhere/id --local", "The identity file nowhere/id cannot be read."],
    ["an image of a machine", "--host local --as-image a:1", "A running machine is no image."],
    ["an image without a version", "--sbom @sbom --as-image a", "--as-image FAMILY:VERSION"],
    ["recording without a server", "--sbom @sbom --as-image a:1", "--as-image records on a server, and none is configured."],
    ["recording in process", "--sbom @sbom --as-asset a --local", "and --local means without one"],
    ["a threshold that is none", "--sbom @sbom --fail-on bad", "Allowed choices are critical"],
    ["a missing file", "--sbom nowhere.json --local", "nowhere.json: there is no such file"],
    ["a file of another kind", "--sbom @status --local", "a dpkg status file (use --dpkg-status)"],
    ["a feed that is missing", "--sbom @sbom --advisories nowhere.jsonl", "nowhere.jsonl: there is no such file or folder."],
    ["a feed that is damaged", "--sbom @sbom --advisories @status", "line 1"],
    ["standard input twice", "--sbom - --advisories -", "Standard input cannot be both"],
  ])("%s", async (_what, line, said) => {
    const { code, stdout, stderr } = await place.run(["scan", ...words(line).filter((word) => word !== "")]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("Ctrl-C ends a scan with 130", async () => {
    const stop = new AbortController();
    server.answers["POST /api/v1/scan"] = () => {
      stop.abort(130);
      return { hang: true };
    };
    expect(await place.run(["scan", "--sbom", at.sbom, "--url", server.url], { io: { signal: stop.signal } })).toMatchObject({ code: 130, stdout: "" });
  });
});

describe("scan with a server", () => {
  const env = (): Record<string, string> => ({ QINFRA_URL: server.url, QINFRA_API_KEY: "qk_secret" });
  const report = { schema: "qinfra.scan/1", mode: "server", advisories: { digest: "sha256:0", newest: null }, findings: [], couldNotMatch: [], summary: { findings: 0, cves: 0, bySeverity: { critical: 0, high: 0, medium: 0, low: 0, none: 0, unknown: 0 }, packages: 3, couldNotMatch: 0 } };

  it("sends components, nothing of the input's path, and records nothing", async () => {
    server.answers["POST /api/v1/scan"] = { json: report };
    const { code, stdout } = await place.run(["scan", ...words("--dpkg-status @status --os debian:12 --output json")], { env: env() });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({ mode: "server", target: { kind: "dpkg-status", os: "debian-12" } });
    expect(server.received.map((request) => request.url)).toEqual(["/api/v1/scan"]);
    const { components, ...others } = JSON.parse(server.received[0]?.body ?? "") as { components: object[] };
    expect(others).toEqual({});
    expect(components[0]).toEqual({ name: "libexample1", version: "1:2.0-1", purl: expect.stringContaining("upstream=example") });
  });

  it.each([["--local"], ["--advisories @high"]])("%s asks no server", async (option) => {
    await place.run(["scan", ...words(`--sbom @sbom ${option}`)], { env: env() });
    expect(server.received).toEqual([]);
  });

  it.each([
    ["refuses", { problem: { code: "permission-missing", status: 403, title: "T", detail: "scans:run is missing." } }, "scans:run is missing."],
    ["does not know the command's login", { problem: { code: "unauthenticated", status: 401, title: "T", detail: "Sign in first." } }, "Sign in first."],
    ["answers something else", { json: { hello: 1 } }, "a report of another kind"],
  ])("a server that %s is 2, and no scan in process", async (_what, answer, said) => {
    server.answers["POST /api/v1/scan"] = answer;
    const { code, stdout, stderr } = await place.run(["scan", ...words("--sbom @sbom --output json")], { env: env() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("a server that does not answer is 2, and no scan in process", async () => {
    const gone = await startPlatformServer();
    await gone.close();
    const { code, stdout, stderr } = await place.run(["scan", ...words("--sbom @sbom --output json")], { env: { QINFRA_URL: gone.url } });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(`${gone.url} does not answer`);
  });

  it("--as-image registers, waits and shows the report of the image", async () => {
    server.answers["POST /api/v1/images"] = { status: 201, lines: [{ progress: { step: "storing" } }, { result: { image: { id: "img_1" }, event: { id: "evt_1", state: "handled" } } }] };
    server.answers["GET /api/v1/images/img_1/scan"] = { json: { state: "current", matchedAt: null, report } };
    const { code, stdout, stderr } = await place.run(["scan", ...words("--rootfs @rootfs --as-image base:1.0 --output json")], { env: env() });
    expect({ code, report: JSON.parse(stdout) }).toEqual({ code: 0, report });
    expect(stderr).toBe("Registered as image base:1.0 (img_1).\n0 findings (0 of unknown severity), 0 CVEs; 3 packages, all could be matched.\n");
    expect(JSON.parse(server.received[0]?.body ?? "")).toMatchObject({ family: "base", version: "1.0", source: "rootfs", os: { id: "debian", versionId: "12" } });
  });

  it("--as-asset records", async () => {
    server.answers["POST /api/v1/assets/scans"] = { json: { asset: { id: "ast_1" }, event: { id: "evt_1", state: "handled" } } };
    server.answers["GET /api/v1/assets/ast_1/scan"] = { json: { state: "stale", matchedAt: null, report } };
    const { code, stderr } = await place.run(["scan", ...words("--dpkg-status @status --os debian:12 --as-asset web01")], { env: env() });
    expect(code).toBe(0);
    expect(stderr).toContain("warning: the advisories changed while the scan ran");
    expect(JSON.parse(server.received[0]?.body ?? "")).toMatchObject({ name: "web01", source: "import", os: { id: "debian", versionId: "12" } });
  });

  it("--host records this machine under its name", async () => {
    server.answers["POST /api/v1/assets/scans"] = { problem: { code: "permission-missing", status: 403, title: "T", detail: "assets:write is missing." } };
    const { code } = await place.run(["scan", "--host", "local"], { env: env() });
    expect(code).toBe(2);
    const sent = JSON.parse(server.received[0]?.body ?? "") as { name: string; source: string; facts: object };
    expect(sent).toMatchObject({ name: (await collectLocal()).name, source: "local" });
    expect(Object.keys(sent.facts)).toContain("kernel");
  });

  it.each([
    ["pending", { event: { id: "evt_1", state: "pending" } }, "not known yet (event evt_1, pending).\n  next: ask again in a moment: qinfra assets report ast_1"],
    ["failed", { event: { id: "evt_1", state: "failed" } }, "matching failed (event evt_1, failed)"],
    ["without a report", {}, "its findings are not known (state pending)"],
  ])("findings that are %s are 2, and never shown as none", async (_what, answer, said) => {
    server.answers["POST /api/v1/assets/scans"] = { json: { asset: { id: "ast_1" }, ...answer } };
    server.answers["GET /api/v1/assets/ast_1/scan"] = { json: { state: "pending", matchedAt: null, report: null } };
    const { code, stdout, stderr } = await place.run(["scan", ...words("--sbom @sbom --as-asset web01 --output json")], { env: env() });
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
    expect(stderr).toContain(said);
  });

  it("what could not be read is not recorded", async () => {
    const { code, stderr } = await place.run(["scan", ...words("--rootfs @rpm --as-image base:1.0")], { env: env() });
    expect(code).toBe(2);
    expect(stderr).toContain("Nothing was recorded: the packages of rpm are not read");
    expect(server.received).toEqual([]);
  });
});

const debian = sharedData("advisories/debian.osv.jsonl.gz");
describe.each([["minbase", "debian12.15-minbase.dpkg-status", 0, 0], ["server", "debian12.15-server.dpkg-status.gz", 14, 274], ["desktop", "debian12.15-desktop.dpkg-status.gz", 26, 679]])("%s", (profile, file, entries, cves) => {
  it.skipIf(debian === undefined)(`scan of Debian 12.15 gives exactly the expected entries (${debian === undefined ? sharedDataMissing : `${entries}`})`, async () => {
    const { code, stdout } = await place.run(["scan", "--dpkg-status", sharedData(`inventory/${file}`) ?? "", "--os", "debian:12", "--advisories", debian ?? "", "--output", "json"]);
    const { findings } = JSON.parse(stdout) as { findings: (Record<"advisory" | "source" | "sourceVersion" | "fixedVersion" | "matchedBy", string> & { aliases: string[] })[] };
    const bySource = findings.filter((finding) => finding.matchedBy === "source");
    const expected = gunzipSync(readFileSync(sharedData(`inventory/debian12.15-${profile}.expected.jsonl.gz`) ?? "")).toString("utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line) as Record<string, string>);
    expect(code).toBe(0);
    expect(bySource.map((each) => `${each.source} ${each.sourceVersion} ${each.advisory} ${each.fixedVersion}`).sort())
      .toEqual(expected.map((each) => `${each["source"]} ${each["installed"]} ${each["advisory"]} ${each["fixed"]}`).sort());
    expect(bySource).toHaveLength(entries);
    expect(new Set(bySource.flatMap((finding) => finding.aliases.filter((id) => id.startsWith("CVE-")))).size).toBe(cves);
  });
});
