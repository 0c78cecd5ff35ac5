import type { Logger } from "pino";
import type { BlobStore } from "../../../platform/blobs/types.ts";
import type { Clock } from "../../../platform/clock.ts";
import type { Database, Db } from "../../../platform/database/database.ts";
import type { Closing } from "../../../platform/events/index.ts";
import type { EventAppender } from "../../../platform/events/types.ts";
import type { Ids } from "../../../platform/ids.ts";
import type { EventOrigin } from "../../../platform/operation/services.ts";

/** Ends what something keeps of an organization beside the database; run again where it was cut off. */
export type OnOrganizationEnded = (orgId: string) => Promise<void>;

export interface ErasurePorts {
  database: Pick<Database, "system">;
  clock: Clock;
  ids: Ids;
  log: Logger;
  /** UUID. Its chain keeps what proves the deletion. */
  platformOrgId: string;
  appender(db: Db, origin: EventOrigin): EventAppender;
  blobs: Pick<BlobStore, "removeAll">;
  /** Signs what is new in the organization's chain and says how it stands. */
  closeChain(orgId: string): Promise<Closing>;
  /** Caches, workflows and whatever else keeps something of an organization. */
  onOrganizationEnded: readonly OnOrganizationEnded[];
  /** Most rows that one transaction removes. Default 5,000. */
  batchRows?: number;
}
