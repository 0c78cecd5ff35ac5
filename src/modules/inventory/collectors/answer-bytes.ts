import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { CollectError } from "./collect-error.ts";

const inflate = promisify(gunzip);

/** What a login may print before the script runs. */
const preambleLimit = 256 * 1024;

/**
 * The body of an answer: what follows its first line, inflated. Undefined where that line is not there: then something
 * else than the script answered. Throws CollectError for a body that is damaged, cut, or inflates beyond `limit` bytes.
 */
export async function bodyOf(output: Buffer, nonce: string, limit: number): Promise<Buffer | undefined> {
  const mark = Buffer.from(`qinfra-answer ${nonce} `);
  const start = output.subarray(0, preambleLimit).indexOf(mark);
  if (start < 0) return undefined;
  const end = output.indexOf(0x0a, start);
  const format = end < 0 ? "" : output.toString("latin1", start + mark.length, Math.min(end, start + mark.length + 10)).trim();
  const rest = output.subarray(end + 1);
  if (format === "plain") return rest;
  if (format !== "gzip") throw truncated();
  try {
    return await inflate(rest, { maxOutputLength: limit });
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    if (code === "ERR_BUFFER_TOO_LARGE") throw answerTooLarge(limit);
    if (code === "Z_BUF_ERROR") throw truncated();
    throw new CollectError("malformed-answer", "The host's answer is damaged: it cannot be inflated.", { next: "scan again", cause: error });
  }
}

export function answerTooLarge(limit: number): CollectError {
  return new CollectError("too-large", `The host's answer is larger than the limit of ${limit} bytes.`, { next: "look for what fills /usr/local, /opt or /srv with packages, or raise the limit" });
}

function truncated(): CollectError {
  return new CollectError("truncated-answer", "The host's answer ends too early, so part of what is installed is missing.", { next: "scan again; if it stays, look at the host's free memory and its sshd log" });
}
