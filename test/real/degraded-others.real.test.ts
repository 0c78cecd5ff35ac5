import { CreateAliasCommand, CreateKeyCommand, KMSClient } from "@aws-sdk/client-kms";
import { generateKeyPairSync } from "node:crypto";
import { createServer, type Server } from "node:http";
import { SignJWT } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Client } from "./support/client.ts";
import { describeWith, program } from "./support/peer.ts";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { freePort, startServer, untilReady, type Server as Peer } from "./support/process.ts";
import { startToxiproxy, type FaultProxy, type Toxiproxy } from "./support/toxiproxy.ts";

const faults = ["stopped", "slowed to 5 s", "answering garbage"] as const;
const key = generateKeyPairSync("ec", { namedCurve: "P-256" });
const issuer = "https://issuer.example";

/** The parts that requests do not wait for: KMS, an external issuer and the collector of traces. */
describeWith(["toxiproxy", "moto"], "with KMS, an issuer or the collector of traces at fault", () => {
  let toxiproxy: Toxiproxy;
  let moto: Peer;
  let answering: Server;
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let platform: RunningPlatform;
  let client: Client;
  let proxies: Record<string, FaultProxy>;
  let issuerCheck: string;

  beforeAll(async () => {
    toxiproxy = await startToxiproxy();
    const motoPort = await freePort();
    moto = startServer(program("moto", "moto_server"), ["-H", "127.0.0.1", "-p", String(motoPort)]);
    await untilReady(moto, "moto", async () => (await fetch(`http://127.0.0.1:${motoPort}/moto-api/`)).ok);
    const credentials = { accessKeyId: "qinfra-test", secretAccessKey: "a secret of the tests alone" };
    const kms = new KMSClient({ endpoint: `http://127.0.0.1:${motoPort}`, region: "us-east-1", credentials });
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}));
    await kms.send(new CreateAliasCommand({ AliasName: "alias/qinfra", TargetKeyId: KeyMetadata?.KeyId }));
    kms.destroy();
    // Answers as an issuer's key set and as a collector.
    answering = createServer((request, response) => {
      request.resume();
      const jwks = { keys: [{ ...key.publicKey.export({ format: "jwk" }), kid: "k1", alg: "ES256", use: "sig" }] };
      response.writeHead(200, { "content-type": request.url === "/jwks" ? "application/json" : "application/x-protobuf" }).end(request.url === "/jwks" ? JSON.stringify(jwks) : "");
    });
    await new Promise<void>((resolve) => answering.listen(0, "127.0.0.1", resolve));
    const { port } = answering.address() as { port: number };
    proxies = { secrets: await toxiproxy.before("secrets", motoPort), issuer: await toxiproxy.before("issuer", port), traces: await toxiproxy.before("traces", port) };
    issuerCheck = `issuer 127.0.0.1:${proxies["issuer"]?.port}`;
    data = await dataFolder("degraded-others");
    platform = await startPlatform(data.path, {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId, AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      SECRETS_URL: `aws-kms:alias/qinfra?region=us-east-1&endpoint=http://127.0.0.1:${proxies["secrets"]?.port}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${proxies["traces"]?.port}`, OTEL_TRACES_SAMPLER_ARG: "1",
      JWT_ISSUERS: JSON.stringify([{
        issuer, audience: "qinfra", algorithms: ["ES256"], jwksUrl: `http://127.0.0.1:${proxies["issuer"]?.port}/jwks`, roles: { claim: "groups", map: { people: "viewer" }, organization: "platform" },
      }]),
    });
    client = await claim(platform.address, "admin", platform.oneTimePassword ?? "", "a password in hard times");
  }, 300_000);
  afterAll(async () => {
    await client?.close();
    await platform?.stop();
    await toxiproxy?.stop();
    await moto?.stop();
    await new Promise((resolve) => answering.close(resolve));
    await data?.remove();
  });

  async function checks(): Promise<Record<string, string>> {
    const answer = await fetch(`${platform.address}/readyz`, { signal: AbortSignal.timeout(10_000) });
    expect(answer.status).toBe(200); // none of them is a reason to send requests elsewhere
    return ((await answer.json()) as { checks: Record<string, string> }).checks;
  }

  /** What is asked while something is at fault, so that traces are sent, too. */
  async function use(): Promise<void> {
    expect((await client.ask("GET", "/api/v1/images?limit=1")).status).toBe(200);
    expect((await client.ask("POST", "/api/v1/sites", { name: `site ${Math.random()}` })).status).toBe(201);
  }

  describe.each(["secrets", "issuer", "traces"])("%s", (part) => {
    it.each(faults)("%s: it is said, requests go on, and it mends by itself", async (fault) => {
      const proxy = proxies[part] as FaultProxy;
      const check = part === "issuer" ? issuerCheck : part;
      await (fault === "stopped" ? proxy.stop() : fault === "slowed to 5 s" ? proxy.slow(5_000) : proxy.garble());
      try {
        await expect.poll(async () => (await use(), (await checks())[check]), { timeout: 90_000 }).not.toBe("ok");
        await use();
      } finally {
        await proxy.mend();
      }
      await expect.poll(async () => (await use(), checks()), { timeout: 90_000 }).toMatchObject({ secrets: "ok", [issuerCheck]: "ok", traces: "ok" });
    }, 240_000);
  });

  it("then a token of the issuer signs in again, and the log of events is whole", async () => {
    const token = await new SignJWT({ sub: "ada", groups: ["people"] }).setProtectedHeader({ alg: "ES256", kid: "k1" }).setIssuer(issuer).setAudience("qinfra").setIssuedAt().setExpirationTime("5m").sign(key.privateKey);
    await expect.poll(async () => (await fetch(`${platform.address}/api/v1/users/me`, { headers: { authorization: `Bearer ${token}` } })).status, { timeout: 60_000 }).toBe(200);
    expect(await client.call("POST", "/api/v1/audit/verify", {})).toMatchObject({ whole: true });
  }, 120_000);
});
