import { chmod, mkdtemp, readdir, readFile, rm, stat, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { secretsContract } from "./contract.ts";
import { openFileSecrets, type FileSecretsOptions } from "./file-secrets.ts";
import { openSecrets } from "./secrets-url.ts";

const clock = { now: () => Date.UTC(2026, 0, 1) };
const root = await mkdtemp(join(tmpdir(), "qinfra-secrets-"));
afterAll(() => rm(root, { recursive: true, force: true }));
let made = 0;
const newFolder = () => join(root, `store-${made++}`, "keys");
const open = (folder: string, more: Partial<FileSecretsOptions> = {}) => openFileSecrets({ folder, dataExists: false, clock, ...more });
const context = { purpose: "test" };

secretsContract("file", async () => {
  const folder = newFolder();
  return { secrets: await open(folder), reopen: () => open(folder, { dataExists: true }) };
});

describe("the key files", () => {
  it("are 0600 in a folder of 0700, also after rotation, with nothing beside them", async () => {
    const folder = newFolder();
    const secrets = await open(folder);
    await secrets.rotate();
    await secrets.rotateSigner();
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
    expect((await readdir(folder)).toSorted()).toEqual(["platform-keys.json", "signing-keys.json"]);
    for (const name of await readdir(folder)) expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
  });

  it("are made once when processes start together", async () => {
    const folder = newFolder();
    const all = await Promise.all(Array.from({ length: 8 }, () => open(folder)));
    const envelope = await all[0]?.seal(Buffer.from("x"), context);
    for (const secrets of all) expect((await secrets.open(envelope ?? "", context)).toString()).toBe("x");
    expect(new Set(all.map((secrets) => secrets.signer().keyId)).size).toBe(1);
    expect(await readdir(folder)).toHaveLength(2);
  });

  it("keep no private half of a former signing key", async () => {
    const folder = newFolder();
    const secrets = await open(folder);
    const path = join(folder, "signing-keys.json");
    const before = JSON.parse(await readFile(path, "utf8")).content.seed;
    await secrets.rotateSigner();
    expect(await readFile(path, "utf8")).not.toContain(before);
  });

  it.each([
    ["readable by the group", (path: string) => chmod(path, 0o640), /others may read it \(mode 0640\).*chmod 600/],
    ["readable by all", (path: string) => chmod(path, 0o604), /mode 0604/],
    ["empty", (path: string) => truncate(path, 0), /it is empty.*backup/],
    ["cut short", (path: string) => truncate(path, 200), /cut short.*backup/],
    ["edited", async (path: string) => writeFile(path, (await readFile(path, "utf8")).replace(/2026-/, "2025-")), /digest.*backup/],
    ["of a newer version", async (path: string) => writeFile(path, (await readFile(path, "utf8")).replace('"version": 1', '"version": 9')), /version 9/],
    ["something else", (path: string) => writeFile(path, '{"hello": 1}'), /not a qinfra-.*-keys file/],
  ])("are refused when %s", async (_name, spoil, message) => {
    for (const name of ["platform-keys.json", "signing-keys.json"]) {
      const folder = newFolder();
      await open(folder);
      await spoil(join(folder, name));
      await expect(open(folder, { dataExists: true })).rejects.toMatchObject({ type: { code: "key-file-unusable" }, message: expect.stringMatching(message) });
    }
  });

  it("are not quoted by the error about a damaged one", async () => {
    const folder = newFolder();
    await open(folder);
    const path = join(folder, "platform-keys.json");
    const text = await readFile(path, "utf8");
    const { key } = JSON.parse(text).content.keys[0];
    await writeFile(path, text.replace(`"${key}"`, `"${key}`));
    const error = await open(folder).catch((caught: Error) => caught);
    expect(error).toBeInstanceOf(Error);
    expect(`${(error as Error).stack} ${String((error as Error).cause)}`).not.toContain(key.slice(0, 8));
  });

  it.skipIf(process.geteuid?.() !== 0)("are refused when they belong to another user (skipped: only root can make such a file)", async () => {
    const folder = newFolder();
    await open(folder);
    const { chown } = await import("node:fs/promises");
    await chown(join(folder, "platform-keys.json"), 65534, 65534);
    await expect(open(folder)).rejects.toMatchObject({ message: expect.stringMatching(/belongs to user 65534, and the platform runs as user 0/) });
  });

  it("are refused in a folder that others may write", async () => {
    const folder = newFolder();
    await open(folder);
    await chmod(folder, 0o777);
    await expect(openFileSecrets({ folder, dataExists: false, clock })).rejects.toMatchObject({ message: expect.stringMatching(/others may change/) });
  });

  it.each(["platform-keys.json", "signing-keys.json"])("are not made anew where data exists: %s", async (name) => {
    const folder = newFolder();
    await open(folder);
    await rm(join(folder, name));
    await expect(open(folder, { dataExists: true })).rejects.toMatchObject({ type: { code: "key-file-missing" }, message: expect.stringContaining(name) });
  });

  it("say that they vanished from under a running platform", async () => {
    const folder = newFolder();
    const secrets = await open(folder);
    await rm(join(folder, "platform-keys.json"));
    await expect(secrets.seal(Buffer.from("x"), context)).rejects.toMatchObject({ type: { code: "key-file-missing" } });
  });

  it("say which key is missing when an old backup was restored", async () => {
    const folder = newFolder();
    const secrets = await open(folder);
    const old = await readFile(join(folder, "platform-keys.json"));
    const { keyId } = await secrets.rotate();
    const envelope = await secrets.seal(Buffer.from("x"), context);
    await writeFile(join(folder, "platform-keys.json"), old, { mode: 0o600 });
    await expect(secrets.open(envelope, context)).rejects.toMatchObject({ type: { code: "unknown-key" }, message: expect.stringContaining(keyId) });
  });

  it("keep every key of rotations at the same time, and say so to those that came second", async () => {
    const folder = newFolder();
    const both = [await open(folder), await open(folder)];
    const outcomes = await Promise.allSettled([...both, ...both].map((secrets) => secrets.rotate()));
    const done = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value.keyId] : []));
    const { keys } = JSON.parse(await readFile(join(folder, "platform-keys.json"), "utf8")).content;
    expect(keys.slice(1).map((key: { id: string }) => key.id).toSorted()).toEqual(done.toSorted());
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(String(outcome.reason)).toMatch(/Another process is changing/);
  });
});

