// Installs the real servers and tools of `npm run test:real` into the user's cache folder; a peer that is there is
// left alone. One that cannot be had leaves its reason there, with which its suites are skipped.
//   npm run peers              all of them
//   npm run peers -- opa       these only
import { readFileSync } from "node:fs";
import { mkdir, rm, statfs } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { ensureInstalled } from "./lib/install.mjs";
import { withLock } from "./lib/lock.mjs";
import { root } from "./lib/paths.mjs";
import { Failure, runScript, seconds } from "./lib/say.mjs";
import { cacheFolder, folderOf, installedRecord, recordInstalled, recordUnavailable } from "./peers/cache.mjs";
import { clearGo, goRecipes } from "./peers/go.mjs";
import { recipes } from "./peers/recipes.mjs";
import { stopAll } from "./peers/run.mjs";

const catalogue = JSON.parse(readFileSync(new URL("peers/catalogue.json", import.meta.url), "utf8"));

function choose(names) {
  const unknown = names.filter((name) => !catalogue.some((peer) => peer.name === name));
  if (unknown.length > 0) {
    const known = catalogue.map((peer) => peer.name).join(", ");
    throw new Failure(`no such peer: ${unknown.join(", ")}. Choose from: ${known}`);
  }
  return names.length === 0 ? catalogue : catalogue.filter((peer) => names.includes(peer.name));
}

async function freeGigabytes() {
  const disk = await statfs(cacheFolder());
  return (disk.bavail * disk.bsize) / 1e9;
}

/** Resolves with whether the peer is there, having printed its line. */
async function provide(peer) {
  const began = performance.now();
  const line = (result) => console.log(`${peer.name.padEnd(16)} ${peer.version.padEnd(15)} ${seconds(began).padStart(8)}  ${result}`);
  const there = await installedRecord(peer);
  if (there) {
    line(`already there (${there.found})`);
    return true;
  }
  try {
    const free = await freeGigabytes();
    if (free < peer.freeGigabytes) throw new Error(`needs ${peer.freeGigabytes} GB of disk, ${free.toFixed(1)} GB are free`);
    await rm(folderOf(peer), { recursive: true, force: true });
    await mkdir(folderOf(peer), { recursive: true });
    const { programs, found } = await recipes[peer.name](peer);
    await recordInstalled(peer, { name: peer.name, version: peer.version, found, programs });
    line(`installed (${found})`);
    return true;
  } catch (error) {
    if (isProgrammingError(error)) throw error;
    const reason = error.message.replace(/\s+/g, " ");
    await recordUnavailable(peer, reason);
    line(`unavailable: ${reason}`);
    return false;
  }
}

function isProgrammingError(error) {
  return error instanceof TypeError || error instanceof ReferenceError || error instanceof SyntaxError;
}

/** Builds take minutes of processor time; the others, one after another, mostly wait for the network. */
async function provideAll(peers) {
  const isBuilt = (peer) => peer.name in goRecipes;
  const lanes = [peers.filter(isBuilt), peers.filter((peer) => !isBuilt(peer))];
  const results = await Promise.all(
    lanes.map(async (lane) => {
      const got = [];
      for (const peer of lane) got.push(await provide(peer));
      return got;
    }),
  );
  return results.flat().filter(Boolean).length;
}

await runScript(async (names) => {
  const peers = choose(names);
  await ensureInstalled();
  // npm, too, runs on the project's Node: on an older one it resolves to older versions without a word.
  process.env.PATH = `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH ?? ""}`;
  // An interrupted build leaves its modules behind, until the next run ends.
  const stop = () => {
    stopAll();
    process.exit(130);
  };
  process.once("SIGINT", stop).once("SIGTERM", stop);
  return withLock(join(cacheFolder(), "lock"), "Installing peers", async () => {
    console.log(`Peers in ${cacheFolder()}, ${(await freeGigabytes()).toFixed(1)} GB free`);
    try {
      const count = await provideAll(peers);
      console.log(`${count} of ${peers.length} peers are there`);
      return count > 0 ? 0 : 1;
    } finally {
      stopAll();
      await clearGo();
    }
  });
});
