import { createHash } from "node:crypto";
import { fail, InvalidInput } from "../../../platform/errors.ts";

export interface PrivateKey {
  /** As ssh(1) reads it. */
  text: string;
  /** `SHA256:...`, as ssh-keygen -l shows that of its public half. */
  fingerprint: string;
}

export const mostKeyBytes = 16 * 1024;

const magic = "openssh-key-v1\0";
const convert = "ssh-keygen -p -N '' -f FILE writes a copy of it so";

/** Reads a private key in OpenSSH's own format (PROTOCOL.key of OpenSSH). The key itself is never quoted. Errors: InvalidInput. */
export function readPrivateKey(text: string): PrivateKey {
  const body = /^\s*-----BEGIN OPENSSH PRIVATE KEY-----\r?\n([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/.exec(text)?.[1];
  if (body === undefined) fail(InvalidInput, `This is no private key in OpenSSH's format, which begins with -----BEGIN OPENSSH PRIVATE KEY-----; ${convert}.`);
  const bytes = Buffer.from(body, "base64");
  if (bytes.toString("latin1", 0, magic.length) !== magic) fail(InvalidInput, "The private key is damaged: its content is not that of OpenSSH's format.");
  const { found: [cipher], rest } = strings(bytes.subarray(magic.length), 3);
  if (cipher?.toString() !== "none") fail(InvalidInput, `The private key is protected by a passphrase, which nobody can type in during a scan; ${convert}, and it is kept encrypted here.`);
  const count = rest.length < 4 ? 0 : rest.readUInt32BE(0);
  if (count !== 1) fail(InvalidInput, "The private key is damaged: it holds not exactly one key.");
  const { found: [publicKey] } = strings(rest.subarray(4), 1);
  const lines = body.replaceAll(/\s+/g, "").match(/.{1,70}/g) ?? [];
  return {
    text: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
    fingerprint: `SHA256:${createHash("sha256").update(publicKey as Buffer).digest("base64").replace(/=+$/, "")}`,
  };
}

/** The first strings of RFC 4251, 5, and what follows them. */
function strings(bytes: Buffer, count: number): { found: Buffer[]; rest: Buffer } {
  const found: Buffer[] = [];
  let rest = bytes;
  for (let i = 0; i < count; i++) {
    const length = rest.length < 4 ? Number.POSITIVE_INFINITY : rest.readUInt32BE(0);
    if (length > rest.length - 4) fail(InvalidInput, "The private key is damaged: it is cut off.");
    found.push(rest.subarray(4, 4 + length));
    rest = rest.subarray(4 + length);
  }
  return { found, rest };
}
