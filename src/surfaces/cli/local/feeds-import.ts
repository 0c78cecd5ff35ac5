import { callOperation } from "../client.ts";
import { CliError } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import { say } from "../io.ts";
import type { CliContext, LocalRun } from "../local-command.ts";
import { writeAnswer, type Format } from "../output/render.ts";
import { createProgressLine } from "../progress.ts";
import { importIntoCache, type ImportedFeed } from "./advisory-cache.ts";
import { checkFeed, feedLines, feedName, withFeedFile } from "./feed-source.ts";

export const runFeedsImport: LocalRun = async (context, options, [feed = "-"]) => {
  const { io } = context;
  const name = feedName(options["name"] as string | undefined, feed);
  const local = options["local"] === true;
  const connection = local ? undefined : await context.connection();
  if (!local && connection === undefined) {
    throw new CliError("No server is configured to import into.", { next: "run `qinfra login`, set QINFRA_URL, or add --local for scans on this machine" });
  }
  const imported = await withFeedFile(io, feed, (path) => (local ? importIntoCache(io, name, path) : upload(context, name, path)));
  await reportImport(context, imported, options["output"] as Format);
  return exit.done;
};

/** Checked here first, so that a bad feed is refused with its own file and line before anything is sent. */
async function upload(context: CliContext, name: string, path: string): Promise<ImportedFeed> {
  const { io } = context;
  await checkFeed(io, path);
  const connection = await context.connected();
  const line = createProgressLine(io);
  try {
    return (await callOperation(io, connection, context.operation("feeds.import"), {
      input: { name }, body: { contentType: "application/x-ndjson", content: feedLines(path, io.signal) }, progress: (progress) => line.show(progress),
    })) as ImportedFeed;
  } finally {
    line.end();
  }
}

export async function reportImport(context: CliContext, imported: ImportedFeed, format: Format): Promise<void> {
  await writeAnswer(context.io, context.operation("feeds.import"), imported, format);
  if (!imported.changed) say(context.io, `The feed ${imported.feed} was there already, with the same records.`);
}
