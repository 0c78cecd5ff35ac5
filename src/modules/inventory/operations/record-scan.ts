import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { toTypeId } from "../../../platform/ids.ts";
import { EventOutcome, operation, QuotaExceeded } from "../../../platform/operation/index.ts";
import { ComponentsInput, componentsMaxBytes, internComponents, OperatingSystemInput, SoftwareRecorded } from "../../software/index.ts";
import { Asset, AssetName, AssetSource, Facts, Kind } from "../schemas.ts";
import { AssetRecorded } from "../events.ts";
import { internFacts, recordAsset } from "../store.ts";
import { assetById } from "../views.ts";

export const recordScan = operation({
  id: "inventory.record-scan",
  http: "POST /api/v1/assets/scans",
  cli: { name: "assets record" },
  summary: "Record what runs on an asset, making the asset where it is new",
  description: "`qinfra scan --host local` collects and records in one go. Waits until the asset's findings are known, and says so where they are not.",
  permission: "assets:write",
  effect: "change",
  maxInputBytes: componentsMaxBytes,
  input: Type.Object({
    name: AssetName,
    kind: Type.Optional(Kind),
    source: AssetSource,
    os: Type.Optional(OperatingSystemInput),
    facts: Type.Optional(Facts),
    components: ComponentsInput,
  }),
  output: Type.Object({ asset: Asset, event: Type.Optional(EventOutcome) }),
  errors: [QuotaExceeded],
  awaits: { event: SoftwareRecorded, subscription: "vulnerabilities.match" },
  examples: [{
    summary: "A host with one package",
    input: {
      name: "web01.example.org", source: "import", os: { id: "debian", versionId: "12" }, facts: { architecture: "x86_64" },
      components: [{ name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" }],
    },
  }],
  prepare: async (context, input) => ({ componentSetId: await internComponents(context, input.components) }),
  async handle({ db, orgId, ids, clock, events: log, quotas }, input, { componentSetId }) {
    const now = timestamp(clock);
    const factSetId = await internFacts(db, { orgId, id: ids.uuid(), facts: input.facts ?? {} });
    const newId = ids.uuid();
    const id = await recordAsset(db, {
      orgId, id: newId, name: input.name, kind: input.kind ?? "host", os: input.os ?? null, source: input.source, componentSetId, factSetId, now,
    });
    if (id === newId) await quotas.take("assets", 1);
    await quotas.take("scans", 1);
    const subject = toTypeId("ast", id);
    await log.append({ type: AssetRecorded, subject, data: { source: input.source } });
    await log.append({ type: SoftwareRecorded, subject, data: { kind: "asset", componentSet: toTypeId("set", componentSetId) } });
    const asset = await assetById(db, id);
    if (asset === undefined) throw new Error("the asset that was just recorded is not there");
    const { componentSetId: _, ...shown } = asset;
    return { asset: shown };
  },
});
