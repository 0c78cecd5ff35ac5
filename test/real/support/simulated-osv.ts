import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { zipOf } from "../../../src/modules/vulnerabilities/feeds/testing.ts";

export interface SimulatedOsv {
  /** For OSV_URL. */
  url: string;
  stop(): Promise<void>;
}

const record = {
  id: "DEBIAN-CVE-2026-25243", modified: "2026-11-01T00:00:00Z", summary: "An example",
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
};

/** Simulates the archive of osv.dev, which a test must not depend on: Debian with one record, and no other ecosystem. */
export async function startSimulatedOsv(): Promise<SimulatedOsv> {
  const archive = zipOf([{ name: `${record.id}.json`, content: JSON.stringify(record) }]);
  const server = createServer((request, response) => (request.url === "/Debian/all.zip" ? response.end(archive) : response.writeHead(404).end()));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
