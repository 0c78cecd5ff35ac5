import type { Clock } from "../clock.ts";
import { createHttpClient } from "../http-client/http-client.ts";
import type { IdentityStore, KeyEngine } from "./engine.ts";
import type { VaultPlace } from "./secrets-place.ts";
import type { Random } from "./types.ts";
import { createVaultClient } from "./vault-client.ts";
import { openVaultEngine, vaultIdentityStore } from "./vault-engine.ts";
import { openVaultTokens, type Later, type VaultTokenSettings } from "./vault-token.ts";
import type { EngineTls } from "../tls/index.ts";

/** Transit and KV of one Vault, with a token that is kept alive. Errors: SecretsUrlInvalid, SecretsUnavailable. */
export async function openVault(place: VaultPlace, settings: VaultTokenSettings, { clock, random, later, tls }: { clock: Clock; random: Random; later?: Later; tls?: EngineTls }): Promise<{ engine: KeyEngine; store: IdentityStore }> {
  const tokens = openVaultTokens(settings, later);
  const http = createHttpClient({ clock, userAgent: "qinfra", connectTimeoutMs: 3_000, breaker: { openMs: 3_000 }, ...(tls === undefined ? {} : { tls }) });
  const close = () => {
    tokens.close();
    void http.close();
  };
  try {
    const client = createVaultClient(place, http, tokens);
    const engine = await openVaultEngine(place, client, random, close);
    await tokens.keepAlive(client);
    return { engine, store: vaultIdentityStore(place, client) };
  } catch (error) {
    close();
    throw error;
  }
}
