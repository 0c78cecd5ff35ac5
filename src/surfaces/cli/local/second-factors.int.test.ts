import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { platformOperations } from "../testing/platform-operations.ts";
import { testManifest } from "../testing/operations.ts";
import { collector, createCliPlace, type CliPlace } from "../testing/run.ts";
import { startPlatformServer, type PlatformServer } from "../testing/server.ts";

let place: CliPlace;
let server: PlatformServer;

const secret = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const wrong = { problem: { code: "wrong-code", status: 403, title: "The code is not right", detail: "The code is not right; give the next one." } };
const codes = ["01abc-defgh-jkmnp-qrstv", "11abc-defgh-jkmnp-qrstv"];

beforeEach(async () => {
  place = await createCliPlace(testManifest(platformOperations));
  server = await startPlatformServer();
  server.answers["POST /api/v1/sessions/current/confirm"] = ({ body }) => ((JSON.parse(body) as { code: string }).code === "123456" ? { json: { until: "2026-11-21T12:05:00Z" } } : wrong);
  server.answers["POST /api/v1/second-factors/totp"] = ({ body }) => (body.includes("right")
    ? { status: 201, json: { secret, uri: `otpauth://totp/QL-RF:ada?issuer=QL-RF&secret=${secret}` } }
    : { problem: { code: "sign-in-again", status: 403, title: "This needs the password", detail: "Give the current password." } });
  server.answers["POST /api/v1/second-factors/totp/confirm"] = ({ body }) => ((JSON.parse(body) as { code: string }).code === "123456" ? { json: { id: "totp", recoveryCodes: codes, endedSessions: 2 } } : wrong);
});
afterEach(async () => {
  await server.close();
  await place.remove();
});

const env = () => ({ QINFRA_URL: server.url, QINFRA_API_KEY: "qik_test" });

/** A terminal on which the answers are typed, each when its question is there. */
async function typing(args: readonly string[], answers: readonly string[]) {
  const stdin = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined });
  const shown = collector(80);
  const { stream } = shown;
  const original = stream.write.bind(stream);
  const left = [...answers];
  stream.write = ((chunk: string, ...rest: never[]) => {
    if (String(chunk).endsWith(": ")) stdin.write(`${left.shift() ?? "\u0003"}\r`);
    return original(chunk, ...rest);
  }) as typeof stream.write;
  const ran = await place.run(args, { env: env(), io: { stdin, stderr: stream } });
  return { ...ran, stderr: shown.text() };
}

describe("confirm", () => {
  it("asks for the code, shows nothing of it, and says until when it counts", async () => {
    const { code, stderr } = await typing(["confirm"], ["123456"]);
    expect({ code, said: stderr.includes("Confirmed until 2026-11-21T12:05:00Z."), shown: stderr.includes("123456") }).toEqual({ code: 0, said: true, shown: false });
    expect(server.received[0]?.headers.authorization).toBe("Bearer qik_test");
  });

  it.each([
    ["a right code on standard input", "123456\n", 0, "Confirmed until"],
    ["a wrong one", "000000\n", 1, "The code is not right"],
    ["none", "\n", 2, "No code was given"],
  ])("given %s, then it says so", async (_what, stdin, code, said) => {
    const ran = await place.run(["confirm", "--code-stdin"], { env: env(), stdin });
    expect([ran.code, ran.stderr.includes(said)]).toEqual([code, true]);
  });

  it("given no terminal, then it says how else", async () => {
    const ran = await place.run(["confirm"], { env: env() });
    expect([ran.code, ran.stderr.includes("--code-stdin")]).toEqual([2, true]);
    expect((await place.run(["confirm", "123456"], { env: env() })).code).toBe(2); // never an argument
  });
});

describe("second-factors add-totp", () => {
  it("asks for the password where it must, shows the key and a QR code, and prints the recovery codes alone", async () => {
    const { code, stdout, stderr } = await typing(["second-factors", "add-totp"], ["right", "999 999", "123 456"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: `${codes.join("\n")}\n` });
    expect(stderr).toContain(secret);
    expect(stderr).toContain("█");
    expect(stderr).toContain("give the next one");
    expect(stderr).not.toMatch(/right\b(?!;)|123 ?456/);
    expect(server.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "POST /api/v1/second-factors/totp", "POST /api/v1/second-factors/totp", "POST /api/v1/second-factors/totp/confirm", "POST /api/v1/second-factors/totp/confirm",
    ]);
  });

  it("given three wrong codes or no terminal, then it ends", async () => {
    expect((await typing(["second-factors", "add-totp"], ["right", "1", "2", "3"])).code).toBe(1);
    expect((await place.run(["second-factors", "add-totp"], { env: env() })).code).toBe(2);
  });
});
