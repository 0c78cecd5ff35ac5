import { errors, interactionPolicy, type Adapter, type Configuration, type JWK, type KoaContextWithOIDC } from "oidc-provider";
import type { Account } from "oidc-provider";
import { fromTypeId } from "../../../platform/ids.ts";
import { sessionCookieName } from "../../../platform/identity/cookies.ts";
import { isOurs, namesOf, ownClients } from "./clients.ts";
import { providerAlgorithm } from "./keys.ts";

/** What the device pages show of who asks: as the device sent it. */
export interface DeviceAsked {
  clientName: string;
  userCode: string;
  address: string;
  agent: string;
}

/** The pages that the provider shows by itself. `xsrf` goes into the field of that name. */
export interface ProviderPages {
  deviceCode(form: { action: string; xsrf: string; userCode: string; problem?: "missing" | "unknown" | "expired" | "used" | "failed" }): string;
  deviceConfirm(form: { action: string; xsrf: string; device: DeviceAsked }): string;
  deviceDone(how: { state: "allowed" | "refused"; clientName?: string }): string;
  failed(what: { error: string; description: string; status: number }): string;
}

/** The session of the platform that a browser carries. */
export interface PlatformSession {
  /** UUID. */
  id: string;
  /** TypeID of the user, the provider's account id. */
  accountId: string;
  secondFactor: boolean;
  /** Seconds since 1970: when the second factor was given last, or else when the session began. */
  at: number;
}

export interface ConfigurationPorts {
  origin: string;
  /** Private JWKs, the one that signs first. */
  keys: readonly JWK[];
  adapter: (model: string) => Adapter;
  cookieKeys: readonly string[];
  browserSecret: string;
  secure: boolean;
  /** Permissions that another application may be given. */
  scopes: readonly string[];
  pages: ProviderPages;
  account(accountId: string): Promise<{ name: string; displayName: string; email?: string } | undefined>;
  /** By the value of the session cookie. */
  sessionOf(token: string): Promise<PlatformSession | undefined>;
}

export function sessionCookie(secure: boolean): string {
  return secure ? "__Host-qinfra-oidc" : "qinfra-oidc";
}

export function stepCookie(secure: boolean): string {
  return secure ? "__Secure-qinfra-oidc-step" : "qinfra-oidc-step";
}

const minute = 60;
const hour = 60 * minute;

export function providerConfiguration(ports: ConfigurationPorts): Configuration {
  const { origin, secure, pages } = ports;
  const prefix = secure ? "__Secure-" : "";
  const cookie = { httpOnly: true, sameSite: "lax", signed: true, secure } as const;
  return {
    adapter: ports.adapter,
    jwks: { keys: ports.keys },
    clients: ownClients(origin, ports.browserSecret),
    clientDefaults: { grant_types: ["authorization_code", "refresh_token"], response_types: ["code"], token_endpoint_auth_method: "none", id_token_signed_response_alg: providerAlgorithm },
    responseTypes: ["code"],
    clientAuthMethods: ["none", "client_secret_post"],
    enabledJWA: { idTokenSigningAlgValues: [providerAlgorithm], userinfoSigningAlgValues: [providerAlgorithm] },
    scopes: ["openid", "profile", "email"],
    // Where the page leads afterwards, for the buttons of other issuers on it.
    extraParams: ["next"],
    claims: { openid: ["sub", "amr", "session"], profile: ["name", "preferred_username"], email: ["email"], auth_time: null, iss: null, sid: null, acr: null },
    pkce: { required: () => true },
    cookies: {
      keys: [...ports.cookieKeys],
      names: { session: sessionCookie(secure), interaction: stepCookie(secure), resume: `${prefix}qinfra-oidc-resume` },
      long: { ...cookie, path: "/" }, short: cookie,
    },
    ttl: {
      AccessToken: hour, AuthorizationCode: minute, DeviceCode: 10 * minute, Grant: 12 * hour, IdToken: 5 * minute, Interaction: hour,
      RefreshToken: 12 * hour, Session: (_ctx, session) => (session.accountId === undefined ? 15 * minute : 12 * hour),
    },
    clientBasedCORS: () => false,
    features: {
      devInteractions: { enabled: false }, dPoP: { enabled: false }, pushedAuthorizationRequests: { enabled: false }, rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: true }, revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: resources(ports),
      deviceFlow: {
        enabled: true, charset: "base-20", mask: "****-****",
        deviceInfo: (ctx) => ({ address: ctx.ip, agent: ctx.get("user-agent").slice(0, 200) }),
        userCodeInputSource: (ctx, _form, _out, error) => showDeviceCode(ctx, pages, error),
        userCodeConfirmSource(ctx, _form, client, info, userCode) {
          const { address, agent } = info as { address?: string; agent?: string };
          ctx.body = pages.deviceConfirm({
            action: "/oidc/device", xsrf: xsrfOf(ctx), device: { clientName: client.clientName ?? client.clientId, userCode, address: address ?? "", agent: agent ?? "" },
          });
        },
        successSource(ctx) {
          ctx.body = pages.deviceDone({ state: "allowed", ...(ctx.oidc.client?.clientName !== undefined && { clientName: ctx.oidc.client.clientName }) });
        },
      },
    },
    interactions: { policy: policyOf(ports), url: (_ctx, { uid, prompt }) => (prompt.name === "consent" ? `/consent/${uid}` : `/sign-in/${uid}`) },
    async findAccount(_ctx, accountId, token): Promise<Account | undefined> {
      const found = await ports.account(accountId);
      const { clientId, acr } = (token ?? {}) as { clientId?: string; acr?: string };
      const session = isOurs(clientId) ? sessionIn(acr) : undefined;
      return found && {
        accountId,
        claims: () => ({ sub: accountId, name: found.displayName, preferred_username: found.name, ...(found.email !== undefined && { email: found.email }), ...(session !== undefined && { session }) }),
      };
    },
    loadExistingGrant,
    extraTokenClaims(ctx, token) {
      const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
      const source = AuthorizationCode ?? RefreshToken;
      if (token.kind !== "AccessToken" || source === undefined) return undefined;
      return { user: fromTypeId("usr", token.accountId), session: sessionIn(source.acr) };
    },
    // Whatever was given to an application is renewed while the person's session lasts, and over with it.
    issueRefreshToken: (_ctx, client) => client.grantTypeAllowed("refresh_token"),
    expiresWithSession: () => true,
    renderError(ctx, out) {
      ctx.type = "html";
      ctx.body = pages.failed({ error: out.error, description: out.error_description ?? "", status: ctx.status });
    },
  };
}

