import {
  allowInsecureRequests, calculatePKCECodeChallenge, clockTolerance, customFetch, discovery, initiateDeviceAuthorization, None, pollDeviceAuthorizationGrant,
  randomPKCECodeVerifier, ResponseBodyError, type Configuration, type CustomFetch, type DeviceAuthorizationResponse,
} from "openid-client";
import { CliError, printable } from "../errors.ts";
import { say, type CliIo } from "../io.ts";

/** An issuer at which a person signs in. */
export interface DeviceIssuer {
  issuer: string;
  clientId: string;
  /** Where requests to the issuer's own origin go; absent: there. */
  reachedAt?: string;
}

const requestMs = 10_000;
const mostBytes = 512 * 1024;
const attempts = 3;
const toleranceSeconds = 30;

/**
 * The device authorization grant (RFC 8628): shows where to sign in with a browser, and waits until it is done. The ID
 * token; who takes it checks it. Throws CliError.
 */
export async function idTokenByDevice(io: CliIo, asked: DeviceIssuer): Promise<string> {
  const configuration = await discovered(io, asked);
  // RFC 8628 does not speak of PKCE (RFC 7636), which Keycloak asks of clients that must use it; others pass it over.
  const verifier = randomPKCECodeVerifier();
  const challenge = { code_challenge: await calculatePKCECodeChallenge(verifier), code_challenge_method: "S256" };
  const device = await initiateDeviceAuthorization(configuration, { scope: "openid profile email", ...challenge }).catch((error: unknown) => {
    throw translated(io, asked, error);
  });
  show(io, device);
  const expired = AbortSignal.timeout(device.expires_in * 1000);
  try {
    const { id_token: idToken } = await pollDeviceAuthorizationGrant(configuration, device, { code_verifier: verifier }, { signal: AbortSignal.any([io.signal, expired]) });
    if (idToken !== undefined) return idToken;
  } catch (error) {
    if (io.signal.aborted) throw io.signal.reason;
    if (expired.aborted) throw new CliError(`Nobody signed in with the code ${printable(device.user_code)} before it expired.`, { next: "run qinfra login again" });
    throw translated(io, asked, error);
  }
  throw new CliError(`${asked.issuer} answered without an ID token.`, { next: "its client has to be allowed the scope openid" });
}

async function discovered(io: CliIo, asked: DeviceIssuer): Promise<Configuration> {
  const url = new URL(asked.issuer);
  try {
    const configuration = await discovery(url, asked.clientId, { [clockTolerance]: toleranceSeconds }, None(), {
      [customFetch]: fetchBy(io, asked), timeout: requestMs / 1000, execute: url.protocol === "http:" ? [allowInsecureRequests] : [],
    });
    if (configuration.serverMetadata().device_authorization_endpoint !== undefined) return configuration;
  } catch (error) {
    throw translated(io, asked, error);
  }
  throw new CliError(`${asked.issuer} knows no device flow.`, { next: "choose another with --issuer, or use qinfra login --password" });
}

function show(io: CliIo, device: DeviceAuthorizationResponse): void {
  const { user_code: code, verification_uri: page, verification_uri_complete: filledIn } = device;
  for (const address of [page, filledIn ?? page]) {
    const { protocol } = URL.parse(address) ?? {};
    if (protocol !== "https:" && protocol !== "http:") throw new CliError("The issuer named no page to sign in at.", { next: "tell whoever runs it" });
  }
  say(io, `To log in, open ${printable(page)} in a browser and enter the code ${printable(code)}.`);
  if (filledIn !== undefined) say(io, `Or open ${printable(filledIn)} and check that it shows this code.`);
  say(io, `Waiting for ${Math.ceil(device.expires_in / 60)} min; Ctrl-C ends it.`);
}

/** Time and size limits, and a few attempts where there is no answer: asking again changes nothing. */
function fetchBy(io: CliIo, { issuer, reachedAt }: DeviceIssuer): CustomFetch {
  const { origin } = new URL(issuer);
  return async (url, { method, headers, body, signal }) => {
    const target = reachedAt !== undefined && url.startsWith(`${origin}/`) ? `${reachedAt}${url.slice(origin.length)}` : url;
    for (let attempt = 1; ; attempt++) {
      const limit = AbortSignal.any([io.signal, AbortSignal.timeout(requestMs), ...(signal === undefined || signal === null ? [] : [signal])]);
      try {
        const response = await io.fetch(target, { method, headers: { ...headers, "user-agent": `qinfra/${io.version} (${process.platform})` }, signal: limit, redirect: "manual", ...(body !== undefined && body !== null && { body: String(body) }) });
        return new Response(await bounded(response), { status: response.status, headers: response.headers });
      } catch (error) {
        if (attempt >= attempts || error instanceof CliError || io.signal.aborted || signal?.aborted === true) throw error;
        await io.sleep(attempt * 1_000);
      }
    }
  };
}

async function bounded(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > mostBytes) throw new CliError("The issuer's answer is too large.", { next: "tell whoever runs it" });
    chunks.push(chunk);
  }
  return new Uint8Array(Buffer.concat(chunks));
}

const refusals: Readonly<Record<string, string>> = {
  access_denied: "The sign-in was refused in the browser.",
  expired_token: "The code expired before anybody signed in.",
  invalid_client: "The issuer does not know this client, or asks it for a secret, which a command line cannot keep.",
  unauthorized_client: "The issuer does not allow this client the device flow.",
};

function translated(io: CliIo, { issuer }: DeviceIssuer, error: unknown): unknown {
  if (io.signal.aborted) return io.signal.reason;
  if (error instanceof CliError) return error;
  if (error instanceof Error && error.cause instanceof CliError) return error.cause;
  if (error instanceof ResponseBodyError) {
    const again = error.error === "access_denied" || error.error === "expired_token";
    const reason = error.error_description === undefined ? "" : ` (${printable(error.error_description)})`;
    return new CliError(refusals[error.error] ?? `${issuer} refused: ${printable(error.error)}${reason}.`, { next: again ? "run qinfra login again" : "tell an administrator", cause: error });
  }
  return new CliError(`${issuer} could not be asked, or answered what nobody understands.`, { next: "repeat the command in a moment; qinfra login --password needs no browser", cause: error });
}
