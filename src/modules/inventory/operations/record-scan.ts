import { Type } from "typebox";
import { EventOutcome, operation, QuotaExceeded } from "../../../platform/operation/index.ts";
import { ComponentsInput, componentsMaxBytes, internComponents, OperatingSystemInput, SoftwareRecorded } from "../../software/index.ts";
import { Asset, AssetName, AssetSource, Facts, Kind } from "../schemas.ts";
import { recordHost } from "../record-host.ts";
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
  async handle(context, input, { componentSetId }) {
    const { components: _components, ...host } = input;
    const id = await recordHost(context, { ...host, componentSetId });
    const asset = await assetById(context.db, id);
    if (asset === undefined) throw new Error("the asset that was just recorded is not there");
    const { componentSetId: _, ...shown } = asset;
    return { asset: shown };
  },
});
