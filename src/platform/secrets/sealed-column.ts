import type { Db } from "../database/database.ts";
import type { SecretContext } from "./types.ts";

/** One envelope as it lies in a table. */
export interface SealedRow {
  /** The primary key, as text. */
  key: readonly string[];
  envelope: string;
  context: SecretContext;
}

/** A column that holds envelopes of the platform's keys; the owner of the table describes it, and `keys rewrap` walks it. */
export interface SealedColumn {
  /** `platform.data_keys.wrapped` */
  column: string;
  /** The door that `replace` needs. A page is always read through the system's. */
  replaces: "system" | "tenant";
  /** Rows after that key, in the order of keys; `after` is absent for the first page. */
  page(db: Db, after: readonly string[] | undefined, limit: number): Promise<SealedRow[]>;
  /** False where the row is another one by now, or gone. */
  replace(db: Db, row: SealedRow, envelope: string): Promise<boolean>;
}
