import { execFileSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Type, type TProperties } from "typebox";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { toAsyncApi } from "../platform/events/asyncapi.ts";
import { eventType } from "../platform/events/declare.ts";
import { brokenEvents } from "./event-goldens.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "goldens-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const x = { x: Type.Integer() };
const y = { y: Type.Optional(Type.Integer()) };

function document(types: Record<string, TProperties>): string {
  const declared = Object.entries(types).map(([type, data]) => eventType({ type, summary: "It happened", permission: "tests:read", data }));
  return JSON.stringify(toAsyncApi(new Map(declared.map((type) => [type.type, type])), "1.0.0"));
}

function git(...args: string[]): void {
  execFileSync("git", ["-C", root, "-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "commit.gpgsign=false", "-c", "tag.gpgsign=false", ...args], { stdio: "ignore" });
}

const store = (types: Record<string, TProperties>): Promise<void> => writeFile(join(root, "asyncapi.json"), document(types));

async function release(types: Record<string, TProperties>): Promise<void> {
  await store(types);
  git("init");
  git("add", "asyncapi.json");
  git("commit", "-m", "Release");
  git("tag", "-a", "v1.0.0", "-m", "v1.0.0");
}

describe("given no release", () => {
  it("when there is no document yet, then everything may be declared", async () => {
    expect(await brokenEvents(root, document({ "tests.moved": x }))).toEqual([]);
  });

  it("when a type loses a member, then that is refused and says what to do, unless the type is to be replaced", async () => {
    await store({ "tests.moved": x, "tests.came": x });
    const next = document({ "tests.moved": {}, "tests.came": x });
    expect(await brokenEvents(root, next)).toEqual(["events: tests.moved.x is gone. Declare a new type of event beside the old one (`....-v2`), or add an optional member and keep the old one."]);
    expect(await brokenEvents(root, next, ["tests.came"])).toHaveLength(1);
    expect(await brokenEvents(root, next, ["tests.moved"])).toEqual([]);
  });

  it("when the document is no JSON, then that is said and not taken for no document", async () => {
    await writeFile(join(root, "asyncapi.json"), "<<<<<<< HEAD");
    await expect(brokenEvents(root, document({}))).rejects.toThrow(SyntaxError);
  });
});

describe("given a release", () => {
  it("when what it has is taken away, then that is refused, also where the document in the repository was changed by hand", async () => {
    await release({ "tests.moved": x });
    await store({ "tests.moved": y });
    const faults = await brokenEvents(root, document({ "tests.moved": y }), ["tests.moved"]);
    expect(faults).toEqual([expect.stringContaining("tests.moved is in v1.0.0, so that it cannot be replaced"), expect.stringContaining("tests.moved.x is gone (since v1.0.0)")]);
  });

  it("when what came since is taken away, then only that type must be named", async () => {
    await release({ "tests.moved": x });
    await store({ "tests.moved": { ...x, ...y }, "tests.came": x });
    expect(await brokenEvents(root, document({ "tests.moved": x }))).toHaveLength(1);
    expect(await brokenEvents(root, document({ "tests.moved": x }), ["tests.came"])).toEqual([]);
  });
});
