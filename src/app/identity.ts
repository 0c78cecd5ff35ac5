import type { Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import type { Database } from "../platform/database/database.ts";
import type { HttpClient } from "../platform/http-client/types.ts";
import type { OwnIssuer } from "../platform/identity/id-token.ts";
import { createRelyingParty, fetchThrough, type RelyingParty, type SignInIssuer } from "../platform/identity/relying-party.ts";
import type { Ids } from "../platform/ids.ts";
import type { Registry } from "../platform/operation/registry.ts";
import type { Services } from "../platform/operation/services.ts";
import type { Secrets } from "../platform/secrets/types.ts";
import type { Logger } from "pino";
import {
  browserClient, cliClient, createAccounts, createAdapter, createEmbeddedProvider, createLocalSignIn, createProviderKeys, providerAlgorithm,
  type EmbeddedProvider, type LocalSignIn, type ProviderKeys, type ProviderPages,
} from "../modules/organizations/index.ts";

/** What signs people in: the embedded provider, and the server as a client of it and of other issuers. */
export interface Identity {
  /** Where people reach the platform. */
  origin: string;
  keys: ProviderKeys;
  /** The embedded provider as an issuer of ID tokens, for who verifies them. */
  own: OwnIssuer;
  /** Whether names and passwords are asked for. */
  passwords: boolean;
  local: LocalSignIn;
  /** Signs what a browser keeps between the question to an issuer and its answer. */
  flowKey: Uint8Array;
  provider(pages: ProviderPages): EmbeddedProvider;
  /** `inProcess` answers requests to the embedded provider, which may not be reachable from here by its own name. */
  party(inProcess: SignInIssuer["fetch"]): RelyingParty;
}

export interface IdentityPorts {
  config: Config;
  origin: string;
  database: Database;
  secrets: Secrets;
  clock: Clock;
  ids: Ids;
  http: HttpClient;
  log: Logger;
  registry: Registry;
  appender: Services["appender"];
}

/** Areas in which no other application acts for a person: it could give itself more, or for longer, than it was allowed. */
const ownAreas = new Set(["platform", "organizations", "members", "api-keys", "service-accounts", "invitations", "quotas", "settings", "deletions"]);

export function createIdentity(ports: IdentityPorts): Identity {
  const { config, origin, database, secrets, clock, ids, log, registry, http, appender } = ports;
  const keys = createProviderKeys({ database, secrets, clock, ids });
  const issuer = `${origin}/oidc`;
  const browserSecret = secrets.derive("oidc-browser-client").toString("base64url");
  const permissions = registry.operations.map(({ permission }) => permission).filter((permission) => permission.includes(":"));
  const scopes = [...new Set(permissions)].filter((permission) => !ownAreas.has(permission.slice(0, permission.indexOf(":")))).sort();

  return {
    origin, keys, passwords: config.localSignIn,
    own: { issuer, clients: [browserClient, cliClient], algorithms: [providerAlgorithm], keys: keys.verification },
    local: createLocalSignIn({ database, secrets, clock, publicUrl: origin }),
    flowKey: secrets.derive("sign-in-flow"),
    provider: (pages) => createEmbeddedProvider({
      origin, keys, clock, log, database, appender, browserSecret, scopes, pages, ...createAccounts({ database, clock }),
      adapter: createAdapter({ database, clock, referenceKey: secrets.derive("oidc-references") }),
      cookieKeys: [secrets.derive("oidc-cookies").toString("base64url")],
    }),
    party: (inProcess) => createRelyingParty([
      ...(config.localSignIn ? [{ issuer, label: "QL-RF", clientId: browserClient, clientSecret: browserSecret, fetch: inProcess, parameters: { prompt: "login" } }] : []),
      ...config.jwtIssuers.flatMap(({ issuer: other, label, client }) => (client === undefined ? [] : [{
        issuer: other, label: label ?? new URL(other).host, clientId: client.id, fetch: fetchThrough(http),
        ...(client.secret !== undefined && { clientSecret: client.secret }),
      }])),
    ], { clock }),
  };
}
