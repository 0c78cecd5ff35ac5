import { mkdir } from "node:fs/promises";
import { once } from "node:events";
import { createServer } from "node:net";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { FastifyInstance } from "fastify";
import type { Logger } from "pino";
import { systemClock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import { DeclaredError, errorType, fail } from "../platform/errors.ts";
import { openSecrets } from "../platform/secrets/index.ts";
import { createWorkerPool } from "../platform/worker/index.ts";
import { mountMcp } from "../surfaces/mcp/index.ts";
import { engineTls, readTlsFiles, watchTlsFiles } from "../platform/tls/index.ts";
import { systemTimer } from "../platform/events/index.ts";
import { createHttpServer, replaceCertificate } from "../surfaces/http/server.ts";
import { isReady } from "./checks.ts";
import { closeHttp, goOnServing } from "./close-http.ts";
import { databaseExists, openPlatformDatabase, type OpenedDatabase } from "./database.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { modules } from "./modules.ts";
import { mountPages } from "./pages.ts";
import { mountSchemas } from "./schemas.ts";
import { checkRetention } from "./retention.ts";
import { packageRoot, version } from "./root.ts";
import { assemble, type Platform } from "./services.ts";
import { readThisMachine, type ThisMachine } from "./this-machine.ts";
import { workerEntry } from "./worker-entry.ts";
import { workflowSetting } from "./workflow-engines.ts";

export const PortTaken = errorType("port-taken", 503, "The port is taken");
export const AddressUnavailable = errorType("address-unavailable", 503, "The address cannot be listened on");
export const DataFolderUnusable = errorType("data-folder-unusable", 503, "The data folder cannot be used");

export interface RunningServer {
  platform: Platform;
  http: FastifyInstance;
  /** http://127.0.0.1:8080 */
  address: string;
  /** Where the embedded database lies; undefined with an external one. */
  databaseFolder: string | undefined;
  /** What was found on this machine. */
  machine: ThisMachine;
  /** Resolves with the reason when the server cannot go on, for example because the database died. */
  failed: Promise<string>;
  /** Takes no new work, lets requests end, then stops everything. May be called again. */
  stop(): Promise<void>;
}

const drainMs = 10_000;

/** Starts a whole platform: database, event log, HTTP. Whatever was started is stopped again when a later part fails. */
export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const started: (() => Promise<void>)[] = [];
  async function unwind(): Promise<void> {
    for (const stop of started.splice(0).reverse()) await stop();
  }
  try {
    checkRetention(config.retention);
    let tls = config.tls === undefined ? undefined : await readTlsFiles(config.tls, systemClock);
    const engines = engineTls(() => tls);
    await probePort(config);
    await prepareFolder(config.dataDir);
    const secrets = await openSecrets(config, { dataExists: databaseExists(config), clock: systemClock, ...(engines === undefined ? {} : { tls: engines }) });
    started.push(async () => secrets.close());
    const opened = await openPlatformDatabase(config, secrets, log, engines);
    started.push(opened.close);
    const workers = createWorkerPool({ entry: workerEntry(), size: Math.max(1, availableParallelism() - 1), maxQueue: 200 });
    const platform = await assemble({ config, database: opened.database, secrets, workers, policiesDir: join(packageRoot(), "policies"), modules, log, workflows: workflowSetting(config, opened.direct, engines), ...(engines === undefined ? {} : { engines }) });
    started.push(platform.stop);
    const housekeeping = startHousekeeping({ database: opened.database, clock: systemClock, log, eraseDue: platform.eraseDue, followApprovals: platform.followApprovals, retention: platform.retention });
    started.push(housekeeping.stop);
    const machine = readThisMachine({ clock: systemClock, log });
    let draining = false;
    let refusing = false;
    const secure = config.publicUrl === undefined ? tls !== undefined : config.publicUrl.startsWith("https:");
    const pages = mountPages({ platform, machine, secure, csrfKey: secrets.derive("csrf"), log });
    const http = await createHttpServer(platform.services, platform.registry, {
      version: version(), log, draining: () => draining, refusing: () => refusing, metrics: platform.metrics.scrape,
      async ready() {
        const checks = await platform.checks();
        return { ready: isReady(checks), checks };
      },
      sessionOf: pages.sessionOf, trustedProxies: config.trustedProxies, ...(tls === undefined ? {} : { tls }),
      extend(server) {
        pages.extend(server);
        mountMcp(server, platform.services, platform.registry, { version: version(), hosts: config.publicUrl === undefined ? [] : [new URL(config.publicUrl).hostname] });
        mountSchemas(server);
      },
    });
    started.push(async () => {
      if (draining && config.drainSeconds > 0) await goOnServing(http, { servingMs: config.drainSeconds * 1000, sleep: systemTimer.sleep, refusing: platform.services.streams.close });
      refusing = true;
      await closeHttp(http, drainMs);
    });
    if (config.tls !== undefined && tls !== undefined) {
      started.push(watchTlsFiles(config.tls, { clock: systemClock, log, sleep: systemTimer.sleep }, tls, (material) => {
        tls = material;
        replaceCertificate(http, material);
        platform.renewCertificate();
      }).stop);
    }
    const address = (await listen(http, config)).replace(/^https?:/, tls === undefined ? "http:" : "https:");
    let stopping: Promise<void> | undefined;
    return {
      platform, http, address, machine, databaseFolder: opened.embedded?.cluster, failed: failure(opened),
      stop() {
        draining = true;
        stopping ??= unwind();
        return stopping;
      },
    };
  } catch (error) {
    await unwind();
    throw error;
  }
}

async function prepareFolder(folder: string): Promise<void> {
  try {
    // Others may pass through, because the embedded database runs as another user; keys and blobs are closed themselves.
    await mkdir(folder, { recursive: true, mode: 0o711 });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === "ENOSPC" ? "the disk is full; free some space" : code === "EACCES" || code === "EROFS" ? "it cannot be written to; set DATA_DIR to a folder that can" : message;
    fail(DataFolderUnusable, `${folder}: ${why}.`);
  }
}

/** Before anything is started, so that a taken port is said at once. */
async function probePort(config: Config): Promise<void> {
  const probe = createServer();
  try {
    probe.listen({ host: config.host, port: config.port });
    await once(probe, "listening");
    probe.close();
    await once(probe, "close");
  } catch (error) {
    throw listenError(error, config);
  }
}

async function listen(http: FastifyInstance, config: Config): Promise<string> {
  try {
    return await http.listen({ host: config.host, port: config.port });
  } catch (error) {
    throw listenError(error, config);
  }
}

function listenError(error: unknown, { host, port }: Config): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  if (code === "EADDRINUSE") return new DeclaredError(PortTaken, `Port ${port} of ${host} is taken by another program. Stop it, or choose another port: PORT=${port + 1} npm run up`);
  if (code === "EACCES" || code === "EADDRNOTAVAIL") {
    return new DeclaredError(AddressUnavailable, `${host}:${port} cannot be listened on (${code}). Set HOST and PORT to an address of this machine and a port that you may use.`);
  }
  return new Error(message, { cause: error });
}

function failure(opened: OpenedDatabase): Promise<string> {
  return new Promise((resolve) => opened.embedded?.onDeath((how) => resolve(`the embedded database ended: ${how}`)));
}
