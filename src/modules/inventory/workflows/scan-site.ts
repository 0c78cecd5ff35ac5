import { Type } from "typebox";
import { step, workflow, WorkflowError, type Workflow } from "../../../platform/workflow/declare.ts";

const SiteId = Type.String({ pattern: "^sit_[0-7][0-9a-hjkmnp-tv-z]{25}$", description: "Site", examples: ["sit_01jd0000000000000000000000"] });
const Uuid = Type.String({ pattern: "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$" });
const Count = (description: string) => Type.Integer({ minimum: 0, description });
const Failure = Type.Object({ code: Type.String({ maxLength: 100 }), reason: Type.String({ maxLength: 2_000 }) });
/** What became of one host; `gone`: it was removed meanwhile. */
const Outcome = Type.Union([Type.Literal("recorded"), Type.Literal("failed"), Type.Literal("gone")]);

export const beginScan = step({
  id: "inventory.begin-scan", summary: "Check that the site can be scanned, and count its hosts",
  input: Type.Object({ site: SiteId }), output: Type.Object({ hosts: Count("Hosts of the site") }),
  retry: { never: ["site-not-found", "site-incomplete", "ssh-missing"] }, timeoutSeconds: 30,
});

export const nextHosts = step({
  id: "inventory.next-hosts", summary: "List hosts of the site, by name",
  input: Type.Object({ site: SiteId, after: Type.Optional(Type.String()), limit: Type.Integer({ minimum: 1, maximum: 1_000 }) }),
  output: Type.Object({ hosts: Type.Array(Uuid), last: Type.Optional(Type.String()) }), timeoutSeconds: 30,
});

export const collectHost = step({
  id: "inventory.collect-host", summary: "Collect a host over ssh and record what runs on it",
  input: Type.Object({ host: Uuid, scan: Uuid }), output: Type.Object({ outcome: Outcome }),
  retry: { attempts: 3, firstSeconds: 2, mostSeconds: 30, never: ["quota-exceeded", "ssh-missing"] }, timeoutSeconds: 120,
});

export const noteFailure = step({
  id: "inventory.note-failure", summary: "Note why a host could not be recorded",
  input: Type.Object({ host: Uuid, scan: Uuid, ...Failure.properties }), output: Type.Object({ outcome: Outcome }), timeoutSeconds: 30,
});

const Counts = Type.Object({ recorded: Count("Hosts that were collected and recorded"), failed: Count("Hosts that could not be"), gone: Count("Hosts that were removed meanwhile") });

export const endScan = step({
  id: "inventory.end-scan", summary: "Add up the findings of the hosts that were recorded",
  input: Type.Object({ site: SiteId, scan: Uuid }),
  output: Type.Object({
    pending: Count("Recorded hosts whose findings are not known yet, which never means that there are none"),
    findings: Type.Object({ all: Count("All"), critical: Count("Critical ones"), high: Count("High ones"), medium: Count("Medium ones"), low: Count("Low ones") }),
    failures: Type.Array(Type.Object({ host: Type.String({ description: "Name" }), ...Failure.properties }), { description: "The first fifty; qinfra sites hosts list --failed has them all" }),
  }), timeoutSeconds: 30,
});

const waveFields = {
  waveSize: Type.Optional(Type.Integer({ minimum: 1, maximum: 50, description: "Hosts that are collected at once; 20 unless given" })),
  failureLimit: Type.Optional(Type.Integer({ minimum: 0, maximum: 50, description: "The scan ends with the wave in which more hosts than this fail" })),
};
const usualWave = 20;

export const scanHosts = workflow({
  id: "inventory.scan-hosts", summary: "Collect some hosts of a site, a wave at a time; part of inventory.scan-site", permission: "assets:write",
  input: Type.Object({ scan: Uuid, hosts: Type.Array(Uuid, { maxItems: 200 }), ...waveFields }),
  output: Counts,
  async run(flow, { scan, hosts, waveSize = usualWave, failureLimit = waveSize }) {
    const counts = { recorded: 0, failed: 0, gone: 0 };
    for (let first = 0; first < hosts.length; first += waveSize) {
      const before = counts.failed;
      const wave = await flow.parallel(hosts.slice(first, first + waveSize).map((host) => async () => {
        try {
          return { host, outcome: (await flow.step(collectHost, { host, scan })).outcome };
        } catch (error) {
          if (!(error instanceof WorkflowError)) throw error;
          return { host, outcome: "failed" as const, error: { code: error.code, reason: error.message } };
        }
      }));
      for (const { host, outcome, error } of wave) {
        counts[outcome] += 1;
        if (error !== undefined) await flow.step(noteFailure, { host, scan, ...error });
      }
      const failed = counts.failed - before;
      if (failed > failureLimit) throw new WorkflowError("too-many-failed", `${failed} of ${wave.length} hosts of a wave could not be scanned, and the limit is ${failureLimit}, so that the scan has ended; qinfra sites hosts list --failed says why.`);
    }
    return counts;
  },
});

/** Most children: with what else it does for each, a history holds them. */
const mostChildren = 200;

export const scanSite = workflow({
  id: "inventory.scan-site", summary: "Collect what runs on the hosts of a site, a wave at a time, and wait for the findings", permission: "assets:write",
  input: Type.Object({ site: SiteId, ...waveFields }),
  output: Type.Object({ ...Counts.properties, hosts: Count("Hosts of the site"), ...endScan.output.properties }),
  concurrencyKey: ({ site }) => `scan ${site}`,
  atOnce: 8,
  async run(flow, { site, waveSize = usualWave, failureLimit }) {
    const { hosts } = await flow.step(beginScan, { site });
    let limit = waveSize;
    while (limit * mostChildren < hosts) limit += waveSize;
    const counts = { recorded: 0, failed: 0, gone: 0 };
    let after: string | undefined;
    await flow.progress("collecting hosts", 0, hosts);
    for (;;) {
      const page = await flow.step(nextHosts, { site, limit, ...(after === undefined ? {} : { after }) });
      if (page.hosts.length === 0) break;
      const of = await flow.child(scanHosts, { scan: flow.id, hosts: page.hosts, waveSize, ...(failureLimit === undefined ? {} : { failureLimit }) });
      counts.recorded += of.recorded;
      counts.failed += of.failed;
      counts.gone += of.gone;
      const done = counts.recorded + counts.failed + counts.gone;
      await flow.progress(counts.failed === 0 ? "collecting hosts" : `collecting hosts, ${counts.failed} failed`, done, done > hosts ? done : hosts);
      after = page.last;
    }
    await flow.progress("waiting for findings", hosts, hosts);
    let ended = await flow.step(endScan, { site, scan: flow.id });
    for (let seconds = 1; ended.pending > 0 && seconds <= 128; seconds *= 2) {
      await flow.sleep(seconds);
      ended = await flow.step(endScan, { site, scan: flow.id });
    }
    return { hosts, ...counts, ...ended };
  },
});

export const inventoryWorkflows = [scanSite, scanHosts] as unknown as readonly Workflow[];
