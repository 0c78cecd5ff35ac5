import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseInput } from "../../../src/modules/software/parse-input.ts";
import type { Client } from "./client.ts";
import { root } from "./platform.ts";

export interface MainJob {
  image: string;
  /** `advisory source sourceVersion matchedBy` of each finding, in order. */
  findings: string[];
}

/** Imports the examples' advisories, registers the examples' image, and reads its findings. */
export async function mainJob(client: Client): Promise<MainJob> {
  await client.call("POST", "/api/v1/feeds/debian/import", await readFile(join(root, "examples/debian.osv.jsonl")));
  const { components, os } = await parseInput({ kind: "dpkg-status", path: join(root, "examples/web01.dpkg-status"), os: { id: "debian", versionId: "12" } });
  const { image, event } = await client.call<{ image: { id: string }; event?: { state: string } }>("POST", "/api/v1/images", {
    family: "web", version: "1", source: "dpkg-status", ...(os === undefined ? {} : { os }), components,
  });
  if (event?.state !== "handled") throw new Error(`the findings of the image are ${event?.state ?? "unsaid"}`);
  const { items } = await client.call<{ items: { advisory: string; source: string; sourceVersion: string; matchedBy: string }[] }>("GET", `/api/v1/images/${image.id}/vulnerabilities`);
  return { image: image.id, findings: items.map((each) => `${each.advisory} ${each.source} ${each.sourceVersion} ${each.matchedBy}`).sort() };
}

/** What is in examples/, and no more. */
export const expectedFindings = [
  "DLA-4682-1 redis 5:7.0.15-1~deb12u7 source",
  "DLA-4688-1 linux-signed-amd64 6.1.176+1 signed-source",
  "DLA-4694-1 nss 2:3.87.1-1+deb12u2 source",
];
