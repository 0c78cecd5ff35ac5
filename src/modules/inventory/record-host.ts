import { timestamp } from "../../platform/clock.ts";
import { toTypeId } from "../../platform/ids.ts";
import type { Context } from "../../platform/operation/index.ts";
import { SoftwareRecorded } from "../software/index.ts";
import { AssetRecorded } from "./events.ts";
import type { Asset, Facts } from "./schemas.ts";
import { internFacts, recordAsset, type RecordedAsset } from "./store.ts";

export interface HostRecord {
  name: string;
  kind?: Asset["kind"];
  source: Asset["source"];
  os?: NonNullable<RecordedAsset["os"]>;
  facts?: Facts;
  /** UUID of what runs on it. */
  componentSetId: string;
}

/** Records what runs on an asset, making it where it is new; its UUID. Errors: QuotaExceeded. */
export async function recordHost(context: Pick<Context, "db" | "orgId" | "ids" | "clock" | "events" | "quotas">, host: HostRecord): Promise<string> {
  const { db, orgId, ids, clock, events: log, quotas } = context;
  const { name, kind = "host", os = null, source, facts = {}, componentSetId } = host;
  const factSetId = await internFacts(db, { orgId, id: ids.uuid(), facts });
  const newId = ids.uuid();
  const id = await recordAsset(db, { orgId, id: newId, name, kind, os, source, componentSetId, factSetId, now: timestamp(clock) });
  if (id === newId) await quotas.take("assets", 1);
  await quotas.take("scans", 1);
  const subject = toTypeId("ast", id);
  await log.append({ type: AssetRecorded, subject, data: { source } });
  await log.append({ type: SoftwareRecorded, subject, data: { kind: "asset", componentSet: toTypeId("set", componentSetId) } });
  return id;
}
