import { fromDebian } from "./debian.mjs";
import { run, versionIn } from "./run.mjs";

/** Peers that are taken as the system has them; `ask` is the program that states its version, and how. */
export const systemRecipes = {
  "openssh-server": () =>
    installed(["openssh-server", "openssh-client"], { sshd: ["/usr/sbin/sshd", "sshd"], ssh: ["ssh"], "ssh-keygen": ["ssh-keygen"] }, ["ssh", "-V"], /OpenSSH_([^\s,]+)/),
  openssl: () => installed(["openssl"], named("openssl"), ["openssl", "version"]),
  prometheus: () => installed(["prometheus"], named("prometheus", "promtool"), ["prometheus", "--version"]),
  alertmanager: () => installed(["prometheus-alertmanager"], named("prometheus-alertmanager"), ["prometheus-alertmanager", "--version"]),
  redis: () => installed(["redis-server"], named("redis-server", "redis-cli"), ["redis-server", "--version"]),
  pgbouncer: () => installed(["pgbouncer"], named("pgbouncer"), ["pgbouncer", "--version"]),
  faketime: () => installed(["faketime"], named("faketime"), ["faketime", "--version"]),
  nginx: () => installed(["nginx"], named("nginx"), ["nginx", "-v"]),
  // podman builds images itself; runc runs them, and mmdebstrap makes the root file system that they start from.
  podman: () => installed(["podman", "runc", "mmdebstrap"], named("podman", "runc", "mmdebstrap"), ["podman", "--version"]),
};

async function installed(packages, candidates, [name, ...ask], pattern) {
  const programs = await fromDebian(packages, candidates);
  const said = await run(programs[name], ask, { minutes: 1 });
  return { programs, found: pattern ? said.match(pattern)?.[1] : versionIn(said) };
}

function named(...names) {
  return Object.fromEntries(names.map((name) => [name, [name]]));
}
