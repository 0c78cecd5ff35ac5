import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";

/** The third number of a host's address says how it behaves. */
export const behaviours = { answers: 0, refuses: 1, changedKey: 2, damaged: 3, dies: 4 } as const;

/** Answers as the collector's script does on a host with one package, openssl 3.0.1-1 of Debian 12. */
const script = `#!/bin/sh
[ "$1" = -V ] && exit 0
for argument; do
  case $argument in HostName=*) address=\${argument#HostName=} ;; esac
done
nonce=$(sed -n 's/^  nonce=\\([0-9a-f]*\\)$/\\1/p')
case $address in
  10.*.${behaviours.refuses}.*) echo "ssh: connect to host $address port 22: Connection refused" >&2; exit 255 ;;
  10.*.${behaviours.changedKey}.*) echo "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @" >&2; exit 255 ;;
  10.*.${behaviours.damaged}.*) status=".this is no status file" ;;
  10.*.${behaviours.dies}.*) printf 'qinfra-answer %s plain\\nv sysname\\n.Linux\\n' "$nonce"; exit 1 ;;
  *) status=".Package: openssl
.Status: install ok installed
.Architecture: amd64
.Version: 3.0.1-1
." ;;
esac
printf 'qinfra-answer %s plain\\nv sysname\\n.Linux\\nv node\\n.%s\\nf etc/os-release\\n.ID=debian\\n.VERSION_ID="12"\\n=\\nf var/lib/dpkg/status\\n%s\\n=\\ne %s\\n' "$nonce" "$address" "$status" "$nonce"
`;

export interface SimulatedSsh {
  /** PATH with which it is found before any other. */
  path: string;
  remove(): Promise<void>;
}

/** A program \`ssh\` that reaches nothing. */
export async function simulatedSsh(): Promise<SimulatedSsh> {
  const folder = await mkdtemp(join(tmpdir(), "qinfra-simulated-ssh-"));
  await writeFile(join(folder, "ssh"), script, { mode: 0o755 });
  return { path: `${folder}${delimiter}${process.env["PATH"] ?? ""}`, remove: () => rm(folder, { recursive: true, force: true }) };
}
