import { connect, type NatsConnection } from "@nats-io/transport-node";
import { jetstream, jetstreamManager, type JetStreamClient, type JetStreamManager } from "@nats-io/jetstream";
import type { Logger } from "pino";
import { DeclaredError } from "../../../errors.ts";
import { BusUnavailable } from "../types.ts";

/** Longest wait for an answer of the server. */
export const answerMs = 5_000;

const oldest = [2, 14] as const;

/** PEM. Without an authority the system's count. */
export interface NatsTls {
  ca?: string;
  cert?: string;
  key?: string;
  /** For a server that speaks TLS from the first byte (`handshake_first`): nothing can then take TLS away on the path. */
  handshakeFirst?: boolean;
}

export interface Connection {
  nats: NatsConnection;
  js: JetStreamClient;
  manager: JetStreamManager;
  /** Servers without their credentials, for messages. */
  where: string;
  /** Calls `lost` each time the connection breaks, until the answer is called. */
  onLost(lost: () => void): () => void;
  /** Once the connection is there: at once, or when it is made again. */
  whole(): Promise<void>;
  isWhole(): boolean;
}

/**
 * `nats://[user:password@]host:port[,host:port]`. The connection is made again when it breaks, for ever.
 * Errors: BusUnavailable.
 */
export async function connectNats(options: { url: string; tls?: NatsTls; log: Logger }): Promise<Connection> {
  const { log, tls } = options;
  const { servers, user, pass } = serversOf(options.url);
  const where = servers.join(", ");
  const nats = await connect({
    servers, name: "qinfra", timeout: answerMs, maxReconnectAttempts: -1, reconnectTimeWait: 250, reconnectJitter: 250, pingInterval: 10_000, maxPingOut: 2,
    ignoreAuthErrorAbort: true,
    ...(user === undefined ? {} : { user, pass: pass ?? "" }),
    tls: tls ?? null,
  }).catch((error: unknown) => unavailable(where, error));
  try {
    checkServer(nats, where);
    const manager = await jetstreamManager(nats, { timeout: answerMs });
    return { nats, js: jetstream(nats, { timeout: answerMs }), manager, where, ...watch(nats, log, where) };
  } catch (error) {
    await nats.close();
    return unavailable(where, error);
  }
}

export function unavailable(where: string, cause: unknown): never {
  if (cause instanceof DeclaredError) throw cause;
  const why = cause instanceof Error ? cause.message : String(cause);
  throw new DeclaredError(BusUnavailable, `NATS at ${where} does not do what it was asked: ${why}. See whether the server runs with JetStream and takes this user.`, undefined, cause);
}

/** Rejects after `ms`, for calls of the library that have no limit of their own. */
export async function within<T>(ms: number, what: string, answer: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer to ${what} in ${ms / 1000} s`)), ms);
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}

export function serversOf(url: string): { servers: string[]; user?: string; pass?: string } {
  const [, user, pass, hosts = ""] = /^nats:\/\/(?:([^:@/]*)(?::([^@/]*))?@)?([^@/]+)\/?$/.exec(url) ?? [];
  const servers = hosts.split(",");
  try {
    if (!servers.every((server) => /^(\[[0-9a-f:]+\]|[^:[\]]+)(:\d+)?$/i.test(server))) throw new URIError("no server");
    return { servers, ...(user === undefined ? {} : { user: decodeURIComponent(user) }), ...(pass === undefined ? {} : { pass: decodeURIComponent(pass) }) };
  } catch {
    throw new DeclaredError(BusUnavailable, "The URL of NATS is not nats://[user:password@]host:port[,host:port].");
  }
}

function checkServer(nats: NatsConnection, where: string): void {
  const version = nats.info?.version ?? "0.0";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major < oldest[0] || (major === oldest[0] && minor < oldest[1])) {
    throw new DeclaredError(BusUnavailable, `NATS at ${where} is version ${version}; the event bus needs ${oldest.join(".")} or later, which has pinned clients and resets of consumers.`);
  }
}

function watch(nats: NatsConnection, log: Logger, where: string): Pick<Connection, "onLost" | "whole" | "isWhole"> {
  const listeners = new Set<() => void>();
  let whole = Promise.resolve();
  let isWhole = true;
  let mend = (): void => undefined;
  void (async () => {
    for await (const status of nats.status()) {
      if (status.type === "disconnect") {
        isWhole = false;
        ({ promise: whole, resolve: mend } = Promise.withResolvers<void>());
        log.warn({ nats: where }, "the connection to NATS broke; it is made again");
        for (const lost of listeners) lost();
      }
      if (status.type === "reconnect") {
        log.info({ nats: where }, "the connection to NATS is back");
        isWhole = true;
        mend();
      }
      if (status.type === "error") log.warn({ err: status.error, nats: where }, "NATS reports an error");
    }
  })();
  return {
    onLost(lost) {
      listeners.add(lost);
      return () => void listeners.delete(lost);
    },
    whole: () => whole,
    isWhole: () => isWhole,
  };
}
