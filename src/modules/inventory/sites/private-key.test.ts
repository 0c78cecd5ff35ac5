import { createHash, generateKeyPairSync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { opensshKey } from "../testing/openssh-key.ts";
import { readPrivateKey } from "./private-key.ts";

const { privateKey, publicKey } = opensshKey();
const base64 = (text: string): string => text.split("\n").slice(1, -2).join("");
const wrapped = (body: string): string => `-----BEGIN OPENSSH PRIVATE KEY-----\n${body}\n-----END OPENSSH PRIVATE KEY-----\n`;

describe("a private key", () => {
  it("given one in OpenSSH's format, then its fingerprint is that of its public half", () => {
    const digest = createHash("sha256").update(Buffer.from(publicKey.split(" ")[1] ?? "", "base64")).digest("base64").replace(/=+$/, "");
    expect(readPrivateKey(privateKey)).toEqual({ text: privateKey, fingerprint: `SHA256:${digest}` });
  });

  it.each([
    ["line ends of Windows", privateKey.replaceAll("\n", "\r\n")], ["space around it", `\n  ${privateKey}\n\n`], ["no line breaks in its body", wrapped(base64(privateKey))],
  ])("given one with %s, then it is the same as ssh reads it", (_what, text) => {
    expect(readPrivateKey(text).text).toBe(privateKey);
  });

  it.each([
    ["one with a passphrase", opensshKey("aes256-ctr").privateKey, "passphrase"],
    ["a public key", publicKey, "no private key in OpenSSH's format"],
    ["a PKCS #8 key", generateKeyPairSync("ed25519").privateKey.export({ format: "pem", type: "pkcs8" }) as string, "ssh-keygen -p"],
    ["nothing", "", "no private key"],
    ["other content", wrapped(Buffer.from("a secret that is no key at all").toString("base64")), "damaged"],
    ["half a key", wrapped(base64(privateKey).slice(0, 40)), "cut off"],
  ])("given %s, then it is refused, and nothing of it is quoted", (_what, text, why) => {
    const outcome = (): unknown => readPrivateKey(text);
    expect(outcome).toThrow(why);
    expect(outcome).not.toThrow(/secret/);
  });
});
