import { randomBytes } from "node:crypto";
import type { Clock } from "../clock.ts";
import { fail } from "../errors.ts";
import { folderOfUrl } from "../file-url.ts";
import type { PlatformIdentity } from "./identity.ts";
import { parseKmsUrl, parseVaultUrl } from "./secrets-place.ts";
import { openFileSecrets } from "./file-secrets.ts";
import { SecretsUrlInvalid, type OpenedSecrets, type Random } from "./types.ts";
import type { Later, VaultTokenSettings } from "./vault-token.ts";
import type { EngineTls } from "../tls/index.ts";

/** The settings that choose the adapter: `keysDir` is the folder where the URL is `file:` without one, and of what KMS wrapped. */
export interface SecretsSettings {
  secretsUrl: string;
  keysDir: string;
  vault: VaultTokenSettings;
}

export interface SecretsOptions {
  /** True once anything was sealed or signed, for example when the database is there: keys are then never made anew. */
  dataExists: boolean;
  clock: Clock;
  random?: Random;
  /** What a new store is made of, when a platform moves there from another adapter. */
  identity?: PlatformIdentity;
  later?: Later;
  /** Authority and own certificate for a Vault or a KMS endpoint of a private network. */
  tls?: EngineTls;
}

/** Opens the adapter that the scheme of SECRETS_URL names. Errors: SecretsUrlInvalid, SecretsUnavailable and those of the adapter. */
export async function openSecrets({ secretsUrl, keysDir, vault }: SecretsSettings, { later, tls, ...options }: SecretsOptions): Promise<OpenedSecrets> {
  if (/^file:\/*$/.test(secretsUrl)) return openFileSecrets({ ...options, folder: keysDir });
  if (secretsUrl.startsWith("file:")) return openFileSecrets({ ...options, folder: folderOfUrl("SECRETS_URL", secretsUrl, process.cwd(), SecretsUrlInvalid) });
  // What the others need is loaded only with them.
  const { openEngineSecrets } = await import("./engine-secrets.ts");
  const random = options.random ?? randomBytes;
  if (secretsUrl.startsWith("vault:")) {
    const { openVault } = await import("./vault.ts");
    return openEngineSecrets({ ...options, ...(await openVault(parseVaultUrl(secretsUrl), vault, { clock: options.clock, random, ...(later === undefined ? {} : { later }), ...(tls === undefined ? {} : { tls }) })) });
  }
  if (secretsUrl.startsWith("aws-kms:")) {
    const place = parseKmsUrl(secretsUrl);
    const [{ openKmsEngine }, { wrappedIdentityStore }] = await Promise.all([import("./kms-engine.ts"), import("./wrapped-identity.ts")]);
    const engine = await openKmsEngine(place, tls);
    return openEngineSecrets({ ...options, engine, store: wrappedIdentityStore(keysDir, engine, random) });
  }
  return fail(SecretsUrlInvalid, "SECRETS_URL has a scheme that is not supported. Set it to file:FOLDER, vault:https://HOST or aws-kms:alias/NAME.");
}
