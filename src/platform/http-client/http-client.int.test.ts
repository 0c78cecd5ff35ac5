import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import { createServer as createTcpServer, type AddressInfo } from "node:net";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { afterEach, describe, expect, it, vi } from "vitest";
import { publicOnly, type AddressRule, type Resolve } from "./address-guard.ts";
import { createHttpClient, type HttpClientOptions } from "./http-client.ts";

const closing: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  await Promise.all(closing.splice(0).map((close) => close()));
});

interface Served {
  url: string;
  port: number;
  requests: { method: string; path: string; headers: IncomingMessage["headers"]; body: string }[];
}

async function serve(answer: (request: IncomingMessage, response: ServerResponse, count: number) => void, host = "127.0.0.1", port = 0): Promise<Served> {
  const requests: Served["requests"] = [];
  const listener: RequestListener = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    requests.push({ method: request.method ?? "", path: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString() });
    answer(request, response, requests.length);
  };
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  closing.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const bound = (server.address() as AddressInfo).port;
  return { url: `http://${host}:${bound}`, port: bound, requests };
}

function client(more: Partial<HttpClientOptions> = {}) {
  const made = createHttpClient({ clock: { now: () => Date.now() }, userAgent: "qinfra-test", backoffMs: 1, ...more });
  closing.push(() => made.close());
  return made;
}

async function collect(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const text = (body: Uint8Array) => Buffer.from(body).toString();

/** The real rule, but 127.0.0.1 counts as public so that a test can serve there; 127.0.0.2 stays refused. */
const allButFirstLoopback: AddressRule = (address) => (address === "127.0.0.1" ? undefined : publicOnly(address));

describe("request", () => {
  it("gives status, headers and body, and sends what it was given", async () => {
    const server = await serve((_request, response) => response.writeHead(201, { "x-a": "1", "set-cookie": ["a=1", "b=2"] }).end("hello"));
    const answer = await client().request({ url: `${server.url}/p?q=1`, method: "POST", headers: { "Content-Type": "text/plain" }, body: "in" });
    expect(answer).toMatchObject({ status: 201, headers: { "x-a": "1", "set-cookie": "a=1, b=2" } });
    expect(text(answer.body)).toBe("hello");
    expect(server.requests).toMatchObject([{ method: "POST", path: "/p?q=1", body: "in", headers: { "content-type": "text/plain", "user-agent": "qinfra-test" } }]);
  });

  it.each([404, 500])("gives an answer of %i to the caller at once", async (status) => {
    const server = await serve((_request, response) => response.writeHead(status).end("no"));
    expect((await client().request({ url: server.url })).status).toBe(status);
    expect(server.requests).toHaveLength(1);
  });

  it("reads no body of HEAD", async () => {
    const server = await serve((_request, response) => response.writeHead(200, { "content-length": "99999999999", "content-encoding": "gzip" }).end());
    const answer = await client().request({ url: server.url, method: "HEAD" });
    expect(answer.body).toHaveLength(0);
  });

  it.each([
    ["gzip", gzipSync("x".repeat(1000))],
    ["br", brotliCompressSync("x".repeat(1000))],
    ["identity", Buffer.from("x".repeat(1000))],
  ])("decodes %s", async (encoding, body) => {
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(body));
    const answer = await client().request({ url: server.url });
    expect(text(answer.body)).toBe("x".repeat(1000));
    expect(answer.headers["content-encoding"]).toBeUndefined();
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("gzip, br");
  });
});

