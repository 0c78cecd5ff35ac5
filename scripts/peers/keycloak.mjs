import { mkdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { cacheFolder, folderOf } from "./cache.mjs";
import { fromDebian } from "./debian.mjs";
import { checkJava } from "./java.mjs";
import { run, versionIn } from "./run.mjs";

/** What Keycloak 26 needs. */
const JAVA = 17;

/**
 * Keycloak from its Maven package, started once: the first start builds the server (Quarkus), and fills a database with
 * the realm `master` and the administrator `admin`, password `admin`. Both take longer than all else, so both are kept:
 *
 *   <peer>/server/bin/kc.sh            the program, built for the options below
 *   <peer>/template/keycloakdb.mv.db   the database, 1 MB, which no start touches
 *
 * A test copies the template into a folder of its own and starts
 *   kc.sh start-dev --http-host=127.0.0.1 --http-port=0 --db-url='jdbc:h2:file:<folder>/keycloakdb;NON_KEYWORDS=VALUE'
 * which is ready at the line "Listening on: http://127.0.0.1:<port>" and leaves nothing in the peer's folder; realms it
 * makes by POST /admin/realms. Options that change the build (--db, --features, --health-enabled, --metrics-enabled)
 * would build the server anew, for everybody: leave them out. kc.sh passes SIGTERM on to Java, but not SIGKILL: start it
 * as its own process group and end that.
 */
export async function installKeycloak(peer) {
  const { java, mvn, unzip } = await fromDebian(["default-jre-headless", "maven", "unzip"], {
    java: [process.env.JAVA_HOME ? join(process.env.JAVA_HOME, "bin/java") : "java"],
    mvn: ["mvn"],
    unzip: ["unzip"],
  });
  await checkJava(java, JAVA, "Keycloak");
  const download = join(cacheFolder(), "build-keycloak");
  const server = join(folderOf(peer), "server");
  try {
    // A repository of its own: the package would stay in the user's for nothing.
    await run(mvn, ["-B", "-ntp", `-Dmaven.repo.local=${download}`, "dependency:get", "-Dtransitive=false", `-Dartifact=org.keycloak:keycloak-quarkus-dist:${peer.version}:zip`]);
    const zip = join(download, "org/keycloak/keycloak-quarkus-dist", peer.version, `keycloak-quarkus-dist-${peer.version}.zip`);
    await run(unzip, ["-q", zip, "-d", folderOf(peer)], { minutes: 2 });
    await rename(join(folderOf(peer), `keycloak-${peer.version}`), server);
  } finally {
    await rm(download, { recursive: true, force: true });
  }
  // Maven's zip carries no modes.
  const program = join(server, "bin/kc.sh");
  await run("chmod", ["755", program]);
  await startOnce(peer, program);
  return { programs: { "kc.sh": program }, found: versionIn(await run(program, ["--version"], { minutes: 1 })) };
}

async function startOnce(peer, program) {
  const template = join(folderOf(peer), "template");
  await mkdir(template);
  const args = ["start-dev", "--http-host=127.0.0.1", "--http-port=0", `--db-url=jdbc:h2:file:${template}/keycloakdb;NON_KEYWORDS=VALUE`];
  const env = { KC_BOOTSTRAP_ADMIN_USERNAME: "admin", KC_BOOTSTRAP_ADMIN_PASSWORD: "admin" };
  await run(program, args, { env, until: /Listening on: http:/ });
  await rm(join(template, "keycloakdb.trace.db"), { force: true });
}
