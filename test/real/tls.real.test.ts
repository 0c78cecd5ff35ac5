import { copyFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect, type ConnectionOptions } from "node:tls";
import { Agent, fetch } from "undici";
import { afterAll, beforeAll, expect, it } from "vitest";
import { readTlsFiles } from "../../src/platform/tls/index.ts";
import { createAuthority, type Authority } from "./support/certificates.ts";
import { describeWith } from "./support/peer.ts";
import { dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { temporaryFolder } from "./support/process.ts";

const clock = { now: () => Date.now() };

describeWith(["openssl"], "TLS", () => {
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let authority: Authority;
  let other: Authority;
  beforeAll(async () => {
    folder = await temporaryFolder("tls");
    [authority, other] = await Promise.all([createAuthority(folder.path), createAuthority(folder.path, "other")]);
  });
  afterAll(() => folder.remove());

  it("given files that do not fit, then it says which, and what to do", async () => {
    const [one, two] = await Promise.all([authority.issue("one"), authority.issue("two")]);
    const over = await authority.issue("over", { days: 0 });
    const nothing = join(folder.path, "nothing.pem");
    await writeFile(nothing, "nothing\n");
    await expect(readTlsFiles({ cert: one.cert, key: two.key }, clock)).rejects.toThrow(/key in .*two\.key \(TLS_KEY\) is not that of the certificate in .*one\.crt/);
    await expect(readTlsFiles({ cert: nothing, key: one.key }, clock)).rejects.toThrow("(TLS_CERT) holds no certificate");
    await expect(readTlsFiles({ cert: one.cert, key: nothing }, clock)).rejects.toThrow("(TLS_KEY) holds no unencrypted private key");
    await expect(readTlsFiles({ ...one, ca: join(folder.path, "missing.pem") }, clock)).rejects.toThrow("(TLS_CA) cannot be read (ENOENT)");
    await expect(readTlsFiles(over, { now: () => Date.now() + 60_000 })).rejects.toThrow("was valid until");
    await expect(readTlsFiles(one, { now: () => Date.now() - 3 * 86_400_000 })).rejects.toThrow("Check the clock");
  });

  /** The server's certificate by its subject, or why there was no connection. */
  function hello(platform: RunningPlatform, options: ConnectionOptions): Promise<string> {
    return new Promise((resolve) => {
      const socket = connect({ host: "127.0.0.1", port: Number(new URL(platform.address).port), ...options }, () => {
        // Under TLS 1.3 a server refuses a client's certificate only after the client believes that all is well.
        socket.write("GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
      });
      const subject = () => socket.getPeerCertificate().subject.CN as string;
      socket.once("data", () => (resolve(subject()), socket.destroy()));
      socket.once("close", () => resolve("closed"));
      socket.once("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
    });
  }

  it("given a certificate, then the server speaks TLS 1.3 only, and takes a new one while it runs", async () => {
    const data = await dataFolder("tls-platform");
    const first = await authority.issue("first");
    const [cert, key] = [join(folder.path, "live.crt"), join(folder.path, "live.key")];
    await Promise.all([copyFile(first.cert, cert), copyFile(first.key, key)]);
    const platform = await startPlatform(data.path, { TLS_CERT: cert, TLS_KEY: key, NODE_EXTRA_CA_CERTS: authority.certificate }, { ca: authority.certificate });
    const ca = await readFile(authority.certificate);
    try {
      expect(platform.address).toMatch(/^https:/);
      expect(await hello(platform, { ca })).toBe("first");
      expect(await hello(platform, { ca, maxVersion: "TLSv1.2" })).toMatch(/ALERT|PROTOCOL_VERSION/i);
      expect(await hello(platform, { ca: await readFile(other.certificate) })).toMatch(/UNABLE_TO_VERIFY|SELF_SIGNED/);
      const second = await authority.issue("second");
      await copyFile(second.cert, cert); // for a moment the two do not belong together
      await expect.poll(() => platform.log(), { timeout: 20_000 }).toContain("the one before is used");
      expect(await hello(platform, { ca })).toBe("first");
      await copyFile(second.key, key);
      await expect.poll(() => hello(platform, { ca }), { timeout: 20_000 }).toBe("second");
      const dispatcher = new Agent({ connect: { ca } });
      const page = await fetch(`${platform.address}/sign-in`, { dispatcher, redirect: "manual" });
      expect([...page.headers.getSetCookie()].every((cookie) => cookie.includes("Secure"))).toBe(true);
      await dispatcher.close();
    } finally {
      await platform.stop();
      await data.remove();
    }
  });

  it("given an authority too, then it lets in only who shows a certificate of it", async () => {
    const data = await dataFolder("mtls-platform");
    const [server, gateway, stranger] = await Promise.all([authority.issue("server"), authority.issue("gateway"), other.issue("gateway")]);
    const pair = async ({ cert, key }: { cert: string; key: string }) => ({ cert: await readFile(cert), key: await readFile(key) });
    const platform = await startPlatform(data.path, { TLS_CERT: server.cert, TLS_KEY: server.key, TLS_CA: authority.certificate }, { ca: authority.certificate, client: gateway });
    const ca = await readFile(authority.certificate);
    try {
      expect(await hello(platform, { ca, ...(await pair(gateway)) })).toBe("server");
      expect(await hello(platform, { ca })).toMatch(/ALERT|CERTIFICATE_REQUIRED|ECONNRESET|closed/i);
      expect(await hello(platform, { ca, ...(await pair(stranger)) })).toMatch(/ALERT|UNKNOWN_CA|ECONNRESET|closed/i);
    } finally {
      await platform.stop();
      await data.remove();
    }
  });
});
