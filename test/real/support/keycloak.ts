import { copyFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { spawn } from "node:child_process";
import { program } from "./peer.ts";
import { temporaryFolder } from "./process.ts";

export interface Keycloak {
  url: string;
  /** Calls the administration's API; the body of its answer. */
  admin<T = unknown>(method: string, path: string, body?: unknown): Promise<T>;
  stop(): Promise<void>;
}

const startMs = 240_000;

/** A real Keycloak with nothing but its realm `master`, on a free port of loopback. Its database is a copy of its own. */
export async function startKeycloak(): Promise<Keycloak> {
  const script = program("keycloak", "kc.sh");
  const folder = await temporaryFolder("keycloak");
  await copyFile(join(dirname(script), "../../template/keycloakdb.mv.db"), join(folder.path, "keycloakdb.mv.db"));
  // Its own process group: the script does not pass on a kill to Java.
  const child = spawn(script, ["start-dev", "--http-host=127.0.0.1", "--http-port=0", `--db-url=jdbc:h2:file:${folder.path}/keycloakdb;NON_KEYWORDS=VALUE`], {
    detached: true, stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, JAVA_OPTS_KC_HEAP: "-Xms128m -Xmx512m" },
  });
  const kill = (signal: NodeJS.Signals): void => {
    try {
      process.kill(-(child.pid ?? 0), signal);
    } catch {
      // It is gone already.
    }
  };
  const killed = (): void => kill("SIGKILL");
  process.on("exit", killed);
  const exited = new Promise<void>((resolve) => void child.once("exit", () => resolve()));
  async function stop(): Promise<void> {
    kill("SIGTERM");
    const timer = setTimeout(() => kill("SIGKILL"), 10_000);
    await exited;
    clearTimeout(timer);
    process.off("exit", killed);
    await folder.remove();
  }
  try {
    const url = await listening(child.stdout, child.stderr, exited);
    return { url, stop, admin: (method, path, body) => administer(url, method, path, body) };
  } catch (error) {
    await stop();
    throw error;
  }
}

function listening(stdout: NodeJS.ReadableStream, stderr: NodeJS.ReadableStream, exited: Promise<void>): Promise<string> {
  return new Promise((resolve, reject) => {
    let log = "";
    const late = setTimeout(() => reject(new Error(`Keycloak was not ready after ${startMs / 1000} s:\n${log}`)), startMs);
    const take = (chunk: Buffer): void => {
      log = (log + chunk.toString()).slice(-65_536);
      const url = /Listening on: (http:\/\/127\.0\.0\.1:\d+)/.exec(log)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    };
    for (const stream of [stdout, stderr]) stream.on("data", take);
    void exited.then(() => {
      clearTimeout(late);
      reject(new Error(`Keycloak ended while it started:\n${log}`));
    });
  });
}

async function administer<T>(url: string, method: string, path: string, body: unknown): Promise<T> {
  // The administrator's token lives for a minute, so that each call gets its own.
  const { access_token: token } = await formPost<{ access_token: string }>(`${url}/realms/master/protocol/openid-connect/token`, { grant_type: "password", client_id: "admin-cli", username: "admin", password: "admin" });
  const answer = await fetch(`${url}/admin/realms${path}`, {
    method, signal: AbortSignal.timeout(90_000),
    headers: { authorization: `Bearer ${token}`, ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`Keycloak answered ${method} ${path} with ${answer.status}: ${text}`);
  return (text === "" ? undefined : JSON.parse(text)) as T;
}

/** The JSON that a form is answered with. */
export async function formPost<T>(url: string, fields: Record<string, string>): Promise<T> {
  const answer = await fetch(url, { method: "POST", body: new URLSearchParams(fields), signal: AbortSignal.timeout(90_000) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${url} answered ${answer.status}: ${text}`);
  return JSON.parse(text) as T;
}
