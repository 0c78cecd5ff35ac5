import { mkdir, rename, rm } from "node:fs/promises";
import { join, posix } from "node:path";
import { cacheFolder, folderOf } from "./cache.mjs";
import { run } from "./run.mjs";

/** Peers that are built from source. */
export const goRecipes = {
  opa: (peer) => installGo(peer, { module: "github.com/open-policy-agent/opa", packages: { opa: "." }, check: ["version"] }),
  toxiproxy: (peer) =>
    installGo(peer, {
      module: "github.com/Shopify/toxiproxy/v2",
      packages: { "toxiproxy-server": "cmd/server", "toxiproxy-cli": "cmd/cli" },
      check: ["--help"],
    }),
  versitygw: (peer) => installGo(peer, { module: "github.com/versity/versitygw", packages: { versitygw: "cmd/versitygw" }, check: ["--version"] }),
  // MinIO's releases are no versions of its module: this is its last commit, of that day.
  minio: (peer) => installGo(peer, { module: "github.com/minio/minio", version: "v0.0.0-20260212201848-7aac2a2c5b7c", packages: { minio: "." }, check: ["--version"] }),
  temporal: (peer) => installGo(peer, { module: "github.com/temporalio/cli", packages: { temporal: "cmd/temporal" }, check: ["--version"] }),
  "nats-server": (peer) => installGo(peer, { module: "github.com/nats-io/nats-server/v2", packages: { "nats-server": "." }, check: ["--version"] }),
  // The version of sarama that it requires is not to be had any more.
  jaeger: (peer) =>
    installGo(peer, {
      module: "github.com/jaegertracing/jaeger",
      packages: { "jaeger-all-in-one": "cmd/all-in-one" },
      replace: { "github.com/Shopify/sarama": "github.com/Shopify/sarama@v1.33.0" },
      check: ["version"],
    }),
};

/** Modules and compiled packages of one run, shared between its peers and removed at its end. */
const build = () => join(cacheFolder(), "build-go");

/**
 * Builds `packages` ({ program: folder in the module }) of one `module` at `version` from source, each into a program of
 * that name, and runs each with `check`. `replace` ({ module: "other@version" }) is for a module whose own requirements
 * no longer resolve: go install takes no replacement, so a module around it is built instead. The version found is the
 * one that the first program carries in its build information.
 */
export async function installGo(peer, { module, version = `v${peer.version}`, packages, replace, check }) {
  const paths = Object.fromEntries(Object.entries(packages).map(([name, folder]) => [name, posix.join(module, folder)]));
  const bin = join(folderOf(peer), "bin");
  const env = await environment(bin);
  await mkdir(bin, { recursive: true });
  if (replace) await buildAround(peer, { module, version, paths, replace }, env);
  else await installModule(paths, version, env);
  const programs = Object.fromEntries(Object.keys(paths).map((name) => [name, join(bin, name)]));
  for (const path of Object.values(programs)) await run(path, check, { minutes: 1 });
  const found = await builtFrom(module, Object.values(programs)[0]);
  if (found !== version) throw new Error(`go built ${module} ${found}, not ${version}`);
  return { programs, found: found.replace(/^v/, "") };
}

/** Removes what the builds of this run, or of one that was interrupted, have filled. */
export async function clearGo() {
  await rm(build(), { recursive: true, force: true });
}

async function environment(bin) {
  const folder = build();
  await mkdir(join(folder, "tmp"), { recursive: true });
  // The first entry alone: after ",direct" go would try every module's own host.
  const proxy = (await run("go", ["env", "GOPROXY"])).trim().split(/[,|]/)[0];
  return {
    GOPROXY: proxy,
    GOFLAGS: "-trimpath -p=2 -modcacherw",
    GOTOOLCHAIN: "local",
    GOWORK: "off",
    CGO_ENABLED: "0",
    GOBIN: bin,
    GOCACHE: join(folder, "cache"),
    GOMODCACHE: join(folder, "modules"),
    GOTMPDIR: join(folder, "tmp"),
  };
}

/** go install names a program after the last folder of its import path that is not a major version. */
async function installModule(paths, version, env) {
  for (const [name, path] of Object.entries(paths)) {
    await run("go", ["install", `${path}@${version}`], { env, minutes: 30 });
    const made = path.split("/").findLast((part) => !/^v\d+$/.test(part));
    if (made !== name) await rename(join(env.GOBIN, made), join(env.GOBIN, name));
  }
}

async function buildAround(peer, { module, version, paths, replace }, env) {
  const folder = join(build(), peer.name);
  const options = { cwd: folder, env, minutes: 30 };
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  await run("go", ["mod", "init", `around.invalid/${peer.name}`], options);
  await run("go", ["mod", "edit", `-require=${module}@${version}`, ...Object.entries(replace).map(([old, other]) => `-replace=${old}=${other}`)], options);
  await run("go", ["get", "-tool", ...Object.values(paths).map((path) => `${path}@${version}`)], options);
  for (const [name, path] of Object.entries(paths)) await run("go", ["build", "-o", join(env.GOBIN, name), path], options);
}

/** The version of the module that a Go program was built from, as the program itself records it. */
async function builtFrom(module, path) {
  const lines = (await run("go", ["version", "-m", path])).split("\n").map((line) => line.trim().split(/\s+/));
  return lines.find(([kind, name]) => (kind === "mod" || kind === "dep") && name === module)?.[2];
}
