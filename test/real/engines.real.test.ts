import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { CreateBucketCommand, ListObjectsV2Command, S3Client } from "@aws-sdk/client-s3";
import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { claim, dataFolder, root, signIn, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { mainJob } from "./support/main-job.ts";
import { describeWith, program } from "./support/peer.ts";
import { freePort, startServer, untilReady, type Server } from "./support/process.ts";
import { startS3, type S3Server } from "./support/s3.ts";

describeWith(["versitygw", "moto"], "a platform with its blobs in S3 and its keys in KMS", () => {
  let s3: S3Server;
  let moto: Server;
  let folder: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform | undefined;
  let blobs: S3Client;
  let env: Record<string, string>;
  let kmsUrl: string;
  beforeAll(async () => {
    s3 = await startS3("versitygw");
    const port = await freePort();
    moto = startServer(program("moto", "moto_server"), ["-H", "127.0.0.1", "-p", String(port)]);
    await untilReady(moto, "moto", async () => (await fetch(`http://127.0.0.1:${port}/moto-api/`)).ok);
    const credentials = { accessKeyId: s3.credentials.AWS_ACCESS_KEY_ID, secretAccessKey: s3.credentials.AWS_SECRET_ACCESS_KEY };
    blobs = new S3Client({ endpoint: s3.endpoint, region: "us-east-1", forcePathStyle: true, credentials });
    await blobs.send(new CreateBucketCommand({ Bucket: "qinfra" }));
    const kms = new KMSClient({ endpoint: `http://127.0.0.1:${port}`, region: "us-east-1", credentials });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: "alias/qinfra", TargetKeyId: KeyMetadata?.KeyId }));
    kms.destroy();
    kmsUrl = `aws-kms:alias/qinfra?region=us-east-1&endpoint=http://127.0.0.1:${port}`;
    folder = await dataFolder("engines");
    env = { ...s3.credentials, BLOBS_URL: `s3://qinfra/p?endpoint=${s3.endpoint}&path-style=true`, LOG_LEVEL: "trace" };
  }, 180_000);
  afterAll(async () => {
    await platform?.stop();
    blobs?.destroy();
    await moto?.stop();
    await s3?.stop();
    await folder?.remove();
  });

  async function checks(): Promise<Record<string, string>> {
    const answer = (await (await fetch(`${platform?.address}/readyz`)).json()) as { checks: Record<string, string> };
    return answer.checks;
  }

  async function qinfra(args: readonly string[], more: Record<string, string>): Promise<string> {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [join(root, "dist/main.mjs"), ...args], {
      env: { PATH: process.env["PATH"] ?? "", HOME: folder.path, DATA_DIR: folder.path, ...env, ...more }, timeout: 120_000,
    });
    return `${stdout}${stderr}`;
  }

  it("given a platform that began with keys in a file, when they are moved to KMS, then it goes on with everything, and no secret is in its log", async () => {
    platform = await startPlatform(folder.path, env);
    expect(await checks()).toMatchObject({ blobs: "ok", secrets: "ok" });
    const password = "a password for the engines";
    const oneTimePassword = platform.oneTimePassword ?? "";
    const client = await claim(platform.address, "admin", oneTimePassword, password);
    await mainJob(client);
    await client.close();
    await platform.stop();
    const { Contents = [] } = await blobs.send(new ListObjectsV2Command({ Bucket: "qinfra", Prefix: "p/refs/" }));
    expect(Contents.length).toBeGreaterThan(0); // checkpoints

    const moved = await qinfra(["keys", "rewrap", "--from", "file:"], { SECRETS_URL: kmsUrl });
    expect(moved).toMatch(/platform\.data_keys\.wrapped +[1-9]\d* seen +[1-9]\d* rewrapped/);
    expect(moved).not.toMatch(/could not be opened/);
    expect(await qinfra(["keys", "rewrap", "--from", "file:"], { SECRETS_URL: kmsUrl })).toMatch(/platform\.data_keys\.wrapped +[1-9]\d* seen +0 rewrapped/);
    expect(await qinfra(["keys", "rotate"], { SECRETS_URL: kmsUrl })).toMatch(/platform key +[0-9a-f-]{36}\n/);
    expect(await qinfra(["keys", "rewrap"], { SECRETS_URL: kmsUrl })).toMatch(/platform\.data_keys\.wrapped +[1-9]\d* seen +[1-9]\d* rewrapped/);

    platform = await startPlatform(folder.path, { ...env, SECRETS_URL: kmsUrl });
    expect(await checks()).toMatchObject({ blobs: "ok", secrets: "ok" });
    const again = await signIn(platform.address, "admin", password);
    expect(await again.call("POST", "/api/v1/audit/verify", {})).toMatchObject({ whole: true, problems: 0 });
    const token = again.token ?? "";
    await again.close();

    const log = await readFile(join(folder.path, "qinfra.log"), "utf8");
    for (const secret of [oneTimePassword, password, token, s3.credentials.AWS_SECRET_ACCESS_KEY, s3.credentials.AWS_ACCESS_KEY_ID]) expect(log.includes(secret)).toBe(false);
    expect(await readdir(join(folder.path, "keys"))).toContain("kms-identity.json");
  }, 300_000);

  it("given that both engines stop, then readiness says which and why, sessions and reads go on", async () => {
    await Promise.all([moto.stop(), s3.stop()]);
    await expect.poll(checks, { timeout: 20_000, interval: 500 }).toMatchObject({ database: "ok", blobs: expect.stringMatching(/cannot be (reached|used)|left alone/), secrets: expect.stringMatching(/go on working/) });
    expect((await fetch(`${platform?.address}/readyz`)).status).toBe(200);
    await (await signIn(platform?.address ?? "", "admin", "a password for the engines")).close();
  }, 60_000);
});
