import { fail } from "../errors.ts";
import { SecretsUrlInvalid } from "./types.ts";

export interface VaultPlace {
  /** `https://vault.example:8200` */
  address: string;
  /** Mounts of the two secrets engines. */
  transit: string;
  kv: string;
  /** Name of the transit key. */
  key: string;
  /** Path of the platform's identity below the KV mount. */
  path: string;
  namespace?: string;
}

export interface KmsPlace {
  /** Alias, key id or ARN. */
  key: string;
  region?: string;
  endpoint?: string;
}

const vaultExample = "vault:https://host:8200?transit=transit&kv=secret&key=qinfra&path=qinfra";
const kmsExample = "aws-kms:alias/qinfra?region=eu-central-1";

/** Reads `vault:https://host:8200?transit=&kv=&key=&path=&namespace=`. Errors: SecretsUrlInvalid, which does not repeat the URL. */
export function parseVaultUrl(text: string): VaultPlace {
  const url = URL.parse(text.slice("vault:".length));
  if (url === null || !/^https?:$/.test(url.protocol) || url.hostname === "") fail(SecretsUrlInvalid, `SECRETS_URL names no Vault. Set it to ${vaultExample}.`);
  if (url.username !== "" || url.password !== "") fail(SecretsUrlInvalid, "SECRETS_URL holds credentials. Give the token with VAULT_TOKEN or VAULT_TOKEN_FILE instead.");
  if ((url.pathname !== "/" && url.pathname !== "") || url.hash !== "") fail(SecretsUrlInvalid, `SECRETS_URL has a path or a fragment. Set it to ${vaultExample}.`);
  checkNames(url.searchParams, ["transit", "kv", "key", "path", "namespace"], vaultExample);
  const part = (name: string, fallback: string): string => {
    const value = url.searchParams.get(name) ?? fallback;
    if (!/^[A-Za-z0-9_-]+(\/[A-Za-z0-9_-]+)*$/.test(value)) fail(SecretsUrlInvalid, `SECRETS_URL: ${name} is letters, digits, _ and - between slashes.`);
    return value;
  };
  const namespace = url.searchParams.has("namespace") ? part("namespace", "") : undefined;
  return {
    address: url.origin, transit: part("transit", "transit"), kv: part("kv", "secret"), key: part("key", "qinfra"), path: part("path", "qinfra"),
    ...(namespace === undefined ? {} : { namespace }),
  };
}

/** Reads `aws-kms:alias/name?region=&endpoint=`. Errors: SecretsUrlInvalid, which does not repeat the URL. */
export function parseKmsUrl(text: string): KmsPlace {
  const [key = "", query = ""] = text.slice("aws-kms:".length).split("?");
  if (!/^(arn:aws[a-z-]*:kms:[a-z0-9-]+:\d{12}:(key|alias)\/|alias\/)?[A-Za-z0-9/_-]{1,256}$/.test(key)) fail(SecretsUrlInvalid, `SECRETS_URL names no key: an alias, a key id or an ARN. Set it to ${kmsExample}.`);
  const parameters = new URLSearchParams(query);
  checkNames(parameters, ["region", "endpoint"], kmsExample);
  const region = parameters.get("region") ?? /^arn:[^:]*:kms:([^:]*):/.exec(key)?.[1];
  if (region !== undefined && !/^[a-z0-9-]{2,40}$/.test(region)) fail(SecretsUrlInvalid, "SECRETS_URL: region is lower-case letters, digits and hyphens.");
  const endpoint = parameters.get("endpoint") ?? undefined;
  const parsed = endpoint === undefined ? undefined : URL.parse(endpoint);
  if (parsed === null || (parsed !== undefined && (!/^https?:$/.test(parsed.protocol) || parsed.username !== "" || parsed.password !== ""))) {
    fail(SecretsUrlInvalid, "SECRETS_URL: endpoint is an http or https URL without credentials.");
  }
  return { key, ...(region === undefined ? {} : { region }), ...(parsed === undefined ? {} : { endpoint: parsed.origin }) };
}

function checkNames(parameters: URLSearchParams, known: readonly string[], example: string): void {
  const unknown = [...parameters.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) fail(SecretsUrlInvalid, `SECRETS_URL has the parameter ${JSON.stringify(unknown.slice(0, 40))}, which is not known. Set it to ${example}.`);
}
