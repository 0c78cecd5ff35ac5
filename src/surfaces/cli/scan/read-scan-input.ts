import { CollectError } from "../../../modules/inventory/collectors/collect-error.ts";
import { collectLocal } from "../../../modules/inventory/collectors/local.ts";
import { collectSsh } from "../../../modules/inventory/collectors/ssh.ts";
import type { CollectedHost } from "../../../modules/inventory/collectors/types.ts";
import { InputError } from "../../../modules/software/input-error.ts";
import { parseInput, type SoftwareOfInput } from "../../../modules/software/parse-input.ts";
import { CliError } from "../errors.ts";
import type { CliIo } from "../io.ts";
import type { ScanInput } from "./scan-options.ts";

/** What was read, and for a host, what it is. */
export type ScannedInput = SoftwareOfInput & { host?: Pick<CollectedHost, "name" | "kind" | "source" | "facts"> };

/** Reads the input, or collects the host, in this process. Throws CliError. */
export async function readScanInput(io: CliIo, input: ScanInput): Promise<ScannedInput> {
  try {
    if (input.kind !== "host") return await parseInput(input, { stdin: io.stdin });
    const { os, components, notes, ...host } = input.ssh === undefined ? await collectLocal() : await collectSsh(input.ssh.target, { ...input.ssh.options, signal: io.signal });
    return { ...(os !== undefined && { os }), components, notes, host };
  } catch (error) {
    if (error instanceof CollectError) throw new CliError(error.message, { cause: error, ...(error.next !== undefined && { next: error.next }) });
    if (!(error instanceof InputError)) throw error;
    throw new CliError(`The input cannot be scanned. ${error.message}${error.message.endsWith(".") ? "" : "."}`, { cause: error });
  }
}
