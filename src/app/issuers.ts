import type { Clock } from "../platform/clock.ts";
import type { Config } from "../platform/config.ts";
import type { HttpClient } from "../platform/http-client/types.ts";
import type { OwnIssuer } from "../platform/identity/id-token.ts";
import type { SignInOptions } from "../platform/operation/services.ts";
import type { Check } from "./checks.ts";
import { cliClient, type IssuerRoles } from "../modules/organizations/index.ts";

/** A command line keeps no secret, so that it signs in where none is asked for. */
export function signInOptionsOf({ jwtIssuers, localSignIn }: Pick<Config, "jwtIssuers" | "localSignIn">, own: Pick<OwnIssuer, "issuer">): SignInOptions {
  const others = jwtIssuers.flatMap(({ issuer, label, client }) => (client === undefined || client.secret !== undefined ? [] : [{ issuer, label: label ?? new URL(issuer).host, clientId: client.id, local: false }]));
  return { issuers: [{ issuer: own.issuer, label: "QL-RF", clientId: cliClient, local: true }, ...others], passwords: localSignIn };
}

/** The issuers whose claims make memberships. */
export function rolesOf({ jwtIssuers }: Pick<Config, "jwtIssuers">): IssuerRoles[] {
  return jwtIssuers.flatMap(({ issuer, roles }) => (roles === undefined ? [] : [{ issuer, map: roles.map, organization: roles.organization }]));
}

const keptMs = 5_000;

/** Of each external issuer whether its keys can be read, asked every few seconds at most. */
export function issuerChecks({ jwtIssuers }: Pick<Config, "jwtIssuers">, { http, clock }: { http: HttpClient; clock: Clock }): Record<string, Check> {
  return Object.fromEntries(jwtIssuers.map(({ issuer, jwksUrl }) => {
    let last: { at: number; answer: Promise<string> } | undefined;
    return [`issuer ${new URL(jwksUrl).host}`, () => {
      if (last === undefined || clock.now() - last.at >= keptMs) last = { at: clock.now(), answer: read(issuer, jwksUrl, http) };
      return last.answer;
    }];
  }));
}

async function read(issuer: string, jwksUrl: string, http: HttpClient): Promise<string> {
  const degraded = `the keys of ${issuer} cannot be read; whoever comes with a new token of it waits`;
  try {
    const { status, body } = await http.request({ url: jwksUrl, timeoutMs: 2_000, maxBytes: 256 * 1024, attempts: 1 });
    const { keys } = JSON.parse(Buffer.from(body).toString("utf8")) as { keys?: unknown };
    return status === 200 && Array.isArray(keys) ? "ok" : degraded;
  } catch {
    return degraded;
  }
}
