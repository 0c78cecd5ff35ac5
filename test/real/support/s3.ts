import { mkdir } from "node:fs/promises";
import { createServer, request, type IncomingMessage } from "node:http";
import { once } from "node:events";
import { join } from "node:path";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

export type S3Name = "versitygw" | "minio";

export interface S3Server {
  endpoint: string;
  /** What AWS tools take credentials from. */
  credentials: { AWS_ACCESS_KEY_ID: string; AWS_SECRET_ACCESS_KEY: string };
  stop(): Promise<void>;
}

const credentials = { AWS_ACCESS_KEY_ID: "qinfra-test", AWS_SECRET_ACCESS_KEY: "a secret of the tests alone" };

/** A real S3 server on a free port of loopback with an empty folder of its own. */
export async function startS3(name: S3Name): Promise<S3Server> {
  const folder = await temporaryFolder(name);
  const port = await freePort();
  const data = join(folder.path, "data");
  await mkdir(data);
  const endpoint = `http://127.0.0.1:${port}`;
  const server = name === "versitygw"
    ? startServer(program(name), ["--port", `127.0.0.1:${port}`, "--quiet", "posix", data], { env: { ROOT_ACCESS_KEY: credentials.AWS_ACCESS_KEY_ID, ROOT_SECRET_KEY: credentials.AWS_SECRET_ACCESS_KEY } })
    : startServer(program(name), ["server", "--quiet", "--address", `127.0.0.1:${port}`, data], { env: { HOME: folder.path, MINIO_ROOT_USER: credentials.AWS_ACCESS_KEY_ID, MINIO_ROOT_PASSWORD: credentials.AWS_SECRET_ACCESS_KEY, MINIO_UPDATE: "off", MINIO_BROWSER: "off" } });
  await untilReady(server, name, async () => (await fetch(endpoint)).status < 500);
  return {
    endpoint, credentials,
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}

export interface CountingProxy {
  endpoint: string;
  /** Parts that were sent whole, by number, in the order in which the server took them. */
  parts: number[];
  /** From now on the connection of each part after the first `taken` breaks off in the middle of its body. */
  breakAfter(taken: number): void;
  /** Of the next answer to a read, this many bytes come and then the connection breaks off. */
  cutNextRead(bytes: number): void;
  mend(): void;
  stop(): Promise<void>;
}

/** Before an S3 server: counts the parts that go through, and breaks connections. */
export async function countingProxy(target: string, onPort = 0): Promise<CountingProxy> {
  const { hostname, port } = new URL(target);
  const parts: number[] = [];
  let most = Infinity;
  let taken = 0;
  let cut: number | undefined;
  const server = createServer((incoming, answer) => {
    const part = incoming.method === "PUT" ? partOf(incoming) : undefined;
    if (part !== undefined && ++taken > most) {
      incoming.once("data", () => incoming.socket.destroy());
      return;
    }
    const forward = request({ hostname, port, method: incoming.method, path: incoming.url, headers: incoming.headers }, (upstream) => {
      if (part !== undefined && upstream.statusCode === 200) parts.push(part);
      answer.writeHead(upstream.statusCode ?? 502, upstream.headers);
      if (cut === undefined || incoming.method !== "GET" || incoming.url?.includes("?list-type")) {
        upstream.pipe(answer);
        return;
      }
      const bytes = cut;
      cut = undefined;
      upstream.once("data", (chunk: Buffer) => answer.write(chunk.subarray(0, bytes), () => incoming.socket.destroy()));
    });
    forward.on("error", () => incoming.socket.destroy());
    incoming.pipe(forward);
  });
  server.listen(onPort, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  return {
    endpoint: `http://127.0.0.1:${address.port}`, parts,
    breakAfter(count) {
      taken = 0;
      most = count;
    },
    cutNextRead(bytes) {
      cut = bytes;
    },
    mend() {
      most = Infinity;
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function partOf(incoming: IncomingMessage): number | undefined {
  const found = /[?&]partNumber=(\d+)/.exec(incoming.url ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
}