describe("errors", () => {
  it("name the host and the next step, never query or credentials", async () => {
    const { port } = await serve(() => undefined);
    await closing.pop()?.();
    const url = `http://127.0.0.1:${port}/path?token=s3cret`;
    const error = await client().request({ url, headers: { authorization: "Bearer s3cret" } }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ type: { code: "outbound-unreachable" }, message: `127.0.0.1:${port} refused the connection: check that it runs and listens on this port (ECONNREFUSED).` });
    expect(`${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain("s3cret");
  });

  it("tell what is not HTTP", async () => {
    const server = createTcpServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.2\r\n").resume());
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    closing.push(() => new Promise((resolve) => server.close(resolve)));
    await expect(client().request({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })).rejects.toMatchObject({ type: { code: "outbound-answer-invalid" } });
  });

  it("tell a header that HTTP does not allow, without its value", async () => {
    const server = await serve((_request, response) => response.end());
    const error = await client().request({ url: server.url, headers: { "x-token": "s3cret\nx" } }).catch((caught: Error) => caught);
    expect(error).toMatchObject({ type: { code: "outbound-answer-invalid" } });
    expect(String((error as Error).stack)).not.toContain("s3cret");
  });
});

describe("limits", () => {
  it.each([
    ["says its length", (response: ServerResponse) => response.writeHead(200, { "content-length": "1001" }).end("x".repeat(1001))],
    ["is endless", (response: ServerResponse) => {
      const more = (): unknown => !response.destroyed && response.write("x".repeat(500), () => setImmediate(more));
      more();
    }],
    ["is a gzip bomb", (response: ServerResponse) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync(Buffer.alloc(50_000_000)).subarray(0, 900))],
    ["is a brotli bomb", (response: ServerResponse) => response.writeHead(200, { "content-encoding": "br" }).end(brotliCompressSync(Buffer.alloc(2_000_000)))],
  ])("stop a body that %s, without trying again", async (_name, answer) => {
    const server = await serve((_request, response) => void answer(response));
    await expect(client().request({ url: server.url, maxBytes: 1000 })).rejects.toMatchObject({ type: { code: "outbound-too-large" }, message: expect.stringMatching(/larger than 1000 bytes/) });
    expect(server.requests).toHaveLength(1);
  });

  it("let a body of exactly the limit through", async () => {
    const server = await serve((_request, response) => response.end("x".repeat(1000)));
    expect((await client().request({ url: server.url, maxBytes: 1000 })).body).toHaveLength(1000);
  });

  it.each([
    ["no answer", () => undefined],
    ["a body that stands still", (response: ServerResponse) => void response.writeHead(200).write("x")],
  ])("end %s at the time limit", async (_name, answer) => {
    const server = await serve((_request, response) => answer(response));
    await expect(client().request({ url: server.url, timeoutMs: 150 })).rejects.toMatchObject({ type: { code: "outbound-timeout" }, message: expect.stringMatching(/within 150 ms/) });
  });

  it("end at once when the caller goes away", async () => {
    const server = await serve((_request, response) => void response.writeHead(200).write("x"));
    const controller = new AbortController();
    const answer = client().request({ url: server.url, signal: controller.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    controller.abort();
    await expect(answer).rejects.toMatchObject({ type: { code: "cancelled" } });
    await expect(client().request({ url: server.url, signal: AbortSignal.abort() })).rejects.toMatchObject({ type: { code: "cancelled" } });
    expect(server.requests).toHaveLength(1);
  });

  it.each([
    ["gzip cut short", "gzip", gzipSync("hello world").subarray(0, 15)],
    ["no gzip", "gzip", Buffer.from("hello")],
    ["no brotli", "br", Buffer.from("hello hello hello")],
    ["an encoding that was not asked for", "zstd", Buffer.from("hello")],
  ])("refuse %s", async (_name, encoding, body) => {
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": encoding }).end(body));
    await expect(client().request({ url: server.url })).rejects.toMatchObject({ type: { code: "outbound-answer-invalid" } });
    expect(server.requests).toHaveLength(1);
  });
});

describe("retries", () => {
  it.each([429, 502, 503, 504])("try again after %i", async (status) => {
    const server = await serve((_request, response, count) => response.writeHead(count < 3 ? status : 200).end("done"));
    const answer = await client().request({ url: server.url });
    expect([answer.status, text(answer.body), server.requests.length]).toEqual([200, "done", 3]);
  });

  it("try again after a connection that broke before or in the body", async () => {
    const server = await serve((_request, response, count) => {
      if (count === 1) response.destroy();
      else if (count === 2) response.writeHead(200, { "content-length": "100" }).write("part", () => response.destroy());
      else response.end("whole");
    });
    expect(text((await client().request({ url: server.url })).body)).toBe("whole");
    expect(server.requests).toHaveLength(3);
  });

  it("give the last answer when all attempts failed, and make no more of them than asked", async () => {
    const server = await serve((_request, response) => response.writeHead(503).end("busy"));
    const answer = await client().request({ url: server.url, attempts: 2 });
    expect([answer.status, text(answer.body), server.requests.length]).toEqual([503, "busy", 2]);
  });

  it("never repeat a POST", async () => {
    const server = await serve((_request, response, count) => (count === 1 ? response.writeHead(503).end() : response.destroy()));
    expect((await client().request({ url: server.url, method: "POST", body: "x" })).status).toBe(503);
    await expect(client().request({ url: server.url, method: "POST", body: "x" })).rejects.toMatchObject({ type: { code: "outbound-unreachable" } });
    expect(server.requests).toHaveLength(2);
  });

  it("repeat a PUT with its body", async () => {
    const server = await serve((_request, response, count) => response.writeHead(count === 1 ? 503 : 200).end());
    await client().request({ url: server.url, method: "PUT", body: "same" });
    expect(server.requests.map((request) => request.body)).toEqual(["same", "same"]);
  });

  it("wait as long as Retry-After says", async () => {
    const at: number[] = [];
    const server = await serve((_request, response, count) => {
      at.push(performance.now());
      response.writeHead(count === 1 ? 429 : 200, { "retry-after": "1" }).end();
    });
    await client().request({ url: server.url });
    expect((at[1] ?? 0) - (at[0] ?? 0)).toBeGreaterThan(950);
  });

  it.each([
    ["the cap", { maxWaitMs: 5000 }, 30_000],
    ["the time limit", {}, 3000],
  ])("do not wait longer than %s", async (_name, options, timeoutMs) => {
    const server = await serve((_request, response) => response.writeHead(429, { "retry-after": "6" }).end());
    expect((await client(options).request({ url: server.url, timeoutMs })).status).toBe(429);
    expect(server.requests).toHaveLength(1);
  });

  it("stop waiting when the caller goes away", async () => {
    const server = await serve((_request, response) => response.writeHead(429, { "retry-after": "20" }).end());
    const controller = new AbortController();
    const answer = client().request({ url: server.url, signal: controller.signal });
    await vi.waitFor(() => expect(server.requests).toHaveLength(1));
    controller.abort();
    await expect(answer).rejects.toMatchObject({ type: { code: "cancelled" } });
  });
});

describe("the circuit of a host", () => {
  it("opens after failures in a row, fails at once, lets one request try later, and closes", async () => {
    let healthy = false;
    const server = await serve((_request, response) => response.writeHead(healthy ? 200 : 503).end());
    const http = client({ breaker: { failures: 3, openMs: 100 } });
    const ask = () => http.request({ url: server.url, attempts: 1 });
    for (let i = 0; i < 3; i++) expect((await ask()).status).toBe(503);
    await expect(ask()).rejects.toMatchObject({ type: { code: "outbound-circuit-open", status: 503 }, message: expect.stringMatching(/failed 3 times in a row .* Last answer: 503/) });
    expect(server.requests).toHaveLength(3);
    await vi.waitFor(async () => expect((await ask()).status).toBe(503)); // half-open: one try, which fails and opens it again
    expect(server.requests).toHaveLength(4);
    await expect(ask()).rejects.toMatchObject({ type: { code: "outbound-circuit-open" } });
    healthy = true;
    await vi.waitFor(async () => expect((await ask()).status).toBe(200));
    for (let i = 0; i < 5; i++) expect((await ask()).status).toBe(200);
  });

  it("is one for each host, and is not opened by errors of the answer or of the caller", async () => {
    const bad = await serve((_request, response) => response.destroy());
    const good = await serve((_request, response) => response.end("x".repeat(100)));
    const http = client({ breaker: { failures: 2, openMs: 60_000 } });
    for (let i = 0; i < 2; i++) await expect(http.request({ url: bad.url, attempts: 1 })).rejects.toMatchObject({ type: { code: "outbound-unreachable" } });
    await expect(http.request({ url: bad.url })).rejects.toMatchObject({ type: { code: "outbound-circuit-open" }, message: expect.stringMatching(/Last failure: /) });
    for (let i = 0; i < 4; i++) await expect(http.request({ url: good.url, maxBytes: 10 })).rejects.toMatchObject({ type: { code: "outbound-too-large" } });
    for (let i = 0; i < 4; i++) await expect(http.request({ url: good.url, signal: AbortSignal.abort() })).rejects.toMatchObject({ type: { code: "cancelled" } });
    expect((await http.request({ url: good.url })).status).toBe(200);
  });
});

describe("redirects", () => {
  const to = (location: string, status = 302) => (_request: IncomingMessage, response: ServerResponse) => void response.writeHead(status, { location }).end("moved");

  it("are the answer where they are not to be followed", async () => {
    const server = await serve(to("/elsewhere", 307));
    const { status, headers } = await client().request({ url: server.url, method: "POST", body: "x", redirect: "manual" });
    expect([status, headers["location"]]).toEqual([307, "/elsewhere"]);
  });

  it("are followed five times and no more", async () => {
    const server = await serve((request, response) => {
      const left = Number(request.url?.slice(1));
      if (left === 0) response.end("here");
      else response.writeHead(302, { location: `/${left - 1}` }).end();
    });
    expect(text((await client().request({ url: `${server.url}/5` })).body)).toBe("here");
    await expect(client().request({ url: `${server.url}/6` })).rejects.toMatchObject({ type: { code: "outbound-redirect-refused" }, message: expect.stringMatching(/more than 5 times/) });
  });

  it("take credentials along within an origin only", async () => {
    const other = await serve((_request, response) => response.end("other"));
    const server = await serve((request, response) => response.writeHead(302, { location: request.url === "/" ? "/same" : `${other.url}/x` }).end());
    const headers = { authorization: "Bearer t", cookie: "c=1", "x-api-key": "k", accept: "application/json" };
    await client().request({ url: `${server.url}/`, headers });
    expect(server.requests[1]?.headers).toMatchObject(headers);
    expect(other.requests[0]?.headers.accept).toBe("application/json");
    for (const name of ["authorization", "cookie", "x-api-key"]) expect(other.requests[0]?.headers[name], name).toBeUndefined();
  });

  it.each([
    ["POST", 301, "GET", ""], ["POST", 302, "GET", ""], ["POST", 303, "GET", ""], ["PUT", 303, "GET", ""],
    ["POST", 307, "POST", "b"], ["POST", 308, "POST", "b"], ["PUT", 302, "PUT", "b"],
  ] as const)("of %s with %i become %s", async (method, status, after, body) => {
    const server = await serve((request, response) => (request.url === "/" ? to("/next", status)(request, response) : response.end()));
    await client().request({ url: `${server.url}/`, method, body: "b", headers: { "content-type": "text/plain" } });
    expect(server.requests[1]).toMatchObject({ method: after, body });
    expect(server.requests[1]?.headers["content-type"]).toBe(body === "" ? undefined : "text/plain");
  });

  it("never take a body to another origin", async () => {
    const other = await serve((_request, response) => response.end());
    const server = await serve(to(other.url, 307));
    await expect(client().request({ url: server.url, method: "POST", body: "secret" })).rejects.toMatchObject({ type: { code: "outbound-redirect-refused" } });
    expect(other.requests).toHaveLength(0);
  });

  it.each(["http://127.0.0.2:9/", "http://169.254.169.254/latest/meta-data", "http://[::1]/", "http://localhost/", "file:///etc/passwd", "https://u:p@127.0.0.1/"])(
    "of a user's URL to %s are refused, once",
    async (location) => {
      const server = await serve(to(location));
      const http = client({ addressRule: allButFirstLoopback, resolve: async () => [{ address: "::1", family: 6 }] });
      await expect(http.request({ url: server.url, userSupplied: true })).rejects.toMatchObject({ type: { code: "outbound-redirect-refused" }, message: expect.stringMatching(/redirects to where this may not go/) });
      expect(server.requests).toHaveLength(1);
    },
  );
});

describe("a user's URL", () => {
  it("does not reach loopback, by number or by name", async () => {
    const server = await serve((_request, response) => response.end());
    for (const host of ["127.0.0.1", "localhost"]) {
      await expect(client().request({ url: `http://${host}:${server.port}/`, userSupplied: true })).rejects.toMatchObject({ type: { code: "outbound-url-refused", status: 400 } });
    }
    expect(server.requests).toHaveLength(0);
  });

  it.skipIf(process.platform === "darwin")("connects to exactly the address that was checked, though DNS answers otherwise the next time (skipped on macOS: it has no 127.0.0.2)", async () => {
    const port = (await serve((_request, response) => response.end("checked"))).port;
    const inside = await serve((_request, response) => response.end("inside"), "127.0.0.2", port);
    const answers = ["127.0.0.1", "127.0.0.2", "127.0.0.2"];
    const resolve = vi.fn<Resolve>(async () => [{ address: answers.shift() ?? "127.0.0.2", family: 4 }]);
    const http = client({ addressRule: allButFirstLoopback, resolve });
    const url = `http://rebind.example:${port}/`;
    expect(text((await http.request({ url, userSupplied: true })).body)).toBe("checked");
    await Promise.allSettled(Array.from({ length: 5 }, () => http.request({ url, userSupplied: true }))); // new connections, new lookups
    expect(resolve.mock.calls.length).toBeGreaterThan(1);
    expect(inside.requests).toHaveLength(0);
  });

  it("never goes over a connection that was opened without the guard", async () => {
    const server = await serve((_request, response) => response.end());
    const http = client({ resolve: async () => [{ address: "127.0.0.1", family: 4 }] });
    await http.request({ url: `http://localhost:${server.port}/` });
    await expect(http.request({ url: `http://localhost:${server.port}/`, userSupplied: true })).rejects.toMatchObject({ type: { code: "outbound-url-refused" } });
    expect(server.requests).toHaveLength(1);
  });
});

