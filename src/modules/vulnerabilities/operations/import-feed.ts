import { Type } from "typebox";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { EcosystemUnknown, FeedRefused, FeedUnreachable } from "../errors.ts";
import { stageFeed } from "../import-feed.ts";
import { stageEcosystem } from "../stage-ecosystem.ts";
import { FeedName, ImportedFeed, publish } from "../publish-feed.ts";

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
  prepare: (context, { ecosystem }) => stageEcosystem(context, ecosystem),
  handle: (context, _input, staged) => publish(context, staged),
});
