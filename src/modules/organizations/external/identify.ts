import type { Database } from "../../../platform/database/database.ts";
import type { VerifyIdToken } from "../../../platform/identity/id-token.ts";
import { fromTypeId } from "../../../platform/ids.ts";
import type { Identify } from "../../../platform/operation/services.ts";
import { userOfIdentity } from "../external-views.ts";
import { localIssuer } from "../store.ts";
import type { SettleClaims } from "./settle.ts";

/** Says whom an ID token means. The subject of the platform's own provider is the user's id. */
export function createIdentify(ports: { database: Database; verifyIdToken: VerifyIdToken; settleClaims: SettleClaims }): Identify {
  return async (idToken) => {
    const claims = await ports.verifyIdToken(idToken);
    // A program has no session: it comes with a token of its own each time.
    if (claims === undefined || (claims.service && !claims.own)) return undefined;
    await ports.settleClaims(claims);
    const { own, issuer, subject, secondFactor = false, authenticatedAt, issuedAt, session, digest, until } = claims;
    const userId = own ? fromTypeId("usr", subject) : await ports.database.lookup((db) => userOfIdentity(db, issuer, subject));
    if (userId === undefined) return undefined;
    return {
      userId, issuer: own ? localIssuer : issuer, secondFactor, digest, until: until * 1000,
      ...(secondFactor && authenticatedAt !== undefined && { confirmedAt: authenticatedAt * 1000 }),
      ...(own && { own: { authenticatedAt: (authenticatedAt ?? issuedAt) * 1000, ...(session !== undefined && { session }) } }),
    };
  };
}
