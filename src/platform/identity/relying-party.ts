import {
  allowInsecureRequests, AuthorizationResponseError, authorizationCodeGrant, buildAuthorizationUrl, calculatePKCECodeChallenge, ClientError, ClientSecretPost,
  clockTolerance, Configuration, customFetch, discovery, None, randomNonce, randomPKCECodeVerifier, randomState, ResponseBodyError, type CustomFetch,
} from "openid-client";
import type { Clock } from "../clock.ts";
import { DeclaredError, errorType, fail } from "../errors.ts";
import type { HttpClient } from "../http-client/types.ts";
import { IssuerUnavailable } from "./issuers.ts";

/** An issuer at which people sign in, with what the platform is there. */
export interface SignInIssuer {
  /** Shown on the button of the sign-in page. */
  label: string;
  issuer: string;
  clientId: string;
  clientSecret?: string;
  fetch: CustomFetch;
  /** Further parameters of the authorization request. */
  parameters?: Readonly<Record<string, string>>;
}

/** What must come back with the answer. Kept in the browser that asked, signed, until then. */
export interface Flow {
  issuer: string;
  state: string;
  nonce: string;
  verifier: string;
}

export interface RelyingParty {
  issuers: readonly { issuer: string; label: string }[];
  /** Where to send the browser, and what to keep of it. Errors: IssuerUnavailable, IssuerUnknown. */
  begin(issuer: string, redirectUri: string): Promise<{ url: string; flow: Flow }>;
  /** The ID token for the answer at `url`; its signature is checked by who accepts it. Errors: IssuerUnavailable, SignInRefused, SignInUnfinished. */
  finish(flow: Flow, url: URL): Promise<string>;
}

export const IssuerUnknown = errorType("issuer-unknown", 404, "Nobody signs in here by that issuer");
export const SignInRefused = errorType("sign-in-refused", 403, "The sign-in was refused");
export const SignInUnfinished = errorType("sign-in-unfinished", 400, "The sign-in could not be finished");

const timeoutMs = 5_000;
const mostBytes = 512 * 1024;
/** How long what an issuer says of itself is believed. */
const metadataMs = 3_600_000;
const toleranceSeconds = 30;

/** The OIDC client that the server is (OpenID Connect Core 1.0, 3.1; RFC 7636; RFC 9207). */
export function createRelyingParty(issuers: readonly SignInIssuer[], ports: { clock: Clock }): RelyingParty {
  const known = new Map(issuers.map((one) => [one.issuer, one]));
  const configurations = new Map<string, { at: number; configuration: Promise<Configuration> }>();

  function configurationOf(issuer: string): Promise<Configuration> {
    const settings = known.get(issuer) ?? fail(IssuerUnknown, "There is no such issuer here; choose one on the sign-in page.");
    const now = ports.clock.now();
    const found = configurations.get(issuer);
    if (found !== undefined && now - found.at < metadataMs) return found.configuration;
    const configuration = discovered(settings);
    configurations.set(issuer, { at: now, configuration });
    configuration.catch(() => configurations.delete(issuer));
    return configuration;
  }

  return {
    issuers: issuers.map(({ issuer, label }) => ({ issuer, label })),
    async begin(issuer, redirectUri) {
      const configuration = await configurationOf(issuer);
      const flow: Flow = { issuer, state: randomState(), nonce: randomNonce(), verifier: randomPKCECodeVerifier() };
      const url = buildAuthorizationUrl(configuration, {
        ...known.get(issuer)?.parameters, redirect_uri: redirectUri, scope: "openid", response_type: "code", state: flow.state, nonce: flow.nonce,
        code_challenge: await calculatePKCECodeChallenge(flow.verifier), code_challenge_method: "S256",
      });
      return { url: url.href, flow };
    },
    async finish({ issuer, state, nonce, verifier }, url) {
      const configuration = await configurationOf(issuer);
      try {
        const { id_token: idToken } = await authorizationCodeGrant(configuration, url, { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: verifier, idTokenExpected: true });
        return idToken ?? fail(SignInUnfinished, "The issuer answered without an ID token; sign in again.");
      } catch (error) {
        throw translated(error);
      }
    },
  };
}

async function discovered({ issuer, clientId, clientSecret, fetch }: SignInIssuer): Promise<Configuration> {
  const url = new URL(issuer);
  try {
    return await discovery(url, clientId, { [clockTolerance]: toleranceSeconds }, clientSecret === undefined ? None() : ClientSecretPost(clientSecret), {
      [customFetch]: fetch, timeout: timeoutMs / 1000, execute: url.protocol === "http:" ? [allowInsecureRequests] : [],
    });
  } catch (error) {
    if (error instanceof DeclaredError) throw error;
    throw new DeclaredError(IssuerUnavailable, `${issuer} cannot be asked how to sign in there; try again in a moment.`, undefined, error);
  }
}

function translated(error: unknown): unknown {
  if (error instanceof DeclaredError) return error;
  if (error instanceof AuthorizationResponseError) {
    return new DeclaredError(SignInRefused, `The issuer refused: ${error.error}. Nobody was signed in; you may try again.`, undefined, error);
  }
  if (error instanceof ResponseBodyError || (error instanceof ClientError && error.code !== "OAUTH_TIMEOUT")) {
    return new DeclaredError(SignInUnfinished, "The answer was too old, was used before, or does not belong to what was asked. Sign in again.", undefined, error);
  }
  return new DeclaredError(IssuerUnavailable, "The issuer did not answer; try again in a moment.", undefined, error);
}

/** Requests of openid-client through the platform's one way out. */
export function fetchThrough(http: HttpClient): CustomFetch {
  return async (url, { method, headers, body, signal }) => {
    const { status, headers: answered, body: bytes } = await http.request({
      url, headers, timeoutMs, maxBytes: mostBytes, attempts: 2, method: method === "POST" ? "POST" : "GET",
      ...(body !== undefined && body !== null && { body: textOf(body) }), ...(signal !== undefined && { signal }),
    });
    return new Response(Buffer.from(bytes), { status, headers: answered });
  };
}

/** What openid-client sends are forms. */
export function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  if (body instanceof URLSearchParams) return body.toString();
  throw new TypeError("the body of a request to an issuer is neither a form nor a text");
}