describe("stream", () => {
  it("gives the body as it comes, decoded and under the same limit", async () => {
    const server = await serve((_request, response) => response.writeHead(200, { "content-encoding": "gzip" }).end(gzipSync("x".repeat(5000))));
    const { status, body } = await client().stream({ url: server.url, maxBytes: 5000 });
    let size = 0;
    for await (const chunk of body) size += chunk.length;
    expect([status, size]).toEqual([200, 5000]);
    const { body: long } = await client().stream({ url: server.url, maxBytes: 4999 });
    await expect(collect(long)).rejects.toMatchObject({ type: { code: "outbound-too-large" } });
  });

  it("tries again until there are headers, and no later", async () => {
    const server = await serve((_request, response, count) => {
      if (count === 1) response.writeHead(503).end("busy");
      else response.writeHead(200, { "content-length": "100" }).write("part", () => response.destroy());
    });
    const { status, body } = await client().stream({ url: server.url });
    expect(status).toBe(200);
    await expect(collect(body)).rejects.toMatchObject({ type: { code: "outbound-unreachable" }, message: expect.stringMatching(/broke off before its answer was complete/) });
    expect(server.requests).toHaveLength(2);
  });

  it.each(["stops reading", "never reads and the time is over"])("frees the connection when the reader %s", async (how) => {
    let gone = false;
    const server = await serve((_request, response) => {
      response.on("close", () => (gone = true));
      response.write("x");
    });
    const { body } = await client().stream({ url: server.url, timeoutMs: how === "stops reading" ? 30_000 : 100 });
    if (how === "stops reading") for await (const _chunk of body) break;
    await vi.waitFor(() => expect(gone).toBe(true));
  });

  it("ends a body that stands still at the time limit", async () => {
    const server = await serve((_request, response) => void response.write("x"));
    const { body } = await client().stream({ url: server.url, timeoutMs: 150 });
    await expect(collect(body)).rejects.toMatchObject({ type: { code: "outbound-timeout" } });
  });
});
