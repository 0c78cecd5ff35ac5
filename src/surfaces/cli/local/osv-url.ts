import type { CliIo } from "../io.ts";

const osvStorage = "https://osv-vulnerabilities.storage.googleapis.com";

/** Where this machine fetches advisories from: `QINFRA_OSV_URL`, else OSV's own storage. */
export function osvUrl(env: CliIo["env"]): string {
  return (env["QINFRA_OSV_URL"] || osvStorage).replace(/\/+$/, "");
}
