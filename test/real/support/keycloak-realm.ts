import { generateKeyPairSync, type KeyObject } from "node:crypto";
import { decodeProtectedHeader, SignJWT, type JWTPayload } from "jose";
import { formPost, type Keycloak } from "./keycloak.ts";

export const audience = "qinfra-api";
export const password = "a password at Keycloak";
/** Secret of the clients `ci` and `stranger`. */
const secret = "a secret of the tests";

/** A realm of Keycloak, whose signing key we know: what it would never sign, such as a token that is over, we sign. */
export interface Realm {
  issuer: string;
  /** An access token by client credentials: of `ci`, or of `stranger`, whose tokens are for others. */
  clientToken(client?: "ci" | "stranger"): Promise<string>;
  /** Signed with the realm's key, as its access tokens are, but for what is said. */
  forged(claims: JWTPayload, options?: { alg?: string; key?: KeyObject | Uint8Array; kid?: string; endless?: boolean }): Promise<string>;
  publicKeyPem: string;
  setGroups(username: string, groups: readonly string[]): Promise<void>;
  /** A new key signs, and the one before is gone at once. */
  rotate(): Promise<void>;
}

export async function createRealm(keycloak: Keycloak, realm: string, redirectUri: string): Promise<Realm> {
  const first = generateKeyPairSync("rsa", { modulusLength: 2048 });
  await keycloak.admin("POST", "", realmOf(realm, redirectUri));
  const firstId = await addKey(first.privateKey, 200);
  const issuer = `${keycloak.url}/realms/${realm}`;
  const kid = decodeProtectedHeader(await clientToken()).kid as string;

  async function addKey(key: KeyObject, priority: number): Promise<string> {
    const name = `key-${priority}`;
    await keycloak.admin("POST", `/${realm}/components`, {
      name, providerId: "rsa", providerType: "org.keycloak.keys.KeyProvider",
      config: { priority: [String(priority)], enabled: ["true"], active: ["true"], algorithm: ["RS256"], privateKey: [key.export({ type: "pkcs8", format: "pem" }) as string] },
    });
    const [component] = await keycloak.admin<{ id: string }[]>("GET", `/${realm}/components?name=${name}`);
    if (component === undefined) throw new Error("the key that was added is not there");
    return component.id;
  }

  async function clientToken(client = "ci"): Promise<string> {
    const { access_token: token } = await formPost<{ access_token: string }>(`${keycloak.url}/realms/${realm}/protocol/openid-connect/token`, { grant_type: "client_credentials", client_id: client, client_secret: secret });
    return token;
  }

  return {
    issuer, clientToken,
    publicKeyPem: first.publicKey.export({ type: "spki", format: "pem" }) as string,
    forged: (claims, { alg = "RS256", key = first.privateKey, kid: named = kid, endless = false } = {}) => {
      const seconds = Math.floor(Date.now() / 1000);
      return new SignJWT({ iss: issuer, aud: audience, sub: "forged", typ: "Bearer", iat: seconds, ...(endless ? {} : { exp: seconds + 3600 }), groups: ["viewers"], ...claims }).setProtectedHeader({ alg, kid: named, typ: "JWT" }).sign(key);
    },
    async setGroups(username, groups) {
      const [user] = await keycloak.admin<{ id: string }[]>("GET", `/${realm}/users?exact=true&username=${username}`);
      if (user === undefined) throw new Error(`Keycloak has no user ${username}`);
      const all = await keycloak.admin<{ id: string; name: string }[]>("GET", `/${realm}/groups`);
      const had = await keycloak.admin<{ id: string; name: string }[]>("GET", `/${realm}/users/${user.id}/groups`);
      for (const { id, name } of had) if (!groups.includes(name)) await keycloak.admin("DELETE", `/${realm}/users/${user.id}/groups/${id}`);
      for (const { id, name } of all) if (groups.includes(name)) await keycloak.admin("PUT", `/${realm}/users/${user.id}/groups/${id}`);
    },
    async rotate() {
      await addKey(generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey, 300);
      await keycloak.admin("DELETE", `/${realm}/components/${firstId}`);
    },
  };
}

/** Groups in both kinds of tokens; the audience of the API in access tokens alone. */
const mappers = [
  { name: "groups", protocol: "openid-connect", protocolMapper: "oidc-group-membership-mapper", config: { "claim.name": "groups", "full.path": "false", "id.token.claim": "true", "access.token.claim": "true" } },
  { name: "audience", protocol: "openid-connect", protocolMapper: "oidc-audience-mapper", config: { "included.custom.audience": audience, "id.token.claim": "false", "access.token.claim": "true" } },
];

function realmOf(realm: string, redirectUri: string): object {
  const machine = { enabled: true, secret, serviceAccountsEnabled: true, standardFlowEnabled: false, publicClient: false };
  const person = (username: string, groups: string[]) => ({
    username, enabled: true, email: `${username}@example.org`, emailVerified: true, firstName: username, lastName: "Example", groups,
    credentials: [{ type: "password", value: password, temporary: false }],
  });
  return {
    realm, enabled: true, sslRequired: "none",
    groups: [{ name: "operators" }, { name: "viewers" }, { name: "admins" }],
    users: [
      person("ada", ["operators"]), person("bob", ["viewers"]), person("eve", []),
      { username: "service-account-ci", enabled: true, serviceAccountClientId: "ci", groups: ["viewers"] },
    ],
    clients: [
      {
        clientId: "qinfra", enabled: true, publicClient: true, standardFlowEnabled: true, redirectUris: [redirectUri], protocolMappers: mappers,
        attributes: { "pkce.code.challenge.method": "S256", "oauth2.device.authorization.grant.enabled": "true", "oauth2.device.polling.interval": "1" },
      },
      { clientId: "ci", ...machine, protocolMappers: mappers },
      { clientId: "stranger", ...machine },
    ],
  };
}
