import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { node24 } from "../lib/node24.mjs";
import { folderOf } from "./cache.mjs";
import { fromDebian } from "./debian.mjs";
import { goRecipes } from "./go.mjs";
import { installKafka } from "./kafka.mjs";
import { installKeycloak } from "./keycloak.mjs";
import { findProgram, run, versionIn } from "./run.mjs";
import { systemRecipes } from "./system.mjs";

/**
 * How each peer of the catalogue is had: `install(peer)` resolves with
 * { programs: { name: absolute path }, found: the version that the peer itself states } or rejects with the reason.
 */
export const recipes = {
  ...goRecipes,
  ...systemRecipes,
  postgresql: installPostgresql,
  keycloak: installKeycloak,
  kafka: installKafka,
  schemathesis: (peer) => installFromPip(peer, "schemathesis", "schemathesis"),
  aiosmtpd: (peer) => installFromPip(peer, "aiosmtpd", "aiosmtpd"),
  moto: (peer) => installFromPip(peer, "moto", "moto_server", "[server]"),
  "mcp-conformance": (peer) => installFromNpm(peer, { "@modelcontextprotocol/conformance": peer.version }, "conformance"),
  "mcp-inspector": (peer) => installFromNpm(peer, { "@modelcontextprotocol/inspector": peer.version }, "mcp-inspector"),
  chromium: installChromium,
};

async function installPostgresql(peer) {
  const at = (name) => [`/usr/lib/postgresql/${peer.version}/bin/${name}`];
  const programs = await fromDebian([`postgresql-${peer.version}`], {
    initdb: at("initdb"),
    pg_ctl: at("pg_ctl"),
    postgres: at("postgres"),
    psql: at("psql"),
  });
  const found = versionIn(await run(programs.postgres, ["--version"]));
  if (!found?.startsWith(`${peer.version}.`)) throw new Error(`${programs.postgres} is version ${found}, not ${peer.version}`);
  return { programs, found };
}

/** Into a virtual environment of the peer's own; `name` is the distribution, `extras` as in `name[extras]`. */
async function installFromPip(peer, name, program, extras = "") {
  const venv = join(folderOf(peer), "venv");
  const python = await findProgram("python3");
  if (!python) throw new Error("python3 is not installed");
  await run(python, ["-m", "venv", venv]);
  const own = join(venv, "bin/python");
  await run(own, ["-m", "pip", "install", "-q", "--no-input", `${name}${extras}==${peer.version}`]);
  const path = join(venv, "bin", program);
  // As with npm: pip's record would not show that it starts.
  await run(path, ["--help"], { minutes: 1 });
  const found = await run(own, ["-c", "import sys; from importlib.metadata import version; print(version(sys.argv[1]))", name]);
  return { programs: { [program]: path }, found: versionIn(found) };
}

/** Into the peer's own prefix, so that nothing of it reaches the project's dependencies. */
async function installFromNpm(peer, packages, program) {
  const prefix = folderOf(peer);
  await mkdir(prefix, { recursive: true });
  await writeFile(join(prefix, "package.json"), `${JSON.stringify({ private: true, dependencies: packages }, null, 2)}\n`);
  await run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: prefix });
  const [name] = Object.keys(packages);
  const { version } = JSON.parse(await readFile(join(prefix, "node_modules", name, "package.json"), "utf8"));
  if (version !== packages[name]) throw new Error(`npm installed ${name} ${version}, not ${packages[name]}`);
  const path = join(prefix, "node_modules/.bin", program);
  // Its help needs every module that it loads, which a version number from package.json would not show.
  await run(node24(), [path, "--help"], { minutes: 1 });
  return { programs: { [program]: path }, found: version };
}

async function installChromium(peer) {
  const driver = await installFromNpm(peer, { "playwright-core": "1.65.1" }, "playwright-core");
  const programs = await fromDebian(["chromium"], { chromium: ["chromium", "chromium-browser", "google-chrome"] });
  const found = versionIn(await run(programs.chromium, ["--version"]));
  return { programs: { ...programs, ...driver.programs }, found: `${found}, playwright-core ${driver.found}` };
}
