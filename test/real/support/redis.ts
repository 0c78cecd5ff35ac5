import { createClient } from "@redis/client";
import { program } from "./peer.ts";
import { freePort, startServer, untilReady } from "./process.ts";

export interface RedisServer {
  url: string;
  port: number;
  /** Sends it a command, past everything of ours. */
  ask(...command: string[]): Promise<unknown>;
  stop(): Promise<void>;
}

/** A real Redis in memory on loopback; `port` where it must be the one of a server that was stopped. */
export async function startRedis(options: { port?: number } = {}): Promise<RedisServer> {
  const port = options.port ?? (await freePort());
  const server = startServer(program("redis", "redis-server"), ["--port", String(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
  const url = `redis://127.0.0.1:${port}`;
  const ask = async (...command: string[]): Promise<unknown> => {
    const client = createClient({ url, RESP: 2, socket: { reconnectStrategy: false, connectTimeout: 1_000 } });
    client.on("error", () => undefined);
    await client.connect();
    try {
      return await client.sendCommand(command);
    } finally {
      client.destroy();
    }
  };
  await untilReady(server, "Redis", async () => (await ask("PING")) === "PONG");
  return { url, port, ask, stop: () => server.stop() };
}
