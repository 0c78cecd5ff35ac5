import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, folderOf } from "./cache.mjs";
import { run } from "./run.mjs";

/** Builds opa from source. The caches that the build fills (about 2 GB) are its own and go with it. */
export async function installOpa(peer) {
  const build = join(cacheFolder(), "build-opa");
  const bin = join(folderOf(peer), "bin");
  // The first entry alone: after ",direct" go would try every module's own host.
  const proxy = (await run("go", ["env", "GOPROXY"])).trim().split(/[,|]/)[0];
  const env = {
    GOPROXY: proxy,
    GOFLAGS: "-trimpath -p=2 -modcacherw",
    GOTOOLCHAIN: "local",
    CGO_ENABLED: "0",
    GOBIN: bin,
    GOCACHE: join(build, "cache"),
    GOMODCACHE: join(build, "modules"),
    GOTMPDIR: join(build, "tmp"),
  };
  try {
    await mkdir(env.GOTMPDIR, { recursive: true });
    await mkdir(bin, { recursive: true });
    await run("go", ["install", `github.com/open-policy-agent/opa@v${peer.version}`], { env, minutes: 20 });
  } finally {
    await rm(build, { recursive: true, force: true });
  }
  const opa = join(bin, "opa");
  return { programs: { opa }, found: (await run(opa, ["version"])).match(/^Version: (\S+)/)?.[1] };
}
