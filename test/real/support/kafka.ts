import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { Admin } from "@platformatic/kafka";
import { program } from "./peer.ts";
import { freePort, startServer, temporaryFolder, untilReady, type Server } from "./process.ts";

const exec = promisify(execFile);

export interface KafkaBroker {
  /** `kafka://127.0.0.1:port`. */
  url: string;
  /** Ends it with SIGKILL; its data stay. */
  kill(): Promise<void>;
  /** Starts it again on its data and its port. */
  start(): Promise<void>;
  /** Ends it and removes its data. */
  stop(): Promise<void>;
}

/** A real broker, a KRaft cluster of one, on free ports of loopback with an empty storage folder of its own. */
export async function startKafka(): Promise<KafkaBroker> {
  const script = program("kafka", "kafka.sh");
  const folder = await temporaryFolder("kafka");
  const [port, controller] = [await freePort(), await freePort()];
  const settings = join(folder.path, "server.properties");
  await writeFile(settings, properties(folder.path, port, controller));
  await exec(script, ["kafka.tools.StorageTool", "format", "--standalone", "-t", randomBytes(16).toString("base64url"), "-c", settings], { timeout: 60_000 });
  let server: Server | undefined;
  async function start(): Promise<void> {
    server = startServer(script, ["-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka", settings]);
    await untilReady(server, "Kafka", () => answers(port), 90_000);
  }
  try {
    await start();
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return {
    url: `kafka://127.0.0.1:${port}`,
    start,
    kill: async () => server?.stop("SIGKILL"),
    async stop() {
      await server?.stop();
      await folder.remove();
    },
  };
}

async function answers(port: number): Promise<boolean> {
  const admin = new Admin({ clientId: "ready", bootstrapBrokers: [{ host: "127.0.0.1", port }], connectTimeout: 500, requestTimeout: 2_000, retries: 0 });
  try {
    return (await admin.metadata({ topics: [], forceUpdate: true })).brokers.size === 1;
  } finally {
    await admin.close();
  }
}

function properties(folder: string, port: number, controller: number): string {
  return Object.entries({
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.bootstrap.servers": `127.0.0.1:${controller}`,
    listeners: `PLAINTEXT://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "log.dirs": join(folder, "data"),
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
  }).map(([key, value]) => `${key}=${value}\n`).join("");
}
