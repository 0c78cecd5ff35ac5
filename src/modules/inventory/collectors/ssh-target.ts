import { CollectError } from "./collect-error.ts";

export interface SshTarget {
  /** Without one, ssh takes that of the user's configuration, or the name of the local user. */
  user?: string;
  /** A name (also an alias of the user's ssh configuration) or an address; IPv6 without brackets. */
  host: string;
  port?: number;
}

/** Neither begins with `-`, which ssh would take for an option. */
const userPattern = /^[A-Za-z0-9_.][A-Za-z0-9_.@\\+$-]{0,127}$/;
const namePattern = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,252}$/;
const addressPattern = /^[0-9A-Fa-f:.]{2,45}(?:%[A-Za-z0-9_.-]{1,32})?$/;

const shape = "user@host, user@host:port or ssh://user@host:port";

/** Reads `[user@]host[:port]` or `ssh://[user@]host[:port]`; an IPv6 address stands in brackets. Throws CollectError. */
export function parseSshTarget(text: string): SshTarget {
  if (text.startsWith("-")) throw badTarget("The target begins with \"-\", which ssh would take for an option.");
  const url = /^ssh:\/\/([^/]*)\/?$/i.exec(text);
  if (!url && text.includes("/")) throw badTarget("The target is no ssh host.");
  const authority = url?.[1] ?? text;
  const at = authority.lastIndexOf("@");
  const user = at < 0 ? undefined : authority.slice(0, at);
  // The target is not repeated here: it may hold the password.
  if (user?.includes(":")) throw badTarget("The target holds a password.", "take it out; ssh signs in with a key, of the agent or of --identity FILE");
  if (user !== undefined && !userPattern.test(user)) throw badTarget("The user of the target is no user name.");
  const place = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{1,5}))?$/.exec(authority.slice(at + 1));
  if (!place) throw badTarget("The target is no ssh host.", `give ${shape}; an IPv6 address in brackets`);
  const [, address, name, portText] = place;
  if (address === undefined ? !namePattern.test(name ?? "") : !addressPattern.test(address)) throw badTarget("The host of the target is neither a name nor an address.");
  const port = portText === undefined ? undefined : Number(portText);
  if (port !== undefined && (port < 1 || port > 65_535)) throw badTarget("The port of the target is not between 1 and 65535.");
  return { host: address ?? name ?? "", ...(user !== undefined && { user }), ...(port !== undefined && { port }) };
}

/** As messages name it. */
export function targetName({ user, host, port }: SshTarget): string {
  const shown = host.includes(":") ? `[${host}]` : host;
  return `${user === undefined ? "" : `${user}@`}${shown}${port === undefined ? "" : `:${port}`}`;
}

function badTarget(what: string, next = `give ${shape}`): CollectError {
  return new CollectError("bad-target", what, { next });
}
