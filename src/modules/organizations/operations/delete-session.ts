import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail, PasswordChangeRequired } from "../../../platform/errors.ts";
import { operation } from "../../../platform/operation/index.ts";
import { eventOf, personOf } from "../caller.ts";
import { PersonNeeded, SessionNotFound } from "../errors.ts";
import { SessionRevoked } from "../sign-in-events.ts";
import { SessionId, sessionTypeId, sessionUuid, userTypeId } from "../ids.ts";
import { revokeSession } from "../store.ts";

export const deleteSession = operation({
  id: "sessions.delete",
  http: "DELETE /api/v1/sessions/{id}",
  cli: { name: "sessions delete", positional: ["id"] },
  summary: "Sign out: end the current session, or another of your own",
  permission: "self",
  reason: "everybody may end their own sessions",
  effect: "change",
  afterOneTimePassword: true,
  without: { mcp: "a program has no session of its own" },
  database: "system",
  input: Type.Object({ id: Type.Union([Type.Literal("current"), SessionId], { description: "`current` is the session that asks" }) }),
  output: Type.Object({ id: SessionId }),
  errors: [SessionNotFound, PersonNeeded],
  examples: [{ input: { id: "current" } }],
  async handle(context, input) {
    const userId = personOf(context.actor);
    const id = input.id === "current" ? context.actor.sessionId : sessionUuid(input.id);
    if (context.actor.mustChangePassword && id !== context.actor.sessionId) {
      fail(PasswordChangeRequired, "After a one-time password you can end this session only, or set a new password: run `qinfra login`.");
    }
    const orgId = id === undefined ? undefined : await revokeSession(context.db, userId, id, timestamp(context.clock));
    if (id === undefined || orgId === undefined) fail(SessionNotFound, "You have no such session, or it is over already.");
    await context.events.append(eventOf(orgId, { type: SessionRevoked, subject: sessionTypeId(id), data: { user: userTypeId(userId) } }));
    return { id: sessionTypeId(id) };
  },
});
