import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { connect } from "@nats-io/transport-node";
import { jetstreamManager } from "@nats-io/jetstream";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady, type Server } from "./process.ts";

export interface NatsServer {
  /** `nats://127.0.0.1:port`. */
  url: string;
  port: number;
  log(): string;
  /** Ends it with SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** Starts it again on its data and its port. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A real nats-server with JetStream in a temporary folder on a free port of loopback; `settings` go into its configuration file. */
export async function startNats(options: { settings?: string; login?: { user: string; pass: string }; tls?: { ca: string; cert: string; key: string } } = {}): Promise<NatsServer> {
  const folder = await temporaryFolder("nats");
  const port = await freePort();
  const file = join(folder.path, "server.conf");
  await writeFile(file, `listen: "127.0.0.1:${port}"\njetstream { store_dir: "${join(folder.path, "data")}" }\n${options.settings ?? ""}\n`, { mode: 0o600 });
  let server: Server | undefined;
  async function start(): Promise<void> {
    server = startServer(program("nats-server"), ["-c", file]);
    await untilReady(server, "NATS", answers);
  }
  async function answers(): Promise<boolean> {
    const tls = options.tls === undefined ? {} : { tls: options.tls };
    const client = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, timeout: 1_000, ...options.login, ...tls });
    try {
      await jetstreamManager(client, { timeout: 1_000 });
      return true;
    } finally {
      await client.close();
    }
  }
  try {
    await start();
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return {
    url: `nats://127.0.0.1:${port}`,
    port,
    start,
    log: () => server?.log() ?? "",
    kill: async () => server?.stop("SIGKILL"),
    async stop() {
      await server?.stop();
      await folder.remove();
    },
  };
}
