import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Received {
  method: string;
  /** Path and query. */
  url: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export type Answer = { status?: number; json?: unknown; lines?: readonly unknown[]; problem?: Record<string, unknown>; raw?: { type: string; text: string }; headers?: Record<string, string>; cut?: boolean; hang?: boolean };

export interface PlatformServer {
  url: string;
  received: Received[];
  /** What the next requests are answered, by `METHOD /path`; a function sees the request, a list is used up one by one. */
  answers: Record<string, Answer | Answer[] | ((request: Received) => Answer)>;
  close(): Promise<void>;
}

/** A real HTTP server that speaks the platform's protocol: problems, progress as JSON lines, request ids. */
export async function startPlatformServer(): Promise<PlatformServer> {
  const received: Received[] = [];
  const answers: PlatformServer["answers"] = {};
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => undefined);
    request.on("end", () => {
      const seen: Received = { method: request.method ?? "", url: request.url ?? "", headers: request.headers, body: Buffer.concat(chunks).toString("utf8") };
      received.push(seen);
      const planned = answers[`${seen.method} ${seen.url.split("?")[0]}`];
      const answer = typeof planned === "function" ? planned(seen) : Array.isArray(planned) ? planned.shift() : planned;
      reply(response, answer ?? { problem: { code: "not-found", status: 404, title: "Not here", detail: `There is no ${seen.method} ${seen.url} here.` } });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, received, answers,
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function reply(response: ServerResponse, { status = 200, json, lines, problem, raw, headers = {}, cut = false, hang = false }: Answer): void {
  if (hang) return;
  response.setHeader("x-request-id", "req-12345678");
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  if (problem !== undefined) {
    response.writeHead(Number(problem["status"]), { "content-type": "application/problem+json" });
    response.end(JSON.stringify({ type: `urn:qinfra:problem:${problem["code"]}`, requestId: "req-12345678", ...problem }));
  } else if (lines !== undefined) {
    response.writeHead(status, { "content-type": "application/x-ndjson; charset=utf-8" });
    for (const line of lines) response.write(`${JSON.stringify(line)}\n`);
    if (cut) response.destroy();
    else response.end();
  } else if (raw !== undefined) {
    response.writeHead(status, { "content-type": raw.type });
    response.end(raw.text);
  } else {
    response.writeHead(status, { "content-type": "application/json; charset=utf-8" });
    response.end(JSON.stringify(json ?? {}));
  }
}
