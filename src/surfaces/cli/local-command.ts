import type { Command } from "commander";
import type { Connection } from "./connection.ts";
import type { CliIo } from "./io.ts";
import type { OperationManifest, OperationRecord } from "./manifest.ts";

/** What the options that every command takes say. */
export interface GlobalOptions {
  url?: string;
  organization?: string;
}

export interface CliContext {
  io: CliIo;
  manifest: OperationManifest;
  global: GlobalOptions;
  /** The server that this command talks to, or undefined where none is configured. Reads the last login. */
  connection(): Promise<Connection | undefined>;
  /** The same, or a CliError that says how to configure one. */
  connected(): Promise<Connection>;
  operation(id: string): OperationRecord;
}

export type LocalRun = (context: CliContext, options: Record<string, unknown>, args: readonly string[]) => Promise<number>;

/** A command that is no operation. */
export interface LocalCommand {
  /** Words of the command: `feeds import`. */
  name: string;
  summary: string;
  /** Adds arguments, options and help. Without it, all that stands after the name goes to `run` as it is. */
  configure?(command: Command): void;
  /** Asks no server, so it takes no options of a connection. */
  offline?: true;
  /** Loaded only when the command runs, so that the others start fast. */
  load(): Promise<LocalRun>;
}
