import { writeFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable, Writable } from "node:stream";
import { runCli, type CliIo } from "../index.ts";
import type { Output } from "../io.ts";
import type { OperationManifest, OperationRecord } from "../manifest.ts";
import { kindOf } from "../schema.ts";
import { testManifest } from "./operations.ts";

export interface Ran {
  code: number;
  stdout: string;
  stderr: string;
}

/** A place of its own for the commands of one test file. */
export interface CliPlace {
  home: string;
  /** Runs one command line. `io` replaces parts of the world; the environment holds nothing but `QINFRA_HOME` and `env`. */
  run(args: readonly string[], options?: { env?: Record<string, string>; stdin?: string | Buffer; io?: Partial<CliIo> }): Promise<Ran>;
  remove(): Promise<void>;
}

export async function createCliPlace(manifest: OperationManifest = testManifest()): Promise<CliPlace> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-cli-"));
  const home = join(folder, "home");
  const manifestPath = join(folder, "operations.json");
  writeFileSync(manifestPath, JSON.stringify(manifest));
  return {
    home,
    remove: () => rm(folder, { recursive: true, force: true }),
    async run(args, { env = {}, stdin = "", io = {} } = {}) {
      const out = collector();
      const err = collector();
      const code = await runCli(args, {
        stdin: Readable.from([Buffer.from(stdin)], { objectMode: false }), stdout: out.stream, stderr: err.stream, env: { QINFRA_HOME: home, ...env },
        fetch: globalThis.fetch, now: () => Date.parse("2026-11-21T12:00:00Z"), sleep: async () => undefined, random: (bytes) => new Uint8Array(bytes).fill(7),
        signal: new AbortController().signal, manifestPath, version: "1.2.3", dataDir: join(folder, "data"), ...io,
      });
      return { code, stdout: out.text(), stderr: err.text() };
    },
  };
}

/** The input that a command line sends for an operation, put together again from path, query and body. */
export async function sentInput(place: CliPlace, operation: OperationRecord, words: readonly string[]): Promise<Ran & { input: unknown }> {
  let input: Record<string, unknown> | undefined;
  const stop = new AbortController();
  const fetch = async (url: string, init: RequestInit): Promise<Response> => {
    const { pathname, searchParams } = new URL(url);
    const values = pathname.split("/").map(decodeURIComponent);
    input = typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : {};
    for (const [at, part] of operation.http.path.split("/").entries()) if (part.startsWith("{")) input[part.slice(1, -1)] = values[at];
    for (const name of searchParams.keys()) input[name] = fromQuery(operation, name, searchParams.getAll(name));
    // A stream goes on until somebody ends it.
    if (operation.stream !== undefined) stop.abort(130);
    return Response.json({ items: [] });
  };
  const ran = await place.run(words, { env: { QINFRA_URL: "http://localhost" }, io: { fetch: fetch as typeof globalThis.fetch, signal: stop.signal, pure: async () => async (given) => (input = given) } });
  return { ...ran, input };
}

function fromQuery(operation: OperationRecord, name: string, texts: readonly string[]): unknown {
  const { kind } = kindOf(operation.input.properties?.[name] ?? {});
  if (kind === "array") return texts;
  return kind === "string" || kind === "choice" ? texts[0] : JSON.parse(texts[0] ?? "null");
}

export function collector(columns?: number): { stream: Output; text(): string } {
  const chunks: Buffer[] = [];
  const stream: Output = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  if (columns !== undefined) Object.assign(stream, { isTTY: true, columns });
  return { stream, text: () => Buffer.concat(chunks).toString("utf8") };
}
