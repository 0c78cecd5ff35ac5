import { DeclaredError } from "../../../platform/errors.ts";
import { CircuitOpen, UrlRefused } from "../../../platform/http-client/errors.ts";
import type { HttpClient } from "../../../platform/http-client/types.ts";
import { retryAfterSeconds } from "../domain/backoff.ts";
import { redacted } from "../domain/redact.ts";
import { outcome, type Outcome } from "./outcome.ts";

export interface HttpSending {
  url: string;
  headers: Record<string, string>;
  body: string;
  /** Not to be quoted from the answer. */
  secrets: readonly string[];
}

const timeoutMs = 15_000;
const mostAnswerBytes = 1_024;
/** A pause as long as the circuit of the client lasts. */
const circuitSeconds = 30;
/** Statuses that are about this message and not about who answers. */
const ofThisMessage: ReadonlySet<number> = new Set([400, 413, 415, 422]);

/** Posts JSON. Private addresses are refused unless the platform allows them, and redirects are not followed. */
export async function sendByHttp({ http, signal, now }: { http: HttpClient; signal: AbortSignal; now: number }, { url, headers, body, secrets }: HttpSending): Promise<Outcome> {
  try {
    const answer = await http.stream({
      url, method: "POST", body, headers: { "content-type": "application/json", ...headers }, timeoutMs, signal, userSupplied: true, redirect: "manual", attempts: 1,
    });
    const text = redacted(await firstBytes(answer.body), secrets);
    return judged(answer.status, text, retryAfterSeconds(answer.headers["retry-after"], now));
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof DeclaredError)) throw error;
    const reason = redacted(error.message, secrets);
    if (error.type === CircuitOpen) return outcome("later", { reason, unwell: true, pauseSeconds: circuitSeconds });
    return outcome(error.type === UrlRefused ? "failed" : "again", { reason, unwell: true });
  }
}

function judged(status: number, answer: string, pauseSeconds: number | undefined): Outcome {
  const more = { status, answer: answer === "" ? null : answer };
  if (status >= 200 && status < 300) return outcome("delivered", more);
  if (status === 410) return outcome("failed", { ...more, unwell: true, gone: true, reason: "The address is gone (410)." });
  const reason = status >= 300 && status < 400 ? `It redirects (${status}); give the endpoint that it means in the end.` : `It answered ${status}.`;
  const pause = (status === 429 || status === 503) && pauseSeconds !== undefined ? { pauseSeconds } : {};
  return outcome("again", { ...more, ...pause, reason, unwell: !ofThisMessage.has(status) });
}

/** However much there is, no more is read. A body that breaks off changes nothing: its status came before. */
async function firstBytes(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body) {
      chunks.push(chunk);
      bytes += chunk.length;
      if (bytes >= mostAnswerBytes) break;
    }
  } catch {
    // What came of it is shown.
  }
  return Buffer.concat(chunks).subarray(0, mostAnswerBytes);
}
