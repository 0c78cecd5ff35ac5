import type { Config } from "../platform/config.ts";
import type { OwnIssuer } from "../platform/identity/id-token.ts";
import type { SignInOptions } from "../platform/operation/services.ts";
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
