import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "./support/client.ts";
import { mainJob } from "./support/main-job.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { runSchemathesis } from "./support/schemathesis.ts";
import { startSimulatedOsv, type SimulatedOsv } from "./support/simulated-osv.ts";

/** The administrator last: what they try of an organization's settings holds for everybody in it from then on. */
const roles = ["operator", "viewer", "auditor", "admin"] as const;
const password = "a password for Schemathesis";

/** Run by themselves at the end, each as a member of its own: they end the session or the membership that asks. */
const endsItself = ["sessions.delete", "members.remove", "members.set-role", "members.leave", "organizations.transfer", "organizations.set-settings"];

describeWith(["schemathesis"], "Schemathesis over the whole openapi.json", () => {
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let osv: SimulatedOsv;
  let platform: RunningPlatform;
  let keeper: Client;
  const members = new Map<string, Client>();
  beforeAll(async () => {
    [folder, osv] = await Promise.all([dataFolder("schemathesis-platform"), startSimulatedOsv()]);
    // Members of the platform organization, so that an administrator reaches the feeds too.
    platform = await startPlatform(folder.path, { RATE_LIMIT: "1000000", OSV_URL: osv.url });
    keeper = await claim(platform.address, "admin", platform.oneTimePassword ?? "", password);
    await mainJob(keeper);
    // Before anything is tried: wrong sign-ins from an address keep it from signing in for a while.
    for (const role of roles) for (const name of [`tester-${role}`, `leaver-${role}`]) members.set(name, await member(role, name));
  }, 120_000);
  afterAll(async () => {
    for (const client of members.values()) await client.close();
    await keeper?.close();
    await platform?.stop();
    await osv?.stop();
    await folder?.remove();
  });

  async function member(role: string, name: string): Promise<Client> {
    const { oneTimePassword } = await keeper.call<{ oneTimePassword: string }>("POST", "/api/v1/members", { name, role });
    return claim(platform.address, name, oneTimePassword, password);
  }

  function callerNamed(name: string): Client {
    const caller = members.get(name);
    if (caller === undefined) throw new Error(`${name} was not made`);
    return caller;
  }

  describe.each(roles)("as %s", (role) => {
    it("given generated requests, then no answer is a 5xx or outside its schema, and bad input is refused", async () => {
      const caller = callerNamed(`tester-${role}`);
      const report = await runSchemathesis({ address: platform.address, token: caller.token as string, exclude: endsItself, examples: role === "admin" ? 4 : 2 });
      expect(report.failures, report.text).toEqual([]);
      expect(report.operations).toBeGreaterThan(30);
      process.stdout.write(`Schemathesis as ${role}: ${report.cases} requests to ${report.operations} operations\n`);
      // Otherwise the run would have tested somebody else.
      expect(await caller.call("GET", "/api/v1/users/me")).toMatchObject({ roles: [role] });
    }, 400_000);

    it("given the operations that may end the session or the membership, then the same holds of them", async () => {
      const caller = callerNamed(`leaver-${role}`);
      const report = await runSchemathesis({ address: platform.address, token: caller.token as string, only: endsItself, examples: 5 });
      expect(report.failures, report.text).toEqual([]);
      expect(report.operations).toBe(endsItself.length);
    }, 200_000);
  });
});
