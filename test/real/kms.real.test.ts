import { CreateAliasCommand, CreateKeyCommand, DescribeKeyCommand, DisableKeyCommand, EnableKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from "vitest";
import { secretsContract } from "../../src/platform/secrets/contract.ts";
import { openSecrets, type SecretsOptions } from "../../src/platform/secrets/secrets-url.ts";
import { describeWith, program } from "./support/peer.ts";
import { freePort, startServer, temporaryFolder, untilReady, type Server } from "./support/process.ts";

const context = { purpose: "totp", org: "0193b5a0-0000-7000-8000-000000000001" };
const unavailable = { type: { code: "secrets-unavailable", status: 503 } };

describeWith(["moto"], "keys in AWS KMS, as moto plays it", () => {
  let server: Server;
  let endpoint: string;
  let port: number;
  let client: KMSClient;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let made = 0;
  const start = async () => {
    server = startServer(program("moto", "moto_server"), ["-H", "127.0.0.1", "-p", String(port)]);
    await untilReady(server, "moto", async () => (await fetch(`${endpoint}/moto-api/`)).ok);
  };
  beforeAll(async () => {
    port = await freePort();
    endpoint = `http://127.0.0.1:${port}`;
    folder = await temporaryFolder("kms");
    await start();
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIATESTTESTTESTTEST");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "a secret of the tests alone");
    client = new KMSClient({ endpoint, region: "eu-central-1" });
  });
  afterAll(async () => {
    client?.destroy();
    await server?.stop();
    await folder?.remove();
    vi.unstubAllEnvs();
  });

  async function newAlias(): Promise<string> {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const AliasName = `alias/qinfra-${made++}`;
    await client.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyMetadata?.KeyId }));
    return AliasName;
  }

  async function opened(key: string, more: Partial<SecretsOptions> & { keysDir?: string } = {}) {
    const { keysDir = join(folder.path, key.replaceAll("/", "-")), ...options } = more;
    const secrets = await openSecrets({ secretsUrl: `aws-kms:${key}?region=eu-central-1&endpoint=${endpoint}`, keysDir, vault: {} }, { dataExists: false, clock: { now: Date.now }, ...options });
    onTestFinished(() => secrets.close());
    return { secrets, keysDir };
  }

  secretsContract("aws-kms on moto", async () => {
    const alias = await newAlias();
    return { secrets: (await opened(alias)).secrets, reopen: async () => (await opened(alias, { dataExists: true })).secrets };
  });

  it("given an identity, then its file is 0600 and shows neither the root nor the signing seed", async () => {
    const { secrets, keysDir } = await opened(await newAlias());
    expect(await readdir(keysDir)).toEqual(["kms-identity.json"]);
    const path = join(keysDir, "kms-identity.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    const { root, signing } = secrets.identity();
    for (const secret of [root, signing.seed, Buffer.from(root, "base64").toString("base64url"), Buffer.from(root, "base64").toString("hex")]) expect(text).not.toContain(secret);
  });

  it("given a rotation, then the alias names another key, and the file of the identity still opens", async () => {
    const alias = await newAlias();
    const { secrets } = await opened(alias);
    const before = (await client.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId;
    const { keyId } = await secrets.rotate();
    expect(keyId).not.toBe(before);
    expect((await client.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId).toBe(keyId);
    expect((await opened(alias, { dataExists: true })).secrets.derive("x")).toEqual(secrets.derive("x"));
  });

  it("given a key by its id, then it works, but has no other to rotate to", async () => {
    const { KeyMetadata } = await client.send(new CreateKeyCommand({}));
    const { secrets } = await opened(KeyMetadata?.KeyId ?? "", { keysDir: join(folder.path, "by-id") });
    const byArn = (await opened(KeyMetadata?.Arn ?? "", { keysDir: join(folder.path, "by-id"), dataExists: true })).secrets;
    expect((await byArn.open(await secrets.seal(Buffer.from("x"), context), context)).toString()).toBe("x");
    await expect(secrets.rotate()).rejects.toMatchObject({ type: { code: "secrets-url-invalid" } });
  });

  it("given that the file of the identity is missing although there is data, then none is made", async () => {
    await expect(opened(await newAlias(), { dataExists: true })).rejects.toMatchObject({ type: { code: "key-file-missing" }, message: expect.stringContaining("kms-identity.json") });
  });

  it("given a key that is not there or switched off, then it says so", async () => {
    await expect(opened("alias/none")).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(/no key alias\/none in this region/) });
    const alias = await newAlias();
    const KeyId = (await client.send(new DescribeKeyCommand({ KeyId: alias }))).KeyMetadata?.KeyId;
    const { secrets } = await opened(alias);
    await client.send(new DisableKeyCommand({ KeyId }));
    await expect(opened(alias)).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(/switched off/) });
    await client.send(new EnableKeyCommand({ KeyId }));
    await secrets.seal(Buffer.from("x"), { purpose: "new" });
  });

  describe("when KMS is away", () => {
    it("goes on with what was opened, says what is degraded, and recovers by itself", async () => {
      const alias = await newAlias();
      let now = Date.now();
      const { secrets } = await opened(alias, { clock: { now: () => now } });
      const envelope = await secrets.seal(Buffer.from("x"), context);
      await server.stop();
      now += 7_200_000;
      expect((await secrets.open(envelope, context)).toString()).toBe("x");
      expect((await secrets.open(await secrets.seal(Buffer.from("later"), context), context)).toString()).toBe("later");
      await expect(secrets.createDataKey({ purpose: "data-key", org: "another" })).rejects.toMatchObject({ ...unavailable, message: expect.stringMatching(/cannot be reached \(ECONNREFUSED\)/) });
      expect(await secrets.health()).toMatch(/Keys that were opened before go on working/);
      await start(); // moto forgets its keys; that it answers again is what counts
      await expect.poll(() => {
        now += 5_000;
        return secrets.health();
      }, { timeout: 30_000 }).toMatch(/^ok$|no key alias/);
    });
  });
});
