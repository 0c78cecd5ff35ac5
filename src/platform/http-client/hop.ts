import { request as send, type Dispatcher } from "undici";
import { DeclaredError, fail } from "../errors.ts";
import { checkUrl, type AddressRule } from "./address-guard.ts";
import { acceptedEncodings, type AnswerHead } from "./body.ts";
import { AnswerInvalid, RedirectRefused, Unreachable, UrlRefused } from "./errors.ts";
import type { HttpRequest } from "./types.ts";

export interface Hop {
  url: URL;
  method: NonNullable<HttpRequest["method"]>;
  headers: Record<string, string>;
  body: string | Uint8Array | undefined;
}

export interface Answer extends AnswerHead {
  body: Dispatcher.ResponseData["body"];
}

// Everything else may carry a credential under a name that we do not know.
const headersAcrossOrigins = new Set(["accept", "accept-language", "accept-encoding", "user-agent", "content-type", "range", "if-none-match", "if-modified-since"]);

export function firstHop(request: HttpRequest, rule: AddressRule | undefined, userAgent: string): Hop {
  const headers: Record<string, string> = { "user-agent": userAgent, "accept-encoding": acceptedEncodings };
  for (const [name, value] of Object.entries(request.headers ?? {})) headers[name.toLowerCase()] = value;
  return { url: checkUrl(request.url, rule), method: request.method ?? "GET", headers, body: request.body };
}

/** Sends one request, without following. Errors: Unreachable, AnswerInvalid, those of the lookup, the reason of the signal. */
export async function sendHop(hop: Hop, dispatcher: Dispatcher, signal: AbortSignal): Promise<Answer> {
  const host = hop.url.host;
  try {
    const { statusCode, headers, body } = await send(hop.url, { dispatcher, signal, method: hop.method, headers: hop.headers, body: hop.body ?? null });
    body.on("error", () => undefined); // whoever reads the body sees it; a body that nobody reads must not end the process
    return { host, method: hop.method, status: statusCode, headers: flatten(headers), body };
  } catch (error) {
    throw signal.aborted ? signal.reason : connectionError(host, error);
  }
}

/**
 * Where the answer redirects to, or undefined when it does not: methods and bodies as the Fetch standard has them
 * (HTTP-redirect fetch), but a body never goes to another origin. Errors: RedirectRefused.
 */
export function nextHop(hop: Hop, answer: AnswerHead, rule: AddressRule | undefined): Hop | undefined {
  const location = answer.headers["location"];
  if (location === undefined || ![301, 302, 303, 307, 308].includes(answer.status)) return undefined;
  const url = checkLocation(hop, location, rule);
  if (hop.url.protocol === "https:" && url.protocol === "http:") fail(RedirectRefused, `${hop.url.host} redirects from https to http at ${url.host}, which is not followed. Use the URL that it means, with https.`);
  const becomesGet = hop.method !== "HEAD" && (answer.status === 303 || (hop.method === "POST" && answer.status < 303));
  const sameOrigin = url.origin === hop.url.origin;
  const body = becomesGet ? undefined : hop.body;
  if (body !== undefined && !sameOrigin) fail(RedirectRefused, `${hop.url.host} redirects a ${hop.method} with a body to ${url.host}; a body is not sent to another host. Use the URL that it means.`);
  const headers = Object.entries(hop.headers).filter(([name]) => (sameOrigin || headersAcrossOrigins.has(name)) && !(body === undefined && name.startsWith("content-")));
  return { url, method: becomesGet ? "GET" : hop.method, headers: Object.fromEntries(headers), body };
}

/** An address that may not be called is the other side's doing once it comes from a redirect. */
export function asRedirectError(from: string, error: unknown): unknown {
  if (!(error instanceof DeclaredError) || error.type !== UrlRefused) return error;
  return new DeclaredError(RedirectRefused, `${from} redirects to where this may not go: ${error.message}`);
}

function checkLocation(hop: Hop, location: string, rule: AddressRule | undefined): URL {
  try {
    return checkUrl(location, rule, hop.url);
  } catch (error) {
    throw asRedirectError(hop.url.host, error);
  }
}

function connectionError(host: string, error: unknown): unknown {
  if (error instanceof DeclaredError) return error;
  const { code, name } = error as NodeJS.ErrnoException;
  const reason = code ?? name;
  if (reason === "UND_ERR_INVALID_ARG") return new DeclaredError(AnswerInvalid, `The request to ${host} holds a header or method that HTTP does not allow. Check the names and values of its headers.`, { host });
  if (name === "HTTPParserError" || reason === "UND_ERR_HEADERS_OVERFLOW") {
    return new DeclaredError(AnswerInvalid, `${host} does not answer with HTTP that can be read (${reason}). Check host, port and whether it wants https.`, { host, reason });
  }
  const [text, transient] = explain(reason);
  return new DeclaredError(Unreachable, `${host} ${text} (${reason}).`, { host, reason, transient });
}

function explain(reason: string): [text: string, transient: boolean] {
  if (reason === "ENOTFOUND") return ["has no address: check its spelling and the DNS of this machine", false];
  if (reason === "EAI_AGAIN") return ["could not be looked up: check the DNS of this machine", true];
  if (/CERT|SELF_SIGNED|UNABLE_TO|ALTNAME/.test(reason)) return ["has a certificate that is not trusted: renew it, or give its authority in NODE_EXTRA_CA_CERTS", false];
  if (/SSL|EPROTO/.test(reason)) return ["does not speak TLS as expected: check the port and whether it is http or https", false];
  if (reason === "ECONNREFUSED") return ["refused the connection: check that it runs and listens on this port", true];
  return ["cannot be reached or broke the connection off: check the network and whether it runs", true];
}

function flatten(headers: Record<string, string | string[] | undefined>): Record<string, string> {
  const entries = Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name.toLowerCase(), Array.isArray(value) ? value.join(", ") : value]]));
  return Object.fromEntries(entries);
}
