import { generateKeyPairSync, randomBytes } from "node:crypto";

/** A new Ed25519 key in OpenSSH's format (PROTOCOL.key); `cipher` only names one, to look as if it had a passphrase. */
export function opensshKey(cipher = "none"): { privateKey: string; publicKey: string } {
  const { privateKey } = generateKeyPairSync("ed25519");
  const jwk = privateKey.export({ format: "jwk" });
  const [seed, point] = [Buffer.from(jwk.d ?? "", "base64url"), Buffer.from(jwk.x ?? "", "base64url")];
  const shown = Buffer.concat([text("ssh-ed25519"), text(point)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([check, check, shown, text(Buffer.concat([seed, point])), text("")]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, i) => i + 1));
  const whole = Buffer.concat([Buffer.from("openssh-key-v1\0"), text(cipher), text("none"), text(""), number(1), text(shown), text(Buffer.concat([secret, padding]))]);
  const lines = whole.toString("base64").match(/.{1,70}/g) ?? [];
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join("\n")}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `ssh-ed25519 ${shown.toString("base64")}`,
  };
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

function text(value: string | Buffer): Buffer {
  return Buffer.concat([number(value.length), Buffer.from(value)]);
}
