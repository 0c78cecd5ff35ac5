import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

export interface Alert {
  labels: Readonly<Record<string, string>>;
  annotations: Readonly<Record<string, string>>;
  startsAt: string;
  endsAt: string;
  generatorURL: string;
  status: { state: string };
}

export interface Alertmanager {
  url: string;
  alerts(): Promise<Alert[]>;
  stop(): Promise<void>;
}

/** A real Alertmanager that tells nobody, on a free port of loopback. */
export async function startAlertmanager(): Promise<Alertmanager> {
  const folder = await temporaryFolder("alertmanager");
  const file = join(folder.path, "alertmanager.yml");
  await writeFile(file, JSON.stringify({ route: { receiver: "nobody" }, receivers: [{ name: "nobody" }] }));
  const url = `http://127.0.0.1:${await freePort()}`;
  const server = startServer(program("alertmanager", "prometheus-alertmanager"), [
    `--config.file=${file}`, `--storage.path=${join(folder.path, "data")}`, `--web.listen-address=${url.slice("http://".length)}`, "--cluster.listen-address=",
  ]);
  await untilReady(server, "Alertmanager", async () => (await fetch(`${url}/-/ready`, { signal: AbortSignal.timeout(2_000) })).ok);
  return {
    url,
    alerts: async () => (await (await fetch(`${url}/api/v2/alerts`, { signal: AbortSignal.timeout(5_000) })).json()) as Alert[],
    async stop() {
      await server.stop();
      await folder.remove();
    },
  };
}