describe("SECRETS_URL", () => {
  const options = { dataExists: false, clock };
  it("names a folder, or leaves it to DATA_DIR", async () => {
    const folder = newFolder();
    const secrets = await openSecrets({ secretsUrl: `file://${folder}`, keysDir: "/nowhere", vault: {} }, options);
    const envelope = await secrets.seal(Buffer.from("x"), context);
    const again = await openSecrets({ secretsUrl: "file:", keysDir: folder, vault: {} }, { ...options, dataExists: true });
    expect((await again.open(envelope, context)).toString()).toBe("x");
    expect(await again.health()).toBe("ok");
    await rm(join(folder, "platform-keys.json"));
    expect(await again.health()).toMatch(/platform-keys.json is missing/);
  });

  it.each([
    ["gcp-kms://:s.token@key", /scheme that is not supported/],
    ["keys", /scheme that is not supported/],
    ["file://keys/x", /host keys/],
    ["vault:host:8200", /names no Vault/],
    ["vault:https://:s.token@vault:8200", /holds credentials/],
    ["vault:https://vault:8200/v1", /has a path/],
    ["vault:https://vault:8200?token=s.token", /parameter "token", which is not known/],
    ["vault:https://vault:8200?transit=../sys", /transit is letters/],
    ["vault:https://vault:8200", /needs a token. Set VAULT_TOKEN/],
    ["aws-kms:", /names no key/],
    ["aws-kms:alias/a b", /names no key/],
    ["aws-kms:alias/qinfra?region=EU", /region is lower-case/],
    ["aws-kms:alias/qinfra?endpoint=https://:s.token@host", /endpoint is an http or https URL without credentials/],
  ])("is refused when it is %s", async (secretsUrl, message) => {
    const error = await openSecrets({ secretsUrl, keysDir: newFolder(), vault: {} }, options).catch((caught: Error) => caught);
    expect(String(error)).toMatch(message);
    expect(String(error)).not.toContain("s.token");
  });
});
