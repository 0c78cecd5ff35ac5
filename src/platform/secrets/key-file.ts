import { createHash } from "node:crypto";
import { Type, type Static, type TSchema } from "typebox";
import { Check } from "typebox/value";
import { unusable } from "./private-file.ts";

const id = Type.String({ pattern: "^[a-z0-9]{1,32}$" });
const time = Type.String({ minLength: 20 });

/** The platform keys, oldest first; exactly one is current. `key` is 32 bytes in base64. */
export const PlatformKeys = Type.Object({
  current: id,
  keys: Type.Array(Type.Object({ id, created: time, root: Type.Boolean(), key: Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" }) }), { minItems: 1 }),
});
export type PlatformKeys = Static<typeof PlatformKeys>;

/** The signing keys, oldest first; only the current one still has its private half, an Ed25519 seed of 32 bytes in base64. */
export const SigningKeys = Type.Object({
  current: id,
  seed: Type.String({ pattern: "^[A-Za-z0-9+/]{43}=$" }),
  keys: Type.Array(Type.Object({ id, created: time, publicKey: Type.String({ minLength: 1 }) }), { minItems: 1 }),
});
export type SigningKeys = Static<typeof SigningKeys>;

/** The text of a key file: JSON whose digest shows a file that was cut short or edited. */
export function formatKeyFile(format: string, content: unknown): string {
  return `${JSON.stringify({ format, version: 1, digest: digestOf(content), content }, null, 2)}\n`;
}

/** Errors: KeyFileUnusable, which never quotes the file (the message of JSON.parse does). */
export function parseKeyFile<T extends TSchema>(path: string, format: string, schema: T, text: string): Static<T> {
  const restore = "restore the file from your backup; without its keys nothing that they sealed can be opened";
  const file = parseJson(text);
  if (file === undefined) throw unusable(path, text.trim() === "" ? "it is empty" : "it is not whole JSON, so it was probably cut short", restore);
  if (file["format"] !== format) throw unusable(path, `it is not a ${format} file`, "point SECRETS_URL to the folder with the platform's keys");
  if (file["version"] !== 1) throw unusable(path, `its version ${JSON.stringify(file["version"])} is not known here`, "run the release that wrote it, or a newer one");
  const content = file["content"];
  if (!Check(schema, content) || file["digest"] !== digestOf(content)) throw unusable(path, "its content does not agree with its digest, so it was damaged or edited", restore);
  return content;
}

function parseJson(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function digestOf(content: unknown): string {
  return createHash("sha256").update(JSON.stringify(content) ?? "").digest("hex");
}
