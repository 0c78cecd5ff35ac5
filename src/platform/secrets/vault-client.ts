import { DeclaredError, errorType, fail } from "../errors.ts";
import type { HttpClient } from "../http-client/types.ts";
import type { VaultTokens } from "./vault-token.ts";
import { SecretsUnavailable } from "./types.ts";
import type { VaultPlace } from "./secrets-place.ts";

/** What Vault says no to; `status` 400 or 404. */
export const VaultRefused = errorType("vault-refused", 500, "Vault refused a request");

export interface VaultClient {
  /** The `data` of the answer. Errors: VaultRefused (400, 404), SecretsUnavailable. */
  call(method: "GET" | "PUT", path: string, body?: Record<string, unknown>): Promise<Record<string, unknown>>;
}

const timeoutMs = 5_000;
const maxBytes = 1_048_576;

/**
 * Vault's HTTP API, version 1. PUT and POST are the same to Vault; PUT is what the HTTP client may repeat, and each
 * call here may be repeated: those that must not happen twice are guarded by `cas`.
 */
export function createVaultClient(place: VaultPlace, http: HttpClient, tokens: Pick<VaultTokens, "current" | "reread">): VaultClient {
  async function send(method: "GET" | "PUT", path: string, token: string, body: Record<string, unknown> | undefined) {
    return http.request({
      url: `${place.address}/v1/${path}`, method, timeoutMs, maxBytes,
      headers: {
        "x-vault-token": token, "x-vault-request": "true", accept: "application/json",
        ...(place.namespace === undefined ? {} : { "x-vault-namespace": place.namespace }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      if (!(error instanceof DeclaredError)) throw error;
      const sealed = error.message.includes("Last answer: 503") ? " It may be sealed: unseal it." : "";
      throw new DeclaredError(SecretsUnavailable, `Vault cannot be reached. ${error.message}${sealed}`);
    });
  }

  return {
    async call(method, path, body) {
      let answer = await send(method, path, tokens.current(), body);
      if (answer.status === 403 && tokens.reread()) answer = await send(method, path, tokens.current(), body);
      if (answer.status === 204) return {};
      const parsed = parse(answer.body);
      if (answer.status === 200) return (parsed["data"] ?? {}) as Record<string, unknown>;
      throw refusal(answer.status, path, parsed["errors"]);
    },
  };
}

function parse(body: Uint8Array): Record<string, unknown> {
  if (body.length === 0) return {};
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString());
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Something between here and Vault answers for it.
  }
  return fail(SecretsUnavailable, "What answers at the address of SECRETS_URL does not speak Vault's API. Correct the address.");
}

function refusal(status: number, path: string, errors: unknown): DeclaredError {
  const said = Array.isArray(errors) ? errors.filter((error) => typeof error === "string").join("; ").slice(0, 200) : "";
  if (status === 403) {
    return new DeclaredError(SecretsUnavailable, `Vault refuses ${path}: the token has expired or has no policy for it. Renew the token, or add the policy that docs/guides/engines.md lists.`);
  }
  if (status === 429) return new DeclaredError(SecretsUnavailable, "Vault has more requests than it takes (429). It is tried again later.");
  if (status === 503) return new DeclaredError(SecretsUnavailable, "Vault is sealed or starting (503). Unseal it; the platform goes on by itself.");
  if (status === 400 || status === 404) return new DeclaredError(VaultRefused, `Vault refuses ${path} (${status})${said === "" ? "" : `: ${said}`}`, { status });
  return new DeclaredError(SecretsUnavailable, `Vault answered ${path} with ${status}. See Vault's own log.`);
}
