import type { Database } from "../platform/database/database.ts";
import { DeclaredError } from "../platform/errors.ts";
import { EnvelopeInvalid, UnknownKey, type OpenedSecrets } from "../platform/secrets/index.ts";
import type { SealedColumn, SealedRow } from "../platform/secrets/sealed-column.ts";

export interface RewrapPorts {
  database: Database;
  columns: readonly SealedColumn[];
  /** Under whose current key everything is in the end. */
  to: OpenedSecrets;
  /** Where envelopes were sealed before, when they move from one adapter to another. */
  from?: OpenedSecrets;
}

export interface RewrappedColumn {
  column: string;
  seen: number;
  moved: number;
  /** Rows that could not be opened; they stay as they are. */
  failed: { key: string; why: string }[];
}

const pageRows = 500;
const atOnce = 8;

/**
 * Puts every envelope under the current key, each in a transaction of its own. What is there already is left alone, so a
 * run that was ended goes on with the next one, and servers may work meanwhile. Errors: SecretsUnavailable, DatabaseUnavailable.
 */
export async function rewrapAll(ports: RewrapPorts, done: (column: RewrappedColumn) => void = () => undefined): Promise<RewrappedColumn[]> {
  const all: RewrappedColumn[] = [];
  for (const column of ports.columns) {
    const result = await rewrapColumn(ports, column);
    all.push(result);
    done(result);
  }
  await ports.to.renew();
  return all;
}

async function rewrapColumn(ports: RewrapPorts, column: SealedColumn): Promise<RewrappedColumn> {
  const result: RewrappedColumn = { column: column.column, seen: 0, moved: 0, failed: [] };

  async function one(row: SealedRow): Promise<void> {
    result.seen++;
    try {
      const envelope = await moved(ports, row);
      if (envelope !== row.envelope && (await put(ports.database, column, row, envelope))) result.moved++;
    } catch (error) {
      if (!isOfTheRow(error)) throw error;
      result.failed.push({ key: row.key.join(" "), why: error.message });
    }
  }

  let after: readonly string[] | undefined;
  for (;;) {
    const rows = await ports.database.system((db) => column.page(db, after, pageRows));
    for (let i = 0; i < rows.length; i += atOnce) {
      // All of them end before an error leaves, so that nothing is written afterwards.
      const fault = (await Promise.allSettled(rows.slice(i, i + atOnce).map(one))).find((outcome) => outcome.status === "rejected");
      if (fault !== undefined) throw fault.reason;
    }
    if (rows.length < pageRows) return result;
    after = rows.at(-1)?.key;
  }
}

async function moved({ to, from }: RewrapPorts, { envelope, context }: SealedRow): Promise<string> {
  if (from === undefined) return to.rewrap(envelope, context);
  if (to.mayHold(envelope)) {
    const there = await to.rewrap(envelope, context).catch((error: unknown) => {
      if (isOfTheRow(error)) return undefined; // another store of the same kind sealed it
      throw error;
    });
    if (there !== undefined) return there;
  }
  const { kind, plaintext } = await from.reveal(envelope, context);
  return to.conceal(kind, plaintext, context);
}

function put(database: Database, column: SealedColumn, row: SealedRow, envelope: string): Promise<boolean> {
  const { org } = row.context;
  if (column.replaces === "tenant" && org !== undefined) return database.tenant(org, (db) => column.replace(db, row, envelope));
  return database.system((db) => column.replace(db, row, envelope));
}

function isOfTheRow(error: unknown): error is DeclaredError {
  return error instanceof DeclaredError && (error.type === EnvelopeInvalid || error.type === UnknownKey);
}
