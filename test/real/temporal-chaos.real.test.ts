import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll } from "vitest";
import { bundleForTemporal } from "../../src/platform/workflow/engines/temporal/bundle.ts";
import { workflowChaos } from "../chaos/workflow-suite.ts";
import { describeWith } from "./support/peer.ts";
import { temporaryFolder } from "./support/process.ts";
import { startTemporal, type TemporalServer } from "./support/temporal.ts";

describeWith(["temporal"], "a real Temporal", () => {
  let temporal: TemporalServer;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let bundle: string;
  beforeAll(async () => {
    [temporal, folder] = await Promise.all([startTemporal(), temporaryFolder("temporal-chaos")]);
    const { code } = await bundleForTemporal(fileURLToPath(new URL("../../src/platform/workflow/testing/temporal-bundle.ts", import.meta.url)));
    bundle = join(folder.path, "workflows.js");
    await writeFile(bundle, code);
  });
  afterAll(async () => {
    await temporal.remove();
    await folder.remove();
  });

  // Temporal waits fifteen seconds until it gives away a step of a server that is gone, so that fewer are killed.
  workflowChaos({ title: "Temporal", engineOf: (test) => ({ temporal: { url: temporal.url, bundle, taskQueue: test.orgId } }), kills: 10 });
});
