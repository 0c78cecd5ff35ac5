import { CollectError, type CollectErrorCode } from "./collect-error.ts";
import type { Ran } from "./run-ssh.ts";
import { targetName, type SshTarget } from "./ssh-target.ts";

interface Cause {
  pattern: RegExp;
  code: CollectErrorCode;
  what: (name: string) => string;
  next: (target: SshTarget) => string;
}

/** How ssh(1) says why there is no connection; its messages are not translated. The first that fits is the cause. */
const causes: readonly Cause[] = [
  {
    pattern: /Could not resolve hostname/i, code: "host-unknown",
    what: (name) => `The host ${name} is not known: its name does not resolve.`,
    next: () => "check the name, or give its address",
  },
  {
    pattern: /REMOTE HOST IDENTIFICATION HAS CHANGED|host key for .* has changed|Offending .*key in/i, code: "host-key-changed",
    what: (name) => `The host key of ${name} is not the one that is known: it was installed anew, or someone stands in between.`,
    next: (target) => `ask who runs the host for its fingerprint; only if it changed rightly: ssh-keygen -R ${shellWord(knownName(target))}, then ${bySsh(target)}`,
  },
  {
    pattern: /Host key verification failed|host key is known for/i, code: "host-key-unknown",
    what: (name) => `The host key of ${name} is not known yet, and nothing is accepted unseen.`,
    next: (target) => `run \`${bySsh(target)}\` once, compare the fingerprint and accept it`,
  },
  {
    pattern: /Permission denied|Too many authentication failures|no matching .*auth/i, code: "permission-denied",
    what: (name) => `${name} does not let this user in.`,
    next: () => "check the user name, and give the key that the host knows (--identity FILE, or ssh-add it); passwords are not used",
  },
  {
    pattern: /Connection refused/i, code: "connection-refused",
    what: (name) => `${name} refused the connection: no ssh server listens there.`,
    next: () => "check the port, and that sshd runs",
  },
  {
    pattern: /timed out|Timeout, server/i, code: "timeout",
    what: (name) => `${name} did not answer in time.`,
    next: () => "check that the host is up and that no firewall stands in between",
  },
];

/** Why ssh ended without the script's answer. */
export function sshFailure(target: SshTarget, { exitStatus, stderr }: Omit<Ran, "stdout">): CollectError {
  const said = stderr.join("\n");
  const name = targetName(target);
  const details = { exitStatus, stderr };
  if (exitStatus === 255) {
    const cause = causes.find(({ pattern }) => pattern.test(said));
    if (cause) return new CollectError(cause.code, cause.what(name), { ...details, next: cause.next(target) });
    return new CollectError("connection-failed", `There is no connection to ${name}.`, { ...details, next: `try \`${bySsh(target)}\`` });
  }
  if (exitStatus === 126 || exitStatus === 127 || /\/bin\/sh\b.*(?:not found|no such file|not recognized|cannot find)/i.test(said)) {
    return new CollectError("no-sh", `${name} has no /bin/sh that this user may run.`, { ...details, next: "scan it by --rootfs or --sbom instead" });
  }
  return new CollectError("not-our-answer", `${name} let this user in, but did not run the script: its account has a forced command or a restricted shell.`, { ...details, next: "use an account that may run /bin/sh" });
}

function bySsh({ user, host, port }: SshTarget): string {
  return `ssh ${port === undefined ? "" : `-p ${port} `}${user === undefined ? "" : `${shellWord(user)}@`}${shellWord(host)}`;
}

/** As known_hosts names it. */
function knownName({ host, port }: SshTarget): string {
  return port === undefined || port === 22 ? host : `[${host}]:${port}`;
}

/** To be pasted into a shell. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_.:@%+-]+$/.test(text) ? text : `'${text}'`;
}
