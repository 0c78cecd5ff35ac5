import { Type, type Static } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { Conflict, fail, InvalidInput } from "../../../platform/errors.ts";
import { operation, type Context } from "../../../platform/operation/index.ts";
import { downloadEcosystem } from "../download.ts";
import { EcosystemUnknown, FeedRefused, FeedUnreachable } from "../errors.ts";
import { events } from "../events.ts";
import { currentDigest } from "../feed-views.ts";
import { makeCurrent } from "../feed-store.ts";
import { stageFeed, type StagedFeed } from "../import-feed.ts";

export const FeedName = Type.String({ pattern: "^[a-z0-9][a-z0-9._-]{0,62}$", description: "Name of the feed; importing under the same name replaces it", examples: ["debian"] });

const ImportedFeed = Type.Object({
  feed: FeedName,
  changed: Type.Boolean({ description: "False where the feed holds exactly what was current already" }),
  records: Type.Integer({ description: "Distinct records, withdrawn ones included" }),
  withdrawn: Type.Integer(),
  digest: Type.String({ description: "Digest of the records, whatever their order and packaging" }),
  newest: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "When the newest record was modified" }),
});

export const importFeed = operation({
  id: "feeds.import",
  http: "POST /api/v1/feeds/{name}/import",
  summary: "Import a feed of OSV records, whole or not at all",
  description: "The body is one OSV record a line, gzipped or not. Scans see the new records from one moment to the next; a record that is malformed refuses the whole feed.",
  permission: "platform:feeds",
  effect: "change",
  database: "system",
  without: { cli: "qinfra feeds import reads files, zips and folders and sends them here", mcp: "a feed is uploaded by a program that has the file" },
  input: Type.Object({ name: FeedName }),
  body: { contentTypes: ["application/x-ndjson", "application/gzip"], description: "One OSV record a line" },
  output: ImportedFeed,
  errors: [FeedRefused],
  examples: [{ input: { name: "debian" } }],
  async prepare(context, { name }) {
    if (context.body === undefined) fail(InvalidInput, "The body is missing; send one OSV record a line.");
    return stageFeed(context, name, { name: "the body", chunks: context.body });
  },
  handle: (context, _input, staged) => publish(context, staged),
});

export const syncFeed = operation({
  id: "feeds.sync",
  http: "POST /api/v1/feeds/sync",
  summary: "Fetch the advisories of an ecosystem from OSV",
  description: "Downloads all.zip of the ecosystem from the address in the setting OSV_URL and imports it as osv-<ecosystem>.",
  permission: "platform:feeds",
  effect: "change",
  database: "system",
  without: { cli: "qinfra feeds sync goes through several ecosystems with progress" },
  input: Type.Object({ ecosystem: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9. _-]{0,49}$", description: "OSV ecosystem without its release", examples: ["Debian"] }) }),
  output: ImportedFeed,
  errors: [EcosystemUnknown, FeedRefused, FeedUnreachable],
  examples: [{ input: { ecosystem: "Debian" } }],
  async prepare(context, { ecosystem }) {
    const download = await downloadEcosystem(context, ecosystem);
    const name = `osv-${ecosystem.toLowerCase().replaceAll(/[^a-z0-9.]+/g, "-")}`;
    try {
      return await stageFeed(context, name, { path: download.path });
    } finally {
      await download.remove();
    }
  },
  handle: (context, _input, staged) => publish(context, staged),
});

async function publish({ db, clock, events: log }: Context, { feed, versionId, summary }: StagedFeed): Promise<Static<typeof ImportedFeed>> {
  const { records, withdrawn, digest, newest } = summary;
  if (versionId === undefined && (await currentDigest(db, feed)) !== digest) {
    fail(Conflict, `${feed} held the same records when the import began, and was changed meanwhile; import it again.`);
  }
  if (versionId !== undefined) {
    await makeCurrent(db, feed, versionId, timestamp(clock));
    await log.append({ type: events.feedPublished, subject: `feed_${feed}`, data: { records, digest } });
  }
  return { feed, changed: versionId !== undefined, records, withdrawn, digest, newest };
}
