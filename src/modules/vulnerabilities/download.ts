import { createWriteStream } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { fail } from "../../platform/errors.ts";
import type { PrepareContext } from "../../platform/operation/index.ts";
import { EcosystemUnknown, FeedUnreachable } from "./errors.ts";

const maxBytes = 4 * 1024 ** 3; // npm's archive, the largest, has some 300 MB in 2026
const timeoutMs = 30 * 60_000;

/** Fetches `<OSV_URL>/<ecosystem>/all.zip` into a temporary file; the caller removes it. */
export async function downloadEcosystem(context: Pick<PrepareContext, "http" | "signal" | "progress"> & { settings: { osvUrl: string } }, ecosystem: string): Promise<{ path: string; remove(): Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-feed-"));
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const url = `${context.settings.osvUrl}/${encodeURIComponent(ecosystem)}/all.zip`;
    const answer = await context.http.stream({ url, maxBytes, timeoutMs, signal: context.signal });
    const host = new URL(url).host;
    if (answer.status === 404) fail(EcosystemUnknown, `${host} has no ${ecosystem}/all.zip; names are written as OSV writes them, for example Debian or crates.io.`);
    if (answer.status !== 200) fail(FeedUnreachable, `${host} answered ${answer.status} for ${ecosystem}/all.zip; try again later, or check the setting OSV_URL.`);
    context.progress({ step: `downloading ${ecosystem}` });
    const path = join(folder, "all.zip");
    await pipeline(Readable.from(answer.body), createWriteStream(path));
    return { path, remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Name of the feed that an ecosystem of OSV is imported as. */
export function feedOf(ecosystem: string): string {
  return `osv-${ecosystem.toLowerCase().replaceAll(/[^a-z0-9.]+/g, "-")}`;
}
