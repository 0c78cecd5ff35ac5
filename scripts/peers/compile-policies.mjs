// Compiles policies/*.rego to WebAssembly with the opa of `npm run peers`.
//   node scripts/peers/compile-policies.mjs [FOLDER]     writes policy.wasm and manifest.json there
import { createHash } from "node:crypto";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { root } from "../lib/paths.mjs";
import { Failure, runScript } from "../lib/say.mjs";
import { installedRecord } from "./cache.mjs";
import { findProgram, run } from "./run.mjs";

const ENTRYPOINTS = ["qinfra/request/result", "qinfra/plan/result"];

const policies = join(root, "policies");

/** opa embeds the paths as given: bare file names make the result the same wherever the checkout lies. */
async function compile(opa) {
  const sources = (await readdir(policies)).filter((name) => name.endsWith(".rego") && !name.endsWith("_test.rego")).sort();
  const folder = await mkdtemp(join(tmpdir(), "qinfra-policies-"));
  try {
    const bundle = join(folder, "bundle.tar.gz");
    const entrypoints = ENTRYPOINTS.flatMap((name) => ["-e", name]);
    await run(opa, ["build", "-t", "wasm", ...entrypoints, "-o", bundle, ...sources], { cwd: policies, minutes: 2 });
    return { sources, wasm: fileOfTar(gunzipSync(await readFile(bundle)), "/policy.wasm") };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The bytes of one file of a ustar archive (POSIX.1-1988): 512-byte headers, name at 0, size in octal at 124. */
function fileOfTar(tar, wanted) {
  for (let at = 0; at + 512 <= tar.length; ) {
    const name = tar.toString("utf8", at, at + 100).replace(/\0.*$/s, "");
    const size = Number.parseInt(tar.toString("utf8", at + 124, at + 136), 8) || 0;
    if (name === wanted) return tar.subarray(at + 512, at + 512 + size);
    at += 512 + Math.ceil(size / 512) * 512;
  }
  throw new Error(`opa's bundle holds no ${wanted}`);
}

function sha256(bytes) {
  return createHash("sha256").update(bytes).digest("hex");
}

await runScript(async ([out = join(policies, "compiled")]) => {
  const catalogue = JSON.parse(await readFile(new URL("catalogue.json", import.meta.url), "utf8"));
  const peer = catalogue.find(({ name }) => name === "opa");
  const opa = (await installedRecord(peer))?.programs.opa ?? (await findProgram("opa"));
  if (!opa) throw new Failure("opa is not there: run `npm run peers -- opa` first");
  const version = (await run(opa, ["version"])).match(/^Version: (\S+)/)?.[1];
  if (version !== peer.version) throw new Failure(`${opa} is version ${version}; the policies are compiled with ${peer.version}`);
  const { sources, wasm } = await compile(opa);
  const digests = {};
  for (const name of sources) digests[name] = sha256(await readFile(join(policies, name)));
  const manifest = { opa: version, entrypoints: ENTRYPOINTS, sources: digests, wasm: sha256(wasm) };
  await mkdir(out, { recursive: true });
  await writeFile(join(out, "policy.wasm"), wasm);
  await writeFile(join(out, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
  console.log(`${wasm.length} bytes of WebAssembly from ${sources.join(", ")} with opa ${version}`);
});
