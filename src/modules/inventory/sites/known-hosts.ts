import { fail, InvalidInput } from "../../../platform/errors.ts";

/** Type and base64 of a public key, as sshd(8), SSH_KNOWN_HOSTS FILE FORMAT, has them after the names. */
const key = "(?:ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]{1,60} [A-Za-z0-9+/]{16,}={0,2}";

/** One host key or several, a line each. */
export const hostKeyPattern = `^${key}(?: [^\\n\\u0000]{0,200})?(?:\\n${key}(?: [^\\n\\u0000]{0,200})?)*\\n?$`;

const line = new RegExp(`^(?:@(?:cert-authority|revoked) )?\\S+ ${key}(?: .*)?$`);

/** Refuses what ssh(1) would pass over in silence. Errors: InvalidInput, which names the line. */
export function checkKnownHosts(text: string): void {
  const wrong = text.split("\n").findIndex((one) => one.trim() !== "" && !one.startsWith("#") && !line.test(one.trim()));
  if (wrong >= 0) fail(InvalidInput, `/knownHosts: line ${wrong + 1} is none of known_hosts: it must be NAMES TYPE KEY, for example "*.example.org ssh-ed25519 AAAA...".`);
}

/** As ssh(1) looks a host up. */
export function knownName(address: string, port: number): string {
  return port === 22 ? address : `[${address}]:${port}`;
}

/** The file that ssh(1) is given for one host. */
export function knownHostsFile(site: string, name: string, hostKey: string | null): string {
  const own = (hostKey ?? "").split("\n").filter((one) => one !== "").map((one) => `${name} ${one}\n`);
  return [site === "" || site.endsWith("\n") ? site : `${site}\n`, ...own].join("");
}

/** What ssh(1) has added to the file, as a host key; undefined where it has added nothing. */
export function addedKey(before: string, after: string): string | undefined {
  const added = after.slice(before.length).split("\n").filter((one) => one !== "").map((one) => one.split(" ").slice(1, 3).join(" "));
  return added.length === 0 ? undefined : added.join("\n");
}
