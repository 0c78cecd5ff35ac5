import type { EventEmitter } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Provider, type KoaContextWithOIDC } from "oidc-provider";
import type { Logger } from "pino";
import type { Clock } from "../../../platform/clock.ts";
import { createLru } from "../../../platform/identity/lru.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import { browserClient } from "./clients.ts";
import { keepConsent, type ConsentPorts } from "./consents.ts";
import { acrOf, providerConfiguration, sessionIn, sessionCookie, stepCookie, type ConfigurationPorts } from "./configuration.ts";
import type { ProviderKeys } from "./keys.ts";

/** What the provider asks of the person in this browser. */
export interface Interaction {
  uid: string;
  prompt: "login" | "consent";
  /** `here`: the platform's own pages ask, for a session of the platform. All others need one that is there. */
  client: { name: string; here: boolean };
  /** What another application asks for and was not allowed before. */
  scopes: readonly string[];
  /** Where the answer goes; absent for a device. */
  redirectUri?: string;
  /** Where the sign-in page leads afterwards. */
  next?: string;
  /** Account whose password was right a moment ago, and the challenge for its passkeys. */
  passed?: { userId: string; at: number; challenge?: string };
}

export interface Login {
  accountId: string;
  /** RFC 8176: `pwd`, `otp`, `hwk`, `mfa`. */
  amr: readonly string[];
  /** Seconds since 1970; now, where it is absent. */
  at?: number;
  /** UUID of the session of the platform that stands for the person. */
  session?: string;
}

