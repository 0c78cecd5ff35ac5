import { Type, type Static } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { accessOf, grantsOf, type AccessRow, type GrantRow } from "../access-views.ts";
import { ApiKeyId, ApplicationId, InvitationId, invitationTypeId, keyTypeId, UserId, userTypeId } from "../ids.ts";
import { mayStillInvite } from "../invitations.ts";
import { intersect, permissionsOf } from "../roles.ts";
import { Permission, RoleName, Time } from "../schemas.ts";

const kinds = ["person", "service-account", "identity", "api-key", "invitation"] as const;
const ways = ["added", "invitation", "issuer"] as const;

const Access = Type.Object({
  kind: Type.Enum([...kinds], { description: "identity: a subject of an external issuer that means the user" }),
  user: Type.Optional(UserId),
  apiKey: Type.Optional(ApiKeyId),
  invitation: Type.Optional(InvitationId),
  issuer: Type.Optional(Type.String()),
  subject: Type.Optional(Type.String()),
  name: Type.Optional(Type.String({ description: "Of the person, account or key; of an invitation the address that it is meant for" })),
  role: RoleName,
  permissions: Type.Array(Permission, { description: "What it may do now; of an invitation, what accepting it would give" }),
  agent: Type.Optional(Type.Boolean({ description: "Used by an AI agent" })),
  via: Type.Optional(Type.Enum([...ways], { description: "How a person or account came to be a member" })),
  secondFactor: Type.Optional(Type.Boolean()),
  applications: Type.Optional(Type.Array(Type.Object({
    id: ApplicationId, name: Type.String(), permissions: Type.Array(Permission), expiresAt: Time,
  }), { description: "Those that the person lets act for them, and what each may do here" })),
  disabled: Type.Boolean({ description: "The person or account is, or whoever invited may no longer give the role" }),
  createdBy: Type.Optional(UserId),
  createdAt: Time,
  expiresAt: Type.Optional(Time),
  lastUsedAt: Type.Optional(Time),
});

const place = /^(~|[0-9a-f-]{36})( [0-9a-f-]{1,64}){1,2}$/;

export const reviewAccess = operation({
  id: "access.review",
  http: "GET /api/v1/access",
  cli: { name: "access review", columns: ["kind", "name", "role", "via", "secondFactor", "disabled", "lastUsedAt", "expiresAt"] },
  summary: "Who can do what: every way into the organization that is open",
  description: "One entry for each person, service account, identity at an external issuer, API key and pending invitation. `qinfra access review --all --output jsonl` exports all of them.",
  permission: "audit:read",
  effect: "read",
  database: "system",
  input: Type.Object({ ...paging }),
  output: Page(Access),
  examples: [{ input: { limit: 100 } }],
  async handle(context, input) {
    const limit = input.limit ?? 100;
    const after = fromCursor(input.cursor, place) ?? "";
    const now = timestamp(context.clock);
    const rows = await accessOf(context.db, context.orgId, { now, after, limit: limit + 1 });
    const { items, next } = pageOf(rows, limit, (row) => row.place);
    const people = items.flatMap(({ kind, user_id: id }) => (kind === "person" && id !== null ? [userTypeId(id)] : []));
    const granted = people.length === 0 ? [] : await grantsOf(context.db, people, now);
    return { items: items.map((row) => show(row, granted)), ...(next === undefined ? {} : { next }) };
  },
});

function show(row: AccessRow, granted: readonly GrantRow[]): Static<typeof Access> {
  const disabled = row.disabled || (row.kind === "invitation" && !mayStillInvite(row));
  return {
    kind: row.kind,
    ...given("user", row.user_id, userTypeId), ...given("apiKey", row.kind === "api-key" ? row.id : null, keyTypeId),
    ...given("invitation", row.kind === "invitation" ? row.id : null, invitationTypeId),
    ...given("issuer", row.issuer, same), ...given("subject", row.subject, same), ...given("name", row.name, same),
    role: row.role, permissions: disabled ? [] : permissionsNow(row),
    ...given("agent", row.agent, same), ...given("via", row.via, same), ...given("secondFactor", row.second_factor, same),
    ...applicationsOf(row, granted, disabled), disabled,
    ...given("createdBy", row.created_by, userTypeId), createdAt: row.created_at.toISOString(),
    ...given("expiresAt", row.expires_at, (time) => time.toISOString()), ...given("lastUsedAt", row.last_used_at, (time) => time.toISOString()),
  };
}

function applicationsOf(row: AccessRow, granted: readonly GrantRow[], disabled: boolean): Pick<Static<typeof Access>, "applications"> {
  const account = row.kind === "person" && row.user_id !== null ? userTypeId(row.user_id) : undefined;
  const own = granted.filter((grant) => grant.account === account);
  if (own.length === 0) return {};
  const held = disabled ? [] : permissionsNow(row);
  return { applications: own.map((grant) => ({ id: grant.application, name: grant.name, permissions: intersect(grant.scope.split(" "), held), expiresAt: grant.expires_at.toISOString() })) };
}

function permissionsNow(row: AccessRow): string[] {
  const held = permissionsOf(row.role, row.is_platform);
  return row.scopes === null ? [...held] : intersect(row.scopes, held);
}

function given<Name extends string, From, To>(name: Name, value: From | null, shown: (value: From) => To): { [N in Name]?: To } {
  return value === null ? {} : ({ [name]: shown(value) } as { [N in Name]?: To });
}

function same<T>(value: T): T {
  return value;
}
