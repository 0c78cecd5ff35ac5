import { join } from "node:path";
import { Connection } from "@temporalio/client";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady } from "./process.ts";

export interface TemporalServer {
  /** As WORKFLOWS_URL has it, with the namespace `default`. */
  url: string;
  address: string;
  stop(signal?: NodeJS.Signals): Promise<void>;
  /** On the same port, with what it knew. */
  startAgain(): Promise<void>;
  /** Ends it and removes what it knew. */
  remove(): Promise<void>;
}

/** A real Temporal server on loopback, with its database in a file. */
export async function startTemporal(): Promise<TemporalServer> {
  const port = await freePort();
  const address = `127.0.0.1:${port}`;
  const folder = await temporaryFolder("temporal");
  const start = async (): Promise<ReturnType<typeof startServer>> => {
    const server = startServer(program("temporal"), [
      "server", "start-dev", "--headless", "--ip", "127.0.0.1", "--port", String(port), "--db-filename", join(folder.path, "temporal.db"), "--log-level", "error",
      // What it has written outlives its process all the same; it would else wait for the disk at each step.
      "--sqlite-pragma", "synchronous=off", "--sqlite-pragma", "journal_mode=wal",
    ], { env: { TEMPORAL_VERSION_CHECK_DISABLED: "1", HOME: folder.path } });
    await untilReady(server, "Temporal", () => answers(address), 60_000);
    return server;
  };
  let server = await start();
  return {
    url: `temporal://${address}/default`, address,
    stop: (signal) => server.stop(signal),
    async startAgain() {
      server = await start();
    },
    async remove() {
      await server.stop();
      await folder.remove();
    },
  };
}

async function answers(address: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace: "default" });
    return true;
  } finally {
    await connection.close();
  }
}