export interface EmbeddedProvider {
  issuer: string;
  /** Permissions that another application may be given. */
  scopes: readonly string[];
  /** Names of the cookies that a browser keeps after a sign-in, and of those that it keeps for one page of one. */
  cookies: { session: readonly string[]; step: readonly string[] };
  /** The platform's session behind a session cookie. */
  sessionOf: ConfigurationPorts["sessionOf"];
  /** What answers requests below /oidc, each with the address that it came from. */
  respond(): Promise<(request: IncomingMessage, response: ServerResponse, address: string) => Promise<void>>;
  /** Undefined where there is none in this browser, or no longer. */
  interaction(request: IncomingMessage, response: ServerResponse): Promise<Interaction | undefined>;
  /** Notes whose password was right, while the second factor is still to come; undefined begins anew. */
  passed(request: IncomingMessage, response: ServerResponse, userId: string | undefined): Promise<void>;
  /** Notes the challenge for a passkey, so that a page that is loaded again asks for the same. */
  challenged(request: IncomingMessage, response: ServerResponse, challenge: string): Promise<void>;
  /** Each answers the address at which the flow goes on. */
  signedIn(request: IncomingMessage, response: ServerResponse, login: Login): Promise<string>;
  allow(request: IncomingMessage, response: ServerResponse, requestId: string): Promise<string>;
  refuse(request: IncomingMessage, response: ServerResponse): Promise<string>;
  /** Ends the provider's session of this browser, and what was given to applications under it. */
  signOut(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

export interface ProviderPorts extends Omit<ConfigurationPorts, "keys" | "secure">, ConsentPorts {
  keys: ProviderKeys;
  clock: Clock;
  log: Logger;
}

type Details = Awaited<ReturnType<Provider["interactionDetails"]>>;

const pollSeconds = 5;
/** Clocks and networks are not that exact. */
const pollSlackMs = 500;

/** oidc-provider behind /oidc, made anew when its keys change. */
export function createEmbeddedProvider(ports: ProviderPorts): EmbeddedProvider {
  const { origin, keys, clock, log } = ports;
  const issuer = `${origin}/oidc`;
  const secure = origin.startsWith("https:");
  const known = new Set(["openid", "profile", "email", ...ports.scopes]);
  const polls = createLru<{ at: number; seconds: number }>(10_000);
  let made: { version: string; provider: Provider; answer: ReturnType<Provider["callback"]> } | undefined;

  async function current(): Promise<NonNullable<typeof made>> {
    const set = await keys.current();
    if (made?.version === set.version) return made;
    const provider = new Provider(issuer, providerConfiguration({ ...ports, keys: set.keys, secure }));
    // What the request says of itself was judged before it came here; see `told`.
    provider.proxy = true;
    provider.use(async (ctx, next) => {
      await next();
      afterwards(ctx as unknown as KoaContextWithOIDC);
    });
    const failed = (error: unknown): void => log.error({ err: error }, "the OIDC provider failed");
    provider.on("server_error", (_ctx, error) => failed(error));
    (provider as EventEmitter).on("error", failed);
    made = { version: set.version, provider, answer: provider.callback() };
    return made;
  }

  /** Device flow (RFC 8628): the short address, and who asks too often is told to slow down (3.5). */
  function afterwards(ctx: KoaContextWithOIDC): void {
    const body = ctx.body as Record<string, unknown> | null | undefined;
    if (ctx.path === "/device/auth" && typeof body?.["user_code"] === "string") {
      const query = new URLSearchParams({ user_code: body["user_code"] }).toString();
      ctx.body = { ...body, verification_uri: `${origin}/device`, verification_uri_complete: `${origin}/device?${query}`, interval: pollSeconds };
    }
    if (ctx.path !== "/token" || body?.["error"] !== "authorization_pending") return;
    const key = tokenHash(String(ctx.oidc.params?.["device_code"])).toString("base64url");
    const now = clock.now();
    const poll = polls.get(key, now) ?? { at: Number.NEGATIVE_INFINITY, seconds: pollSeconds };
    const early = now - poll.at < poll.seconds * 1000 - pollSlackMs;
    polls.set(key, { at: now, seconds: poll.seconds + (early ? 5 : 0) }, now + 3_600_000);
    if (early) ctx.body = { error: "slow_down", error_description: "wait five seconds longer between two requests" };
  }

  /** The request as it was under the platform's own address, whatever host and headers brought it here. */
  function told({ headers }: IncomingMessage, address = "local"): IncomingMessage["headers"] {
    const { host, protocol } = new URL(origin);
    return { ...headers, host, "x-forwarded-host": host, "x-forwarded-proto": protocol.slice(0, -1), "x-forwarded-for": address };
  }

  /** For the provider's eyes only: who asks it about a request still judges that as it came. */
  function seen(request: IncomingMessage): IncomingMessage {
    return Object.create(request, { headers: { value: told(request) } }) as IncomingMessage;
  }

  async function details(request: IncomingMessage, response: ServerResponse): Promise<Details | undefined> {
    const { provider } = await current();
    try {
      return await provider.interactionDetails(seen(request), response);
    } catch (error) {
      if ((error as Error).name === "SessionNotFound") return undefined;
      throw error;
    }
  }

  async function required(request: IncomingMessage, response: ServerResponse): Promise<Details> {
    const found = await details(request, response);
    if (found === undefined) throw new Error("the interaction ended in between");
    return found;
  }

  async function saved(found: Details, result: Details["result"]): Promise<string> {
    found.result = result;
    await found.save(Math.max(1, found.exp - Math.floor(clock.now() / 1000)));
    // Without the host: a browser stays at the name of this machine that it came by.
    return found.returnTo.slice(origin.length);
  }

  return {
    issuer, scopes: ports.scopes, cookies: { session: withSignature(sessionCookie(secure)), step: withSignature(stepCookie(secure)) }, sessionOf: ports.sessionOf,
    async respond() {
      const { answer } = await current();
      return async (request, response, address) => {
        const whole = request.url ?? "/";
        Object.defineProperty(request, "headers", { value: told(request, address) });
        Object.assign(request, { originalUrl: whole, url: whole.slice("/oidc".length) || "/" });
        await answer(request, response);
      };
    },
    async interaction(request, response) {
      const found = await details(request, response);
      if (found === undefined) return undefined;
      const { provider } = await current();
      const { uid, prompt, params } = found;
      const client = await provider.Client.find(String(params["client_id"]));
      const { missingOIDCScope = [], missingResourceScopes = {} } = prompt.details as { missingOIDCScope?: string[]; missingResourceScopes?: Record<string, string[]> };
      const passed = passedIn(found);
      const { redirect_uri: redirectUri, next } = params;
      return {
        uid, prompt: prompt.name === "consent" ? "consent" : "login",
        client: { name: client?.clientName ?? String(params["client_id"]), here: client?.clientId === browserClient },
        scopes: [...missingOIDCScope, ...Object.values(missingResourceScopes).flat()],
        ...(typeof redirectUri === "string" && { redirectUri }),
        ...(typeof next === "string" && { next }),
        ...(passed !== undefined && { passed }),
      };
    },
    async passed(request, response, userId) {
      const found = await required(request, response);
      await saved(found, { ...found.lastSubmission, ...(userId !== undefined && { passed: { userId, at: clock.now() } }) });
    },
    async challenged(request, response, challenge) {
      const found = await required(request, response);
      const passed = passedIn(found);
      if (passed !== undefined) await saved(found, { ...found.result, passed: { ...passed, challenge } });
    },
    async signedIn(request, response, { accountId, amr, at, session: behind }) {
      const found = await required(request, response);
      const { session } = found;
      if (session !== undefined && session.accountId !== accountId) {
        // Somebody else was here: nothing of that session goes over to this person.
        const { provider } = await current();
        await (await provider.Session.findByUid(session.uid))?.destroy();
        delete (found as { session?: unknown }).session;
      }
      return saved(found, { ...found.lastSubmission, login: { accountId, amr: [...amr], ...(behind !== undefined && { acr: acrOf(behind) }), remember: true, ts: at ?? Math.floor(clock.now() / 1000) } });
    },
    async allow(request, response, requestId) {
      const { provider } = await current();
      const found = await required(request, response);
      const { prompt, params, session, grantId } = found;
      const accountId = session?.accountId;
      if (accountId === undefined) throw new Error("nobody is signed in who could allow it");
      const grant = (grantId === undefined ? undefined : await provider.Grant.find(grantId)) ?? new provider.Grant({ accountId, clientId: String(params["client_id"]) });
      const { missingOIDCScope, missingResourceScopes = {} } = prompt.details as { missingOIDCScope?: string[]; missingResourceScopes?: Record<string, string[]> };
      if (missingOIDCScope !== undefined) grant.addOIDCScope(missingOIDCScope);
      for (const [resource, scopes] of Object.entries(missingResourceScopes)) grant.addResourceScope(resource, scopes);
      const behind = sessionIn(session?.acr);
      const scopes = [grant.openid, ...Object.values(grant.resources ?? {})].flatMap((granted) => (typeof granted === "string" ? granted : granted?.scope ?? "").split(" ")).filter((scope) => known.has(scope));
      const consent = { accountId, application: String(params["client_id"]), scopes: [...new Set(scopes)].sort(), requestId, ...(behind !== undefined && { session: behind }) };
      return saved(found, { ...found.lastSubmission, consent: { grantId: await keepConsent(ports, consent, () => grant.save()) } });
    },
    async refuse(request, response) {
      return saved(await required(request, response), { error: "access_denied", error_description: "the person refused" });
    },
    async signOut(request, response) {
      const { provider } = await current();
      const session = await provider.Session.get(provider.createContext(seen(request), response));
      if (session.accountId === undefined) return;
      for (const authorization of Object.values(session.authorizations ?? {})) {
        const { grantId } = authorization;
        if (grantId === undefined) continue;
        for (const model of [provider.AccessToken, provider.AuthorizationCode, provider.RefreshToken, provider.DeviceCode]) await model.revokeByGrantId(grantId);
        await provider.Grant.adapter.destroy(grantId);
      }
      await session.destroy();
    },
  };
}

function passedIn({ result }: Details): Interaction["passed"] {
  return (result as { passed?: Interaction["passed"] } | undefined)?.passed;
}

function withSignature(cookie: string): string[] {
  return [cookie, `${cookie}.sig`];
}
