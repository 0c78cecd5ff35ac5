import { execFile } from "node:child_process";
import { copyFile, mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { fencedBlocks } from "../docs/support/markdown.ts";
import { openClient, type Client } from "./support/client.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, root, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { freePort, temporaryFolder } from "./support/process.ts";
import { hostKeyOf, startSshd, type Sshd } from "./support/sshd.ts";
import { otherHost, otherHostsMissing } from "./support/other-host.ts";

const exec = promisify(execFile);

const records = [
  ["DEBIAN-CVE-2026-1", "openssl", "3.0.17-1"], ["DEBIAN-CVE-2026-2", "zlib", "1:1.2.13-2"],
].map(([id, name, fixed]) => JSON.stringify({
  id, modified: "2026-11-01T00:00:00Z", severity: [{ type: "CVSS_V3", score: "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N" }],
  affected: [{ package: { ecosystem: "Debian:12", name }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed }] }] }],
}));

/** What is installed, by host. */
const installed = {
  old: [["openssl", "3.0.1-1"]],
  older: [["openssl", "3.0.1-1"], ["zlib", "1:1.2.11-1"]],
  new: [["openssl", "3.0.20-1"]],
  stranger: [["openssl", "3.0.1-1"]],
} as const;

interface Run {
  state: string;
  failure: unknown;
  output: { recorded: number; failed: number; pending: number; findings: Record<string, number>; failures: { host: string; code: string }[] };
}

interface Host {
  name: string;
  hostKey: string | null;
  asset: string | null;
  run: string | null;
}

const missing = otherHostsMissing();

