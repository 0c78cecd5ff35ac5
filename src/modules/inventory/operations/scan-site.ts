import { Type } from "typebox";
import { toTypeId, TypeId } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { SiteIncomplete, SiteNotFound } from "../errors.ts";
import { SiteId } from "../schemas.ts";
import { scanFields } from "../site-schemas.ts";
import { checkComplete } from "../sites/complete.ts";
import { scanSite as workflow } from "../workflows/scan-site.ts";
import { siteOf } from "./sites.ts";

export const scanSite = operation({
  id: "inventory.scan-site",
  http: "POST /api/v1/sites/{id}/scans",
  cli: { name: "sites scan", positional: ["id"] },
  summary: "Begin to scan all hosts of a site over ssh",
  description: "Answers the run, which goes on by itself, also when the server is restarted: `qinfra workflows get RUN` shows how far it is and, at its end, what it found. A host that fails does not end it. The same is done again and again by `qinfra schedules create NAME inventory.scan-site`.",
  permission: "assets:write",
  effect: "change",
  creates: true,
  input: Type.Object({ id: SiteId, waveSize: Type.Optional({ ...scanFields.waveSize, default: 20 }), failureLimit: Type.Optional(scanFields.failureLimit) }),
  output: Type.Object({ run: TypeId("run", "Run of the scan") }),
  errors: [SiteNotFound, SiteIncomplete],
  examples: [{ input: { id: "sit_01jd0000000000000000000000" } }],
  async handle({ db, workflows }, { id, ...options }) {
    checkComplete(await siteOf(db, id));
    return { run: toTypeId("run", await workflows.start(workflow, { site: id, ...options })) };
  },
});
