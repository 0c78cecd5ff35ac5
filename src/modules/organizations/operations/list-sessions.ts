import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { personOf } from "../caller.ts";
import { PersonNeeded } from "../errors.ts";
import { orgTypeId, sessionTypeId } from "../ids.ts";
import { pageOf, pageWith } from "../paging.ts";
import { Session } from "../schemas.ts";
import { sessionsOf } from "../views.ts";

export const listSessions = operation({
  id: "sessions.list",
  http: "GET /api/v1/sessions",
  cli: { name: "sessions list", columns: ["id", "door", "current", "lastSeenAt", "expiresAt"] },
  summary: "Your sessions that are not over",
  permission: "self",
  reason: "everybody may see their own sessions",
  effect: "read",
  without: { mcp: "a program has no session of its own" },
  database: "system",
  input: Type.Object({ ...paging }),
  output: Page(Session),
  errors: [PersonNeeded],
  examples: [{ input: {} }],
  async handle(context, input) {
    const page = pageOf("ses", input);
    const rows = await sessionsOf(context.db, personOf(context.actor), timestamp(context.clock), page);
    const items = rows.map((row) => ({
      id: sessionTypeId(row.id),
      door: row.door,
      organization: orgTypeId(row.org_id),
      current: row.id === context.actor.sessionId,
      createdAt: row.created_at.toISOString(),
      expiresAt: row.expires_at.toISOString(),
      lastSeenAt: row.last_seen_at.toISOString(),
    }));
    return pageWith(items, page.limit, (item) => item.id);
  },
});