describeWith(["openssh-server"], "a site", () => {
  describe.skipIf(missing !== undefined)(`of real hosts${missing === undefined ? "" : ` [skipped: ${missing}]`}`, () => {
    const servers = new Map<string, Sshd>();
    let files: Awaited<ReturnType<typeof temporaryFolder>>;
    let data: Awaited<ReturnType<typeof dataFolder>>;
    let platform: RunningPlatform;
    let client: Client;
    let token: string | undefined;
    let gate: string;

    async function start(): Promise<void> {
      platform = await startPlatform(data.path, { SCAN_LOCAL_ADDRESSES: "allow", TMPDIR: join(files.path, "tmp") });
      client = token === undefined ? await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password that nobody else has") : openClient(platform.address, token);
      token = client.token;
    }

    beforeAll(async () => {
      files = await temporaryFolder("site");
      await mkdir(join(files.path, "tmp"), { mode: 0o777 });
      gate = join(files.path, "gate");
      for (const [name, packages] of Object.entries(installed)) {
        servers.set(name, await startSshd([`ForceCommand ${await otherHost(join(files.path, name), packages)}`]));
      }
      servers.set("waits", await startSshd([`ForceCommand while ! [ -e ${gate} ]; do sleep 0.1; done; ${await otherHost(join(files.path, "waits"), installed.old)}`]));
      for (const server of servers.values()) {
        if (server !== serverOf("old")) await copyFile(`${serverOf("old").identityFile}.pub`, join(dirname(server.identityFile), "authorized_keys"));
      }
      data = await dataFolder("site-data");
      await start();
      await client.call("POST", "/api/v1/feeds/debian/import", `${records.join("\n")}\n`);
    }, 180_000);
    afterAll(async () => {
      await client?.close();
      await platform?.stop();
      for (const server of servers.values()) await server.stop();
      await data?.remove();
      await files?.remove();
    });

    const serverOf = (name: string): Sshd => servers.get(name) as Sshd;

    /** A site with the key that all these hosts let in. */
    async function siteOf(name: string, hosts: readonly { name: string; port: number; hostKey?: string }[], more: Record<string, unknown> = {}): Promise<string> {
      const { id } = await client.call<{ id: string }>("POST", "/api/v1/sites", { name, user: serverOf("old").user, ...more });
      await client.call("PUT", `/api/v1/sites/${id}/key`, await readFile(serverOf("old").identityFile), { "content-type": "application/octet-stream" });
      await client.call("POST", `/api/v1/sites/${id}/hosts`, { hosts: hosts.map((host) => ({ address: "127.0.0.1", ...host })) });
      return id;
    }

    async function hostOf(name: string): Promise<{ name: string; port: number; hostKey: string }> {
      return { name, port: serverOf(name).port, hostKey: await hostKeyOf(serverOf(name)) };
    }

    const scan = async (site: string, options: object = {}): Promise<string> => (await client.call<{ run: string }>("POST", `/api/v1/sites/${site}/scans`, options)).run;
    const hostsOf = async (site: string): Promise<Host[]> => (await client.call<{ items: Host[] }>("GET", `/api/v1/sites/${site}/hosts`)).items;

    async function ended(run: string): Promise<Run> {
      return vi.waitUntil(async () => {
        const shown = await client.call<Run>("GET", `/api/v1/workflows/${run}`);
        return shown.state === "waiting" || shown.state === "running" ? undefined : shown;
      }, { timeout: 55_000, interval: 200 });
    }

    /** Text of all files that the server has put down for ssh. */
    async function putDown(): Promise<string> {
      const names = await readdir(join(files.path, "tmp"), { recursive: true });
      return (await Promise.all(names.map((name) => readFile(join(files.path, "tmp", name), "utf8").catch(() => "")))).join("\n");
    }

    it("given hosts of which one is closed, one has another key and one an unknown key, then the others' findings are those of what is installed there", async () => {
      const changed = { ...await hostOf("old"), name: "changed", hostKey: await hostKeyOf(serverOf("new")) };
      const stranger = { name: "stranger", port: serverOf("stranger").port };
      const site = await siteOf("mixed", [await hostOf("old"), await hostOf("older"), await hostOf("new"), { ...await hostOf("old"), name: "closed", port: await freePort() }, changed, stranger]);
      const run = await ended(await scan(site));
      expect(run).toMatchObject({ state: "succeeded", failure: null, output: { recorded: 3, failed: 3, pending: 0, findings: { all: 3, high: 3, critical: 0 } } });
      expect(run.output.failures.map(({ host, code }) => [host, code])).toEqual([["changed", "host-key-changed"], ["closed", "connection-refused"], ["stranger", "host-key-unknown"]]);
      const assets = new Map((await hostsOf(site)).map(({ name, asset }) => [name, asset]));
      for (const [name, expected] of [["old", ["DEBIAN-CVE-2026-1"]], ["older", ["DEBIAN-CVE-2026-1", "DEBIAN-CVE-2026-2"]], ["new", []]] as const) {
        const { report } = await client.call<{ report: { findings: { advisory: string }[] } }>("GET", `/api/v1/assets/${assets.get(name) ?? ""}/scan`);
        expect(report.findings.map(({ advisory }) => advisory).sort(), name).toEqual(expected);
      }
    });

    it("given trust on first use, then the key is taken and recorded, and another one later is refused", async () => {
      const site = await siteOf("trusting", [{ name: "first-seen", port: serverOf("stranger").port }], { trustOnFirstUse: true });
      expect((await ended(await scan(site))).output).toMatchObject({ recorded: 1, failed: 0 });
      expect(await hostsOf(site)).toMatchObject([{ hostKey: await hostKeyOf(serverOf("stranger")) }]);
      await client.call("POST", `/api/v1/sites/${site}/hosts`, { hosts: [{ name: "first-seen", address: "127.0.0.1", port: serverOf("new").port }] });
      expect((await ended(await scan(site))).output.failures).toMatchObject([{ host: "first-seen", code: "host-key-changed" }]);
    });

    it("given a server that is killed between two hosts, then the next one goes on with those that are left, and no key lies about", async () => {
      const [a, b, c] = [{ ...await hostOf("old"), name: "a-done" }, { ...await hostOf("waits"), name: "b-under-way" }, { ...await hostOf("new"), name: "c-to-come" }];
      const before = serverOf("old").log().match(/Accepted publickey/g)?.length ?? 0;
      const site = await siteOf("killed", [a, b, c]);
      const run = await scan(site, { waveSize: 1 });
      await vi.waitUntil(() => serverOf("waits").log().includes("Starting session"), { timeout: 30_000, interval: 100 });
      expect(await putDown()).toContain("ssh-ed25519");
      expect(await putDown()).not.toContain("PRIVATE KEY");
      await client.close();
      await platform.stop("SIGKILL");
      expect(await putDown()).not.toContain("PRIVATE KEY");
      await writeFile(gate, "");
      await start();
      expect((await ended(run)).output).toMatchObject({ recorded: 3, failed: 0, pending: 0, findings: { all: 2 } });
      expect(serverOf("old").log().match(/Accepted publickey/g)).toHaveLength(before + 1);
    }, 120_000);

    it("given the commands of the guide, then they scan a site", async () => {
      const { key } = await client.call<{ key: string }>("POST", "/api/v1/api-keys", { name: "guide", scopes: ["assets:read", "assets:write", "workflows:read", "workflows:write"] });
      const env = { PATH: `${join(root, "bin")}:${process.env["PATH"] ?? ""}`, QINFRA_URL: platform.address, QINFRA_API_KEY: key, QINFRA_HOME: join(files.path, "home") };
      const { port, hostKey } = await hostOf("older");
      const commands = fencedBlocks(await readFile(join(root, "docs/guides/scan-sites.md"), "utf8")).filter(({ language }) => language === "sh").flatMap(({ lines }) => lines);
      const said: string[] = [];
      for (const command of commands) {
        const site = /sit_\w+/.exec(said[0] ?? "")?.[0] ?? "";
        const here = command.replace(/sit_\w+/, site).replace("--user qinfra", `--user ${serverOf("old").user}`).replace("id_qinfra", serverOf("old").identityFile).replace('"10.0.4.17"', `"127.0.0.1","port":${port}`).replace(/ssh-ed25519 [^"]+/, hostKey);
        said.push((await exec("/bin/sh", ["-c", here], { env, timeout: 30_000 })).stdout);
      }
      const run = await ended(said.map((text) => /run_\w+/.exec(text)?.[0]).find((id) => id !== undefined) ?? "");
      expect(run).toMatchObject({ state: "succeeded", output: { recorded: 1, failures: [], findings: { all: 2 } } });
      expect(said.at(-1)).toContain("nightly-zurich");
    }, 120_000);

    it("given a schedule, then the site is scanned by itself", async () => {
      const site = await siteOf("scheduled", [{ ...await hostOf("new"), name: "at-times" }]);
      await client.call("POST", "/api/v1/schedules", { name: "every-minute", workflow: "inventory.scan-site", cron: "* * * * *", input: { site } });
      const run = await vi.waitUntil(async () => (await hostsOf(site))[0]?.run, { timeout: 90_000, interval: 500 });
      expect((await ended(run)).output).toMatchObject({ recorded: 1, failed: 0 });
    }, 120_000);
  });
});
