import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { FeedNotFound } from "../errors.ts";
import { FeedPublished } from "../events.ts";
import { removeFeed } from "../feed-store.ts";
import { listFeeds as readFeeds } from "../feed-views.ts";
import { FeedName } from "../publish-feed.ts";

export const listFeeds = operation({
  id: "feeds.list",
  http: "GET /api/v1/feeds",
  cli: { name: "feeds list", columns: ["name", "records", "ecosystems", "newest", "importedAt"] },
  summary: "List the advisory feeds that are loaded",
  permission: "vulnerabilities:read",
  effect: "read",
  input: Type.Object(paging),
  output: Page(Type.Object({
    name: FeedName,
    records: Type.Integer(),
    ecosystems: Type.Integer({ description: "Number of ecosystems and releases that it holds" }),
    digest: Type.String(),
    newest: Type.Union([Type.String({ format: "date-time" }), Type.Null()], { description: "When its newest record was modified" }),
    importedAt: Type.String({ format: "date-time" }),
  })),
  examples: [{ input: {} }],
  async handle({ db }, { cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    const rows = await readFeeds(db, { limit: limit + 1, ...(after === undefined ? {} : { after }) });
    return pageOf(rows.map((row) => ({
      name: row.name, records: row.records, ecosystems: row.ecosystems, digest: row.digest,
      newest: row.newest?.toISOString() ?? null, importedAt: row.updated_at.toISOString(),
    })), limit, (feed) => feed.name);
  },
});

export const deleteFeed = operation({
  id: "feeds.delete",
  http: "DELETE /api/v1/feeds/{name}",
  cli: { name: "feeds delete", positional: ["name"] },
  summary: "Take a feed out of the advisory database",
  permission: "platform:feeds",
  effect: "destructive",
  database: "system",
  input: Type.Object({ name: FeedName }),
  output: Type.Object({ deleted: FeedName }),
  errors: [FeedNotFound],
  examples: [{ input: { name: "debian" } }],
  async handle({ db, clock, events: log }, { name }) {
    if (!(await removeFeed(db, name, timestamp(clock)))) fail(FeedNotFound, `There is no feed ${name}; qinfra feeds list shows what there is.`);
    await log.append({ type: FeedPublished, subject: `feed_${name}`, data: { records: 0 } });
    return { deleted: name };
  },
});
