import { Type } from "typebox";
import { step, workflow, type Workflow } from "../../../platform/workflow/declare.ts";

const Ecosystem = Type.String({ pattern: "^[A-Za-z][A-Za-z0-9. _-]{0,49}$", description: "OSV ecosystem without its release", examples: ["Debian"] });
const Synced = Type.Object({ feed: Type.String(), changed: Type.Boolean(), records: Type.Integer() });

export const syncOneFeed = step({
  id: "vulnerabilities.sync-feed", summary: "Download an ecosystem's advisories and make them current",
  input: Type.Object({ ecosystem: Ecosystem }), output: Synced,
  retry: { attempts: 6, firstSeconds: 30, mostSeconds: 900, never: ["ecosystem-unknown", "feed-refused"] }, timeoutSeconds: 3_600,
});

export const syncFeedsWorkflow = workflow({
  id: "vulnerabilities.sync-feeds", summary: "Bring feeds of OSV up to date, one ecosystem after the other", permission: "platform:feeds",
  input: Type.Object({ ecosystems: Type.Array(Ecosystem, { minItems: 1, maxItems: 50 }) }), output: Type.Array(Synced),
  concurrencyKey: () => "feeds",
  async run(flow, { ecosystems }) {
    const synced = [];
    for (const [i, ecosystem] of ecosystems.entries()) {
      await flow.progress(ecosystem, i, ecosystems.length);
      synced.push(await flow.step(syncOneFeed, { ecosystem }));
    }
    return synced;
  },
});

export const vulnerabilityWorkflows = [syncFeedsWorkflow] as unknown as readonly Workflow[];
