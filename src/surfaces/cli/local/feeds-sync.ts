import type { ReadableStream as WebStream } from "node:stream/web";
import { callOperation } from "../client.ts";
import { CliError } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { codeOf } from "../home.ts";
import type { CliIo } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import type { Format } from "../output/render.ts";
import { createProgressLine } from "../progress.ts";
import { importIntoCache, type ImportedFeed } from "./advisory-cache.ts";
import { saveStream, withTemporaryFile } from "./feed-source.ts";
import { reportImport } from "./feeds-import.ts";
import { osvUrl } from "./osv-url.ts";

const firstByteMs = 60_000;
const idleMs = 60_000;

export const runFeedsSync: LocalRun = async (context, options, [source]) => {
  if (source !== "osv") throw new CliError(`There is no source "${source}".`, { next: "qinfra feeds sync osv --ecosystem Debian" });
  const ecosystems = options["ecosystem"] as string[];
  const wrong = ecosystems.find((ecosystem) => !/^[A-Za-z][A-Za-z0-9. _-]{0,49}$/.test(ecosystem));
  if (wrong !== undefined) throw new CliError(`"${wrong}" is not an ecosystem of OSV.`, { next: "name it without its release: Debian, npm, crates.io" });
  for (const ecosystem of ecosystems) {
    const imported = options["local"] === true ? await syncHere(context.io, ecosystem) : await syncThere(context, ecosystem);
    await reportImport(context, imported, options["output"] as Format);
  }
  return exit.done;
};

async function syncThere(context: CliContext, ecosystem: string): Promise<ImportedFeed> {
  const { io } = context;
  const connection = await context.connection();
  if (connection === undefined) throw new CliError("No server is configured to fetch them.", { next: "run `qinfra login`, set QINFRA_URL, or add --local for scans on this machine" });
  const line = createProgressLine(io);
  try {
    return (await callOperation(io, connection, context.operation("feeds.sync"), { input: { ecosystem }, progress: (progress) => line.show(progress) })) as ImportedFeed;
  } finally {
    line.end();
  }
}

async function syncHere(io: CliIo, ecosystem: string): Promise<ImportedFeed> {
  const name = `osv-${ecosystem.toLowerCase().replaceAll(/[^a-z0-9.]+/g, "-")}`;
  return withTemporaryFile("all.zip", async (path) => {
    await download(io, ecosystem, path);
    return importIntoCache(io, name, path);
  });
}

async function download(io: CliIo, ecosystem: string, path: string): Promise<void> {
  const url = `${osvUrl(io.env)}/${encodeURIComponent(ecosystem)}/all.zip`;
  const line = createProgressLine(io);
  const late = new AbortController();
  let timer = setTimeout(() => late.abort(), firstByteMs);
  try {
    const signal = AbortSignal.any([io.signal, late.signal]);
    const response = await io.fetch(url, { signal });
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new CliError(`${url} answered ${response.status}.`, { next: "check the name of the ecosystem, and QINFRA_OSV_URL where it is set" });
    }
    const total = Number(response.headers.get("content-length")) || undefined;
    await saveStream(response.body as WebStream<Uint8Array>, path, signal, (done) => {
      clearTimeout(timer);
      timer = setTimeout(() => late.abort(), idleMs);
      line.show({ step: `downloading ${ecosystem} (bytes)`, done, ...(total !== undefined && { total }) });
    });
  } catch (error) {
    if (io.signal.aborted || error instanceof CliError) throw error;
    const cause = error instanceof Error && error.cause !== undefined ? error.cause : error;
    throw new CliError(`${url} could not be fetched (${late.signal.aborted ? "it took too long" : codeOf(cause)}).`, { next: "check the network, or import a file: qinfra feeds import --local FILE", cause: error });
  } finally {
    clearTimeout(timer);
    line.end();
  }
}
