import { Type, type Static } from "typebox";
import type { Db } from "../../../platform/database/database.ts";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { fromCursor, numberKey, operation, paging } from "../../../platform/operation/index.ts";
import { ImageId, ImageNotFound, imageById } from "../../images/index.ts";
import { AssetId, AssetNotFound, assetById } from "../../inventory/index.ts";
import { Finding, SeveritySchema } from "../domain/finding.ts";
import { ScanSummary } from "../domain/report.ts";
import { currentDatabase } from "../feed-views.ts";
import { findingsOf, matchOf } from "../match-views.ts";
import { MatchState, unmatchedState } from "./reports.ts";

const Findings = Type.Object({
  state: MatchState,
  summary: Type.Union([ScanSummary, Type.Null()], { description: "Counts over all findings; null while nothing is known" }),
  items: Type.Array(Finding),
  next: Type.Optional(Type.String({ description: "Cursor of the next page; absent on the last" })),
});

const filter = { severity: Type.Optional(SeveritySchema), ...paging };
const columns = ["severity", "advisory", "source", "sourceVersion", "fixedVersion", "matchedBy", "aliases"];

/** The path that the reference gives for an image's CVE list. */
export const listImageVulnerabilities = operation({
  id: "vulnerabilities.list-image-findings",
  http: "GET /api/v1/images/{id}/vulnerabilities",
  cli: { name: "images vulnerabilities", positional: ["id"], columns },
  summary: "List the findings of a golden image",
  permission: "vulnerabilities:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: ImageId, ...filter }),
  output: Findings,
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000" } }],
  handle: ({ db }, { id, ...rest }) => findingsOfImage(db, id, rest),
});

export const listFindings = operation({
  id: "vulnerabilities.list-findings",
  http: "GET /api/v1/findings",
  cli: { name: "findings list", columns },
  summary: "List the findings of an image or of an asset",
  permission: "vulnerabilities:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ image: Type.Optional(ImageId), asset: Type.Optional(AssetId), ...filter }),
  output: Findings,
  errors: [ImageNotFound, AssetNotFound],
  examples: [{ input: { image: "img_01jd0000000000000000000000" } }, { input: { asset: "ast_01jd0000000000000000000000", severity: "high" } }],
  async handle({ db }, { image, asset, ...rest }) {
    if (image !== undefined && asset === undefined) return findingsOfImage(db, image, rest);
    if (asset === undefined || image !== undefined) fail(InvalidInput, "/image, /asset: give exactly one of them");
    const found = await assetById(db, uuidOf("ast", asset));
    if (found === undefined) fail(AssetNotFound, `There is no asset ${asset} in this organization.`);
    if (found.componentSetId === null) return { state: "never-scanned" as const, summary: null, items: [] };
    return page(db, asset, found.componentSetId, rest);
  },
});

type Rest = { severity?: Static<typeof SeveritySchema>; cursor?: string; limit?: number };

async function findingsOfImage(db: Db, id: string, rest: Rest): Promise<Static<typeof Findings>> {
  const image = await imageById(db, uuidOf("img", id));
  if (image === undefined) fail(ImageNotFound, `There is no image ${id} in this organization.`);
  return page(db, id, image.componentSetId, rest);
}

async function page(db: Db, subject: string, componentSetId: string, { severity, cursor, limit = 100 }: Rest): Promise<Static<typeof Findings>> {
  const skip = Number(fromCursor(cursor, numberKey) ?? 0);
  const match = await matchOf(db, componentSetId);
  if (match === undefined) return { state: await unmatchedState(db, subject), summary: null, items: [] };
  const { digest } = await currentDatabase(db);
  const read = await findingsOf(db, componentSetId, { skip, limit: limit + 1, ...(severity === undefined ? {} : { severity }) });
  return {
    state: match.digest === digest ? "current" : "stale",
    summary: match.summary,
    items: read.slice(0, limit),
    ...(read.length > limit ? { next: Buffer.from(String(skip + limit)).toString("base64url") } : {}),
  };
}
