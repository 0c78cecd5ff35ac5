import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { json } from "node:stream/consumers";

/**
 * A *simulated* Vault for tests, because none can be had there: the part of Vault's HTTP API that the adapter uses (KV
 * version 2 with check-and-set, transit with derived keys and versions, tokens with a lease), with its errors.
 */
export interface SimulatedVault {
  /** `vault:http://127.0.0.1:PORT` */
  url: string;
  address: string;
  /** The token that is accepted now. */
  token: string;
  /** Answers everything with this status until it is undefined again; `garbage` answers what is no JSON, `hang` never. */
  fault: 403 | 429 | 503 | 500 | "garbage" | "hang" | undefined;
  /** Method and path of each request, newest last. */
  calls: string[];
  /** How often the token was renewed. */
  renewals: number;
  /** What KV holds, for a test to look at or take away. */
  kv: Map<string, { version: number; data: unknown }>;
  /** Paths that the token's policy does not allow. */
  denied: Set<string>;
  rotateKey(name: string): void;
  stop(): Promise<void>;
}

interface TransitKey {
  derived: boolean;
  versions: Buffer[];
}

type Answer = [status: number, body?: unknown];

export async function startSimulatedVault({ port = 0, leaseSeconds = 0 }: { port?: number; leaseSeconds?: number } = {}): Promise<SimulatedVault> {
  const keys = new Map<string, TransitKey>();
  const server = createServer((request, response) => {
    void respond(request).then(([status, body]) => {
      if (status === 0) return; // never
      response.writeHead(status, { "content-type": "application/json" });
      response.end(body === undefined ? "" : typeof body === "string" ? body : JSON.stringify(body));
    });
  });

  async function respond(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? "").replace(/^\/v1\//, "");
    vault.calls.push(`${request.method} ${path}`);
    const body = request.method === "GET" ? {} : ((await json(request).catch(() => ({}))) as Record<string, unknown>);
    if (vault.fault === "hang") return [0];
    if (vault.fault === "garbage") return [200, "<html>busy</html>"];
    if (vault.fault !== undefined) return [vault.fault, { errors: [vault.fault === 503 ? "Vault is sealed" : "fault"] }];
    if (request.headers["x-vault-token"] !== vault.token || [...vault.denied].some((denied) => path.startsWith(denied))) return [403, { errors: ["permission denied"] }];
    return route(request.method === "GET", path, body);
  }

  function route(reading: boolean, path: string, body: Record<string, unknown>): Answer {
    const [, mount, action = "", name = "", more] = /^(transit|secret|auth)\/([a-z-]+)(?:\/([A-Za-z0-9_-]+))?(?:\/([a-z-]+))?$/.exec(path) ?? [];
    if (mount === "auth") return token(action, name);
    if (mount === "secret" && action === "data") return secret(reading, name, body);
    if (mount === "transit") return action === "keys" ? transitKey(reading, name, more, body) : crypt(action, name, body);
    return [404, { errors: [] }];
  }

  function token(_action: string, name: string): Answer {
    if (name === "lookup-self") return [200, { data: { ttl: leaseSeconds, renewable: leaseSeconds > 0 } }];
    vault.renewals++;
    return [200, { auth: { lease_duration: leaseSeconds } }];
  }

  function secret(reading: boolean, name: string, body: Record<string, unknown>): Answer {
    const there = vault.kv.get(name);
    if (reading) return there === undefined ? [404, { errors: [] }] : [200, { data: { data: there.data, metadata: { version: there.version } } }];
    const cas = (body["options"] as { cas?: number } | undefined)?.cas;
    if (cas !== undefined && cas !== (there?.version ?? 0)) return [400, { errors: ["check-and-set parameter did not match the current version"] }];
    const version = (there?.version ?? 0) + 1;
    vault.kv.set(name, { version, data: body["data"] });
    return [200, { data: { version } }];
  }

  function transitKey(reading: boolean, name: string, more: string | undefined, body: Record<string, unknown>): Answer {
    const key = keys.get(name);
    if (reading) return key === undefined ? [404, { errors: [] }] : [200, { data: { latest_version: key.versions.length, derived: key.derived, type: "aes256-gcm96" } }];
    if (more === "rotate") {
      if (key === undefined) return [400, { errors: ["key not found"] }];
      key.versions.push(randomBytes(32));
    } else if (key === undefined) keys.set(name, { derived: body["derived"] === true, versions: [randomBytes(32)] });
    return [200, { data: {} }];
  }

  function crypt(action: string, name: string, body: Record<string, unknown>): Answer {
    const key = keys.get(name);
    if (key === undefined) return [400, { errors: ["encryption key not found"] }];
    if (key.derived && typeof body["context"] !== "string") return [400, { errors: ["missing 'context' for key derivation; the key was created using a derived key"] }];
    const context = String(body["context"] ?? "");
    if (action === "encrypt") return [200, { data: { ciphertext: encrypt(key, context, Buffer.from(String(body["plaintext"]), "base64")) } }];
    const plain = decrypt(key, context, String(body["ciphertext"]));
    if (plain === undefined) return [400, { errors: ["cipher: message authentication failed"] }];
    if (action === "rewrap") return [200, { data: { ciphertext: encrypt(key, context, plain) } }];
    return [200, { data: { plaintext: plain.toString("base64") } }];
  }

  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the simulated Vault has no port");
  const vault: SimulatedVault = {
    url: `vault:http://127.0.0.1:${address.port}`, address: `http://127.0.0.1:${address.port}`, token: `hvs.${randomBytes(18).toString("base64url")}`,
    fault: undefined, calls: [], renewals: 0, kv: new Map(), denied: new Set(),
    rotateKey(name) {
      keys.get(name)?.versions.push(randomBytes(32));
    },
    async stop() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return vault;
}

function derived(key: TransitKey, version: number, context: string): Buffer | undefined {
  const found = key.versions[version - 1];
  return found && Buffer.from(hkdfSync("sha256", found, "", key.derived ? context : "", 32));
}

function encrypt(key: TransitKey, context: string, plain: Buffer): string {
  const version = key.versions.length;
  const nonce = randomBytes(12);
  const cipher = createCipheriv("aes-256-gcm", derived(key, version, context) as Buffer, nonce);
  return `vault:v${version}:${Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]).toString("base64")}`;
}

function decrypt(key: TransitKey, context: string, ciphertext: string): Buffer | undefined {
  const [, version, body] = /^vault:v(\d+):(.+)$/.exec(ciphertext) ?? [];
  const bytes = Buffer.from(body ?? "", "base64");
  const under = derived(key, Number(version), context);
  if (under === undefined || bytes.length < 28) return undefined;
  const decipher = createDecipheriv("aes-256-gcm", under, bytes.subarray(0, 12)).setAuthTag(bytes.subarray(-16));
  try {
    return Buffer.concat([decipher.update(bytes.subarray(12, -16)), decipher.final()]);
  } catch {
    return undefined;
  }
}
