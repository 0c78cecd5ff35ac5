import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { schemasIn } from "../platform/events/asyncapi.ts";
import { howToEvolve, incompatibilities } from "../platform/events/evolution.ts";

export const asyncApiPath = "asyncapi.json";

type Schemas = ReturnType<typeof schemasIn>;

/**
 * What in the new document breaks readers of events: of the last release, where git knows one, always; of the document in
 * the repository, but for the types named in `replace`, which no release has yet. One line each.
 */
export async function brokenEvents(root: string, next: string, replace: readonly string[] = []): Promise<string[]> {
  const after = schemasIn(JSON.parse(next));
  const stored = await readFile(join(root, asyncApiPath), "utf8").then((text) => schemasIn(JSON.parse(text)), (error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return {};
    throw error;
  });
  const { release, schemas } = await lastRelease(root);
  const unreleased = Object.fromEntries(Object.entries(stored).filter(([type]) => !(type in schemas)));
  return [
    ...replace.filter((type) => type in schemas).map((type) => `${type} is in ${release}, so that it cannot be replaced`),
    ...incompatibilities(schemas, after).map((fault) => `${fault} (since ${release})`),
    ...incompatibilities(without(unreleased, replace), after),
  ].map((fault) => `events: ${fault}. ${howToEvolve}`);
}

function without(schemas: Schemas, types: readonly string[]): Schemas {
  return Object.fromEntries(Object.entries(schemas).filter(([type]) => !types.includes(type)));
}

/** The newest tag `v...` that the commit descends from; a copy without git, or without tags, has none. */
async function lastRelease(root: string): Promise<{ release: string; schemas: Schemas }> {
  const git = async (...args: string[]): Promise<string | undefined> =>
    promisify(execFile)("git", ["-C", root, ...args], { timeout: 10_000, maxBuffer: 64 * 1024 * 1024 }).then(({ stdout }) => stdout, () => undefined);
  const release = (await git("describe", "--tags", "--abbrev=0", "--match", "v*"))?.trim();
  const text = release === undefined ? undefined : await git("show", `${release}:${asyncApiPath}`);
  return text === undefined ? { release: "", schemas: {} } : { release: release as string, schemas: schemasIn(JSON.parse(text)) };
}
