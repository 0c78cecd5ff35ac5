import type { Client, Method } from "./client.ts";

/** What the platform was told and acknowledged, so that it can be read back. */
export interface Ledger {
  sites: Set<string>;
  assets: Map<string, AssetRecord>;
}

interface AssetRecord {
  id: string;
  packages: number;
  tags: Readonly<Record<string, string>>;
}

interface Write {
  method: Method;
  path: string;
  body: Readonly<Record<string, unknown>>;
  /** Each write has one, so that it can be repeated after a crash. */
  key: string;
  acknowledged(answer: unknown): void;
}

export interface Round {
  /** Answered with success. */
  acknowledged: number;
  /** Sent, and no answer yet, at the moment of the kill. */
  inFlight: number;
  /** Sent and never answered: done or not, nobody knows. */
  open: readonly Write[];
}

/** Numbers from 0 to 1 that the seed determines (mulberry32, Tommy Ettinger, public domain). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const writers = 8;

/** Eight clients write, each one thing after the other, until `enough` are acknowledged and `kill` was called `delayMs` later. */
export async function writeUntilKilled(client: Client, ledger: Ledger, options: { round: number; enough: number; delayMs: number; random: () => number; kill(): void }): Promise<Round> {
  const { round, enough, delayMs, random, kill } = options;
  const open: Write[] = [];
  let acknowledged = 0;
  let outstanding = 0;
  let inFlight: number | undefined;
  let planned = false;

  function killNow(): void {
    inFlight = outstanding;
    kill();
  }

  async function writer(number: number): Promise<void> {
    for (let n = 0; inFlight === undefined; n++) {
      const write = nextWrite(ledger, random, `${round}-${number}-${n}`, number);
      outstanding += 1;
      try {
        const { status, body } = await client.ask(write.method, write.path, write.body, { "idempotency-key": write.key });
        if (status >= 300) throw new Error(`${write.method} ${write.path} answered ${status}: ${JSON.stringify(body)}`);
        write.acknowledged(body);
        acknowledged += 1;
      } catch (error) {
        // Only the kill may end a request.
        if (inFlight === undefined) throw error;
        open.push(write);
      } finally {
        outstanding -= 1;
      }
      if (acknowledged >= enough && !planned) {
        planned = true;
        setTimeout(killNow, delayMs);
      }
    }
  }

  const ended = await Promise.allSettled(Array.from({ length: writers }, (_, number) => writer(number)));
  const failed = ended.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { acknowledged, inFlight: inFlight ?? 0, open };
}

/** Repeats what had no answer, under the same keys. */
export async function repeat(client: Client, writes: readonly Write[]): Promise<void> {
  for (const { method, path, body, key, acknowledged } of writes) acknowledged(await client.call(method, path, body, { "idempotency-key": key }));
}

const packages = [
  ["openssl", "3.0.17-1"], ["redis-server", "5:7.0.15-1~deb12u7", "redis"], ["libnss3", "2:3.87.1-1+deb12u2", "nss"], ["bash", "5.2.15-2+b9"],
  ["zlib1g", "1:1.2.13.dfsg-1", "zlib"], ["curl", "7.88.1-10+deb12u12"], ["nginx", "1.22.1-9"], ["libc6", "2.36-9+deb12u10", "glibc"],
].map(([name, version, source]) => ({
  name, version, purl: `pkg:deb/debian/${name}@${encodeURIComponent(version as string)}?arch=amd64&distro=debian-12${source === undefined ? "" : `&upstream=${source}`}`,
}));

/** Half of them sites; the rest scans of assets, which wait for their findings, and tags. An asset belongs to one writer. */
function nextWrite(ledger: Ledger, random: () => number, key: string, writer: number): Write {
  const kind = random();
  const own = [...ledger.assets.keys()].filter((name) => name.startsWith(`w${writer}-`));
  const some = own[Math.floor(random() * own.length)];
  if (kind < 0.5) return siteWrite(ledger, key);
  if (kind < 0.75 || some === undefined) return scanWrite(ledger, random, key, some !== undefined && random() < 0.3 ? some : `w${writer}-${key}`);
  return tagWrite(ledger, key, some);
}

function siteWrite(ledger: Ledger, key: string): Write {
  const name = `site-${key}`;
  return { method: "POST", path: "/api/v1/sites", body: { name }, key, acknowledged: () => void ledger.sites.add(name) };
}

function scanWrite(ledger: Ledger, random: () => number, key: string, name: string): Write {
  const components = packages.filter(() => random() < 0.5);
  return {
    method: "POST", path: "/api/v1/assets/scans", key,
    body: { name, source: "import", os: { id: "debian", versionId: "12" }, components },
    acknowledged(answer) {
      const { asset, event } = answer as { asset: { id: string }; event?: { state: string } };
      if (event?.state !== "handled") throw new Error(`the findings of ${name} are ${event?.state ?? "unsaid"}`);
      ledger.assets.set(name, { id: asset.id, packages: components.length, tags: ledger.assets.get(name)?.tags ?? {} });
    },
  };
}

function tagWrite(ledger: Ledger, key: string, name: string): Write {
  const known = ledger.assets.get(name) as AssetRecord;
  const tags = { round: key };
  return { method: "PATCH", path: `/api/v1/assets/${known.id}`, body: { tags }, key, acknowledged: () => void ledger.assets.set(name, { ...(ledger.assets.get(name) ?? known), tags }) };
}

interface ListedAsset {
  name: string;
  id: string;
  packages: number;
  tags: Record<string, string>;
}

/** What was acknowledged and cannot be read back, in words. `open` writes may have been done or not. */
export async function lost(client: Client, ledger: Ledger, open: readonly Write[]): Promise<string[]> {
  const sites = new Set((await all<{ name: string }>(client, "/api/v1/sites")).map(({ name }) => name));
  const assets = new Map((await all<ListedAsset>(client, "/api/v1/assets")).map((asset) => [asset.name, asset]));
  const perhaps = new Set(open.map(({ path, body }) => (typeof body["name"] === "string" ? body["name"] : path)));
  const missing = [...ledger.sites].filter((name) => !sites.has(name)).map((name) => `site ${name}`);
  for (const [name, wanted] of ledger.assets) {
    const found = assets.get(name);
    if (found === undefined || found.id !== wanted.id) missing.push(`asset ${name}`);
    else if (found.packages !== wanted.packages && !perhaps.has(name)) missing.push(`scan of ${name}: ${found.packages} packages instead of ${wanted.packages}`);
    else if (JSON.stringify(found.tags) !== JSON.stringify(wanted.tags) && !perhaps.has(`/api/v1/assets/${wanted.id}`)) missing.push(`tags of ${name}: ${JSON.stringify(found.tags)} instead of ${JSON.stringify(wanted.tags)}`);
  }
  return missing;
}

async function all<T>(client: Client, path: string): Promise<T[]> {
  const items: T[] = [];
  for (let cursor: string | undefined; ;) {
    const query = new URLSearchParams({ limit: "1000", ...(cursor === undefined ? {} : { cursor }) });
    const page = await client.call<{ items: T[]; next?: string }>("GET", `${path}?${query}`);
    items.push(...page.items);
    if (page.next === undefined) return items;
    cursor = page.next;
  }
}
