import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { ComponentsInput, componentsMaxBytes } from "../../software/index.ts";
import { buildReport, ScanReport } from "../domain/report.ts";
import { TooManyFindings } from "../errors.ts";
import { matchWithCurrent } from "../matching.ts";

export const scan = operation({
  id: "vulnerabilities.scan",
  http: "POST /api/v1/scan",
  summary: "Say which of these components are vulnerable, storing nothing",
  description: "Takes what a parser found and answers the same report as `qinfra scan --output json`.",
  permission: "scans:run",
  effect: "read",
  without: { cli: "qinfra scan reads and parses its input in its own process, then calls this" },
  maxInputBytes: componentsMaxBytes,
  input: Type.Object({ components: ComponentsInput }),
  output: ScanReport,
  errors: [TooManyFindings],
  examples: [{
    input: { components: [{ name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" }] },
  }],
  async prepare(context, { components }) {
    const { result, database } = await matchWithCurrent(context, components);
    return buildReport(result, { mode: "server", advisories: { digest: database.digest, newest: database.newest } });
  },
  handle: async (_context, _input, report) => report,
});
