import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { newSessionToken } from "../../../platform/identity/tokens.ts";
import { operation } from "../../../platform/operation/index.ts";
import { refuseClosed } from "../../../platform/operation/closed.ts";
import { eventOf } from "../caller.ts";
import { IdTokenRefused } from "../errors.ts";
import { SessionCreated } from "../sign-in-events.ts";
import { insertIssuedSession, spendIdToken } from "../external-store.ts";
import { entrantOf, ownSignInBegan } from "../external-views.ts";
import { OrganizationId, orgTypeId, orgUuid, sessionTypeId, userTypeId } from "../ids.ts";
import { DoorOrCli, NewSession } from "../schemas.ts";
import { sessionLifetimeMs } from "../sessions.ts";

export const exchangeToken = operation({
  id: "sessions.exchange",
  http: "POST /api/v1/sessions/exchange",
  summary: "Sign in with an ID token of an issuer that signs people in here",
  description: "The token was issued to this platform's client less than five minutes ago, and is good once. Answers the session's token once: a bearer token for the door `cli`, the value of the session cookie for `browser`.",
  permission: "public",
  reason: "nobody is signed in before they sign in",
  effect: "change",
  answersSecret: true,
  without: { mcp: "a program is given an API key, not a person's session", cli: "`qinfra login` gets the token of the issuer, and keeps the session" },
  database: "system",
  input: Type.Object({
    idToken: Type.String({ minLength: 1, maxLength: 8192, writeOnly: true, description: "As the issuer signed it" }),
    door: DoorOrCli,
    organization: Type.Optional(OrganizationId),
  }),
  output: NewSession,
  errors: [IdTokenRefused],
  creates: true,
  examples: [{ input: { idToken: "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2lzc3Vlci5leGFtcGxlIn0.c2lnbmF0dXJl", door: "cli" } }],
  async prepare(context, input) {
    return (await context.identify(input.idToken)) ?? refuse();
  },
  async handle(context, input, person) {
    const { db, clock } = context;
    const door = input.door ?? "cli";
    const at = timestamp(clock);
    const { userId, secondFactor } = person;
    const began = person.own === undefined ? clock.now() : ((await ownSignInBegan(db, { ...person.own, userId, secondFactor, at })) ?? refuse());
    const entrant = (await entrantOf(db, person.userId, input.organization === undefined ? null : orgUuid(input.organization))) ?? refuse();
    refuseClosed(entrant.closes);
    if (!(await spendIdToken(db, { digest: person.digest, userId: person.userId, at, until: new Date(person.until).toISOString() }))) refuse();
    const { token, hash } = newSessionToken();
    const id = context.ids.uuid();
    const expiresAt = new Date(clock.now() + sessionLifetimeMs[door]).toISOString();
    const mustChange = person.issuer === "local" && entrant.one_time;
    const confirmedAt = person.confirmedAt === undefined ? null : new Date(Math.min(person.confirmedAt, clock.now())).toISOString();
    await insertIssuedSession(db, {
      id, hash, userId: person.userId, orgId: entrant.org_id, door, mustChange, at, expiresAt, issuer: person.issuer, secondFactor: person.secondFactor, confirmedAt,
      beganAt: new Date(Math.min(began, clock.now())).toISOString(),
    });
    await context.events.append(eventOf(entrant.org_id, {
      type: SessionCreated, subject: sessionTypeId(id),
      data: { user: userTypeId(person.userId), door, mustChangePassword: mustChange, issuer: person.issuer, secondFactor: person.secondFactor },
    }));
    return { token, session: sessionTypeId(id), user: userTypeId(person.userId), organization: orgTypeId(entrant.org_id), expiresAt, mustChangePassword: mustChange };
  },
});

/** The same whatever is wrong, so that nothing is learnt from it. */
function refuse(): never {
  fail(IdTokenRefused, "The ID token is not accepted here: it was used before, is older than five minutes, or nobody here is meant by it. Sign in again, or ask an administrator.");
}
