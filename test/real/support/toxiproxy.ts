import { randomBytes } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { program } from "./peer.ts";
import { freePort, startServer, untilReady } from "./process.ts";

export interface FaultProxy {
  /** Port on loopback at which the part is reached through the proxy. */
  port: number;
  /** Refuses connections and ends the open ones. */
  stop(): Promise<void>;
  /** Every answer comes so much later, give or take the jitter. */
  slow(ms: number, jitterMs?: number): Promise<void>;
  /** Each connection is reset (TCP RST) so long after it was made. */
  reset(afterMs: number): Promise<void>;
  /** Nothing comes through in either direction, and nobody is told. */
  hang(): Promise<void>;
  /** Whoever connects is answered with random bytes. */
  garble(): Promise<void>;
  /** As it should be. */
  mend(): Promise<void>;
}

export interface Toxiproxy {
  /** A proxy before a port of loopback. */
  before(name: string, port: number): Promise<FaultProxy>;
  stop(): Promise<void>;
}

/** A real toxiproxy, by its HTTP interface. */
export async function startToxiproxy(): Promise<Toxiproxy> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const server = startServer(program("toxiproxy", "toxiproxy-server"), ["-host", "127.0.0.1", "-port", String(port)]);
  await untilReady(server, "toxiproxy", async () => (await fetch(`${url}/version`)).ok);
  const noise = await noiseServer();

  async function ask(method: string, path: string, body?: unknown): Promise<void> {
    const answer = await fetch(`${url}${path}`, { method, signal: AbortSignal.timeout(5_000), ...(body === undefined ? {} : { body: JSON.stringify(body) }) });
    if (!answer.ok && answer.status !== 404) throw new Error(`toxiproxy answered ${answer.status} to ${method} ${path}: ${await answer.text()}`);
  }

  return {
    async before(name, target) {
      const listen = await freePort();
      const upstream = `127.0.0.1:${target}`;
      await ask("POST", "/proxies", { name, listen: `127.0.0.1:${listen}`, upstream, enabled: true });
      const toxic = (kind: string, type: string, attributes: object, stream = "downstream") => ask("POST", `/proxies/${name}/toxics`, { name: kind, type, stream, attributes });
      const set = (values: object) => ask("POST", `/proxies/${name}`, { name, listen: `127.0.0.1:${listen}`, upstream, enabled: true, ...values });
      return {
        port: listen,
        stop: () => set({ enabled: false }),
        slow: (ms, jitterMs = 0) => toxic("slow", "latency", { latency: ms, jitter: jitterMs }),
        reset: (afterMs) => toxic("reset", "reset_peer", { timeout: afterMs }),
        async hang() {
          for (const stream of ["upstream", "downstream"]) await toxic(`hang-${stream}`, "timeout", { timeout: 0 }, stream);
        },
        async garble() {
          await set({ enabled: false });
          await set({ upstream: `127.0.0.1:${noise.port}` });
        },
        async mend() {
          for (const kind of ["slow", "reset", "hang-upstream", "hang-downstream"]) await ask("DELETE", `/proxies/${name}/toxics/${kind}`);
          await set({ enabled: false });
          await set({});
        },
      };
    },
    async stop() {
      await server.stop();
      await noise.stop();
    },
  };
}

async function noiseServer(): Promise<{ port: number; stop(): Promise<void> }> {
  const open = new Set<Socket>();
  const server: Server = createServer((socket) => {
    open.add(socket);
    socket.on("error", () => undefined).on("close", () => open.delete(socket));
    socket.on("data", () => socket.write(randomBytes(256)));
    socket.write(randomBytes(256));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return {
    port,
    async stop() {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
