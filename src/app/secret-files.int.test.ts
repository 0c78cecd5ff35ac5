import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ConfigError } from "../platform/config.ts";
import { readSecretFiles } from "./secret-files.ts";

describe("secrets in files", () => {
  let folder: string;
  const at = (name: string) => join(folder, name);
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), "qinfra-files-"));
    await writeFile(at("url"), "postgres://me:a-secret@db/fabric\n");
    await writeFile(at("empty"), "\n");
    await writeFile(at("large"), "a-secret".repeat(10_000));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  function faultsOf(env: Record<string, string>): readonly string[] {
    try {
      readSecretFiles(env);
    } catch (error) {
      if (error instanceof ConfigError) return error.faults;
      throw error;
    }
    return [];
  }

  it("given a file for a setting that holds a secret, then it is read without the end of its line", () => {
    expect(readSecretFiles({ DATABASE_URL_FILE: at("url"), CACHE_URL: "memory" })).toEqual({ DATABASE_URL: "postgres://me:a-secret@db/fabric" });
  });

  it("given files of what holds no secret, and of what reads its file itself, then they are left alone", () => {
    expect(readSecretFiles({ PUBLIC_URL_FILE: at("missing"), VAULT_TOKEN_FILE: at("missing"), SOMETHING_FILE: at("missing"), CACHE_URL_FILE: "" })).toEqual({});
  });

  it.each([
    [{ DATABASE_URL_FILE: "url", DATABASE_URL: "embedded" }, /^DATABASE_URL and DATABASE_URL_FILE: give one/],
    [{ DATABASE_URL_FILE: "missing" }, /^DATABASE_URL_FILE: .*missing cannot be read \(ENOENT\)/],
    [{ CACHE_URL_FILE: "empty" }, /^CACHE_URL_FILE: .*empty is empty/],
    [{ CACHE_URL_FILE: "large" }, /^CACHE_URL_FILE: .*large is larger than 65536 bytes/],
  ])("given %j, then it says what is wrong, and no secret", (env, fault) => {
    const named = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, name.endsWith("_FILE") ? at(value) : value]));
    expect(faultsOf(named)).toEqual([expect.stringMatching(fault)]);
    expect(faultsOf(named).join()).not.toContain("a-secret");
  });
});
