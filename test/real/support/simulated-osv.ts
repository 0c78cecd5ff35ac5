import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { zipOf } from "../../../src/modules/vulnerabilities/feeds/testing.ts";

export interface SimulatedOsv {
  /** For OSV_URL. */
  url: string;
  /** How many archives were asked for. */
  asked(): number;
  /** Begins the answers from here on and leaves them there. */
  hold(): void;
  /** Ends those, and answers as before. */
  release(): void;
  stop(): Promise<void>;
}

const record = {
  id: "DEBIAN-CVE-2026-25243", modified: "2026-11-01T00:00:00Z", summary: "An example",
  affected: [{ package: { ecosystem: "Debian:12", name: "openssl" }, ranges: [{ type: "ECOSYSTEM", events: [{ introduced: "0" }, { fixed: "3.0.17-1" }] }] }],
};

/** Simulates the archive of osv.dev, which a test must not depend on: Debian with one record, and no other ecosystem. */
export async function startSimulatedOsv(): Promise<SimulatedOsv> {
  const archive = zipOf([{ name: `${record.id}.json`, content: JSON.stringify(record) }]);
  const held = new Set<ServerResponse>();
  let holding = false;
  let asked = 0;
  const server = createServer((request, response) => {
    if (request.url !== "/Debian/all.zip") return response.writeHead(404).end();
    asked += 1;
    if (!holding) return response.end(archive);
    held.add(response);
    response.write(archive.subarray(0, 10));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked: () => asked,
    hold() {
      holding = true;
    },
    release() {
      holding = false;
      for (const response of held) response.end(archive.subarray(10));
      held.clear();
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}
