import { Type } from "typebox";
import { eventType } from "../../platform/events/declare.ts";
import { ScanSummary } from "./domain/report.ts";

const permission = "vulnerabilities:read";
const Digest = Type.String({ pattern: "^sha256:[0-9a-f]{64}$", description: "Digest of the records, whatever their order and packaging" });

/** In the log of the platform organization. */
export const FeedPublished = eventType({
  type: "vulnerabilities.feed-published", summary: "A version of an advisory feed became current, or the feed was taken out", permission,
  data: { records: Type.Integer({ minimum: 0, description: "Distinct records; 0 of a feed that was taken out" }), digest: Type.Optional(Digest) },
});
export const SoftwareMatched = eventType({
  type: "vulnerabilities.matched", summary: "A set of components was matched with the advisories", permission,
  data: { advisories: Type.Union([Digest, Type.Null()], { description: "Digest of the advisories of all feeds; null where there are none" }), ...ScanSummary.properties },
});
