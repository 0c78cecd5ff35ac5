import type { TokenClaims } from "../../../platform/identity/claims.ts";
import { randomText, type Random } from "../../../platform/identity/tokens.ts";

const longest = 60;

/** The login names to try for a new user, in order; a name that somebody has already never becomes theirs. */
export function* loginNames(claims: Pick<TokenClaims, "username" | "email" | "subject">, random?: Random): Generator<string> {
  const name = [claims.username, claims.email, claims.subject].map(safe).find((one) => one !== "") ?? "user";
  yield name;
  for (let attempt = 0; attempt < 5; attempt++) yield `${name}-${randomText(8, random)}`;
}

/** Letters without their accents, digits and `._@+-`, as the schema LoginName has it. */
function safe(text: string | undefined): string {
  return (text ?? "").normalize("NFKD").replaceAll(/\p{M}/gu, "").replaceAll(/[^A-Za-z0-9._@+-]+/g, "-")
    .replace(/^[^A-Za-z0-9]+/, "").slice(0, longest).replace(/-+$/, "");
}
