import { execFile } from "node:child_process";
import { createPrivateKey, randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { ConnectionOptions } from "node:tls";
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

export interface KafkaTls {
  /** Files, the broker's own. */
  cert: string;
  key: string;
  /** File: who may connect. */
  ca: string;
  /** How to ask it whether it is ready. */
  client: ConnectionOptions;
}

/** A real broker, a KRaft cluster of one, on free ports of loopback with an empty storage folder of its own. */
export async function startKafka({ tls }: { tls?: KafkaTls } = {}): Promise<KafkaBroker> {
  const script = program("kafka", "kafka.sh");
  const folder = await temporaryFolder("kafka");
  const [port, controller] = [await freePort(), await freePort()];
  const settings = join(folder.path, "server.properties");
  const secure = tls === undefined ? {} : await tlsProperties(folder.path, tls);
  await writeFile(settings, textOf({ ...properties(folder.path, port, controller, tls === undefined ? "PLAINTEXT" : "SSL"), ...secure }));
  await exec(script, ["kafka.tools.StorageTool", "format", "--standalone", "-t", randomBytes(16).toString("base64url"), "-c", settings], { timeout: 60_000 });
  let server: Server | undefined;
  async function start(): Promise<void> {
    server = startServer(script, ["-Xms128m", "-Xmx320m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "kafka.Kafka", settings]);
    await untilReady(server, "Kafka", () => answers(port, tls?.client), 90_000);
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

async function answers(port: number, tls: ConnectionOptions | undefined): Promise<boolean> {
  const admin = new Admin({ clientId: "ready", bootstrapBrokers: [{ host: "127.0.0.1", port }], connectTimeout: 1_000, requestTimeout: 2_000, retries: 0, ...(tls && { tls }) });
  try {
    return (await admin.metadata({ topics: [], forceUpdate: true })).brokers.size === 1;
  } finally {
    await admin.close();
  }
}

/** One PEM file with key and certificate, which Kafka wants in the form of PKCS #8. */
async function tlsProperties(folder: string, { cert, key, ca }: KafkaTls): Promise<Record<string, string>> {
  const store = join(folder, "broker.pem");
  const pkcs8 = createPrivateKey(await readFile(key)).export({ type: "pkcs8", format: "pem" });
  await writeFile(store, `${String(pkcs8)}${await readFile(cert, "utf8")}`, { mode: 0o600 });
  return {
    "security.inter.broker.protocol": "SSL", "ssl.client.auth": "required",
    "ssl.keystore.type": "PEM", "ssl.keystore.location": store,
    "ssl.truststore.type": "PEM", "ssl.truststore.location": ca,
  };
}

function properties(folder: string, port: number, controller: number, protocol: "PLAINTEXT" | "SSL"): Record<string, string> {
  return {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.quorum.bootstrap.servers": `127.0.0.1:${controller}`,
    listeners: `${protocol}://127.0.0.1:${port},CONTROLLER://127.0.0.1:${controller}`,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,SSL:SSL,CONTROLLER:PLAINTEXT",
    "log.dirs": join(folder, "data"),
    "auto.create.topics.enable": "false",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "group.initial.rebalance.delay.ms": "0",
  };
}

const textOf = (settings: Record<string, string>): string => Object.entries(settings).map(([key, value]) => `${key}=${value}\n`).join("");