/** The class of an authentication (acr) names the session of the platform behind it: with that, what was given under it ends. */
export function acrOf(sessionId: string): string {
  return `${acrPrefix}${sessionId}`;
}
const acrPrefix = "urn:qinfra:session:";

/** UUID of that session. */
export function sessionIn(acr: string | undefined): string | undefined {
  return acr?.startsWith(acrPrefix) === true ? acr.slice(acrPrefix.length) : undefined;
}

/** Nobody is asked whether the platform may have what is the platform's. */
async function loadExistingGrant(ctx: KoaContextWithOIDC) {
  const { client, session, result, provider, params } = ctx.oidc;
  if (client === undefined || session === undefined) return undefined;
  const known = result?.consent?.grantId ?? session.grantIdFor(client.clientId);
  const found = known === undefined ? undefined : await provider.Grant.find(known);
  if (found !== undefined && found.accountId === session.accountId) return found;
  if (!isOurs(client.clientId) || session.accountId === undefined) return undefined;
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope(String(params?.["scope"] ?? "openid"));
  await grant.save();
  return grant;
}

/** The session of the platform says who is here: with it over, the provider's own counts for nothing. */
function policyOf({ sessionOf, secure }: ConfigurationPorts): interactionPolicy.Prompt[] {
  const { Check, base } = interactionPolicy;
  const policy = base();
  policy.get("login")?.checks.add(new Check("platform_session", "the platform's session is over", "login_required", async (ctx) => {
    const { session, result } = ctx.oidc;
    if (session?.accountId === undefined || result?.login !== undefined) return Check.NO_NEED_TO_PROMPT;
    const token = ctx.cookies.get(sessionCookieName(secure), { signed: false });
    const here = token === undefined ? undefined : await sessionOf(token);
    return here?.accountId === session.accountId && sessionIn(session.acr) === here?.id ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  }));
  const consent = policy.get("consent");
  consent?.checks.remove("native_client_prompt");
  consent?.checks.add(new Check("other_application", "another application asks", "consent_required", (ctx) => {
    const { client, result } = ctx.oidc;
    return isOurs(client?.clientId) || result?.consent !== undefined ? Check.NO_NEED_TO_PROMPT : Check.REQUEST_PROMPT;
  }));
  return policy;
}

/** The platform is one resource, by the address of its API or of its MCP door (RFC 8707). */
function resources({ origin, scopes }: ConfigurationPorts): NonNullable<NonNullable<Configuration["features"]>["resourceIndicators"]> {
  const names: ReadonlySet<string> = new Set(namesOf(origin).flatMap((name) => [name, `${name}/`, `${name}/mcp`]));
  return {
    enabled: true,
    defaultResource: (_ctx, client, oneOf) => oneOf ?? (isOurs(client.clientId) ? undefined : origin),
    useGrantedResource: () => true,
    getResourceServerInfo(_ctx, indicator) {
      if (!names.has(indicator)) throw new errors.InvalidTarget();
      return { scope: scopes.join(" "), audience: origin, accessTokenFormat: "opaque", accessTokenTTL: hour };
    },
  };
}

function xsrfOf(ctx: KoaContextWithOIDC): string {
  return String((ctx.oidc.session?.state as { secret?: unknown } | undefined)?.secret ?? "");
}

function showDeviceCode(ctx: KoaContextWithOIDC, pages: ProviderPages, error: Error | undefined): void {
  const typed = (error as { userCode?: unknown } | undefined)?.userCode ?? ctx.query["code"];
  const form = { action: "/oidc/device", xsrf: xsrfOf(ctx), userCode: typeof typed === "string" ? typed.slice(0, 20) : "" };
  if (error === undefined) {
    ctx.body = pages.deviceCode(form);
    return;
  }
  if (error.name === "AbortedError") {
    ctx.body = pages.deviceDone({ state: "refused" });
    return;
  }
  const problem = { NoCodeError: "missing", NotFoundError: "unknown", ExpiredError: "expired", AlreadyUsedError: "used" } as const;
  if (ctx.status < 400) ctx.status = 400;
  ctx.body = pages.deviceCode({ ...form, problem: problem[error.name as keyof typeof problem] ?? "failed" });
}
