import { Type, type Static } from "typebox";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { parkedReason } from "../../../platform/events/index.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ImageId, ImageNotFound, imageById } from "../../images/index.ts";
import { AssetId, AssetNotFound, assetById } from "../../inventory/index.ts";
import { ScanReport } from "../domain/report.ts";
import { currentDatabase } from "../feed-views.ts";
import { findingsOf, matchOf } from "../match-views.ts";
import { matchSubscriptionId, mostFindings } from "../tasks.ts";

export const MatchState = Type.Enum(["current", "stale", "pending", "failed", "never-scanned"], {
  description: "current: matched with the advisories that are loaded now; stale: with older ones; pending: not matched yet, so nothing is known; failed: matching failed and was given up; never-scanned: no software is recorded",
});

const RecordedReport = Type.Object({
  state: MatchState,
  matchedAt: Type.Union([Type.String({ format: "date-time" }), Type.Null()]),
  report: Type.Union([ScanReport, Type.Null()], { description: "Null while nothing is known; that never means that there are no findings" }),
});

export const getImageReport = operation({
  id: "vulnerabilities.get-image-report",
  http: "GET /api/v1/images/{id}/scan",
  cli: { name: "images report", positional: ["id"] },
  summary: "The whole scan report of a golden image",
  permission: "vulnerabilities:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: ImageId }),
  output: RecordedReport,
  errors: [ImageNotFound],
  examples: [{ input: { id: "img_01jd0000000000000000000000" } }],
  async handle({ db }, { id }) {
    const image = await imageById(db, uuidOf("img", id));
    if (image === undefined) fail(ImageNotFound, `There is no image ${id} in this organization.`);
    return reportOf(db, id, image.componentSetId, { kind: "image", name: `${image.family}:${image.version}`, ...osOf(image.os) });
  },
});

export const getAssetReport = operation({
  id: "vulnerabilities.get-asset-report",
  http: "GET /api/v1/assets/{id}/scan",
  cli: { name: "assets report", positional: ["id"] },
  summary: "The whole report of an asset's last scan",
  permission: "vulnerabilities:read",
  effect: "read",
  snapshot: true,
  input: Type.Object({ id: AssetId }),
  output: RecordedReport,
  errors: [AssetNotFound],
  examples: [{ input: { id: "ast_01jd0000000000000000000000" } }],
  async handle({ db }, { id }) {
    const asset = await assetById(db, uuidOf("ast", id));
    if (asset === undefined) fail(AssetNotFound, `There is no asset ${id} in this organization.`);
    if (asset.componentSetId === null) return { state: "never-scanned" as const, matchedAt: null, report: null };
    return reportOf(db, id, asset.componentSetId, { kind: "host", name: asset.name, ...osOf(asset.os) });
  },
});

function osOf(os: { id: string; versionId: string } | null): { os?: string } {
  return os === null ? {} : { os: os.versionId === "" ? os.id : `${os.id}-${os.versionId}` };
}

/** Before the first match: whether it is still to come or was given up. */
export async function unmatchedState(db: Db, subject: string): Promise<"failed" | "pending"> {
  return (await parkedReason(db, matchSubscriptionId, subject)) === undefined ? "pending" : "failed";
}

async function reportOf(db: Db, subject: string, componentSetId: string, target: NonNullable<ScanReport["target"]>): Promise<Static<typeof RecordedReport>> {
  const match = await matchOf(db, componentSetId);
  if (match === undefined) return { state: await unmatchedState(db, subject), matchedAt: null, report: null };
  const { digest } = await currentDatabase(db);
  return {
    state: match.digest === digest ? "current" : "stale",
    matchedAt: match.matchedAt,
    report: {
      schema: "qinfra.scan/1", mode: "server", target, advisories: { digest: match.digest, newest: match.newest },
      findings: await findingsOf(db, componentSetId, { skip: 0, limit: mostFindings }),
      couldNotMatch: match.couldNotMatch, summary: match.summary,
    },
  };
}
