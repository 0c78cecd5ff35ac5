import { Type } from "typebox";
import { grants, type Actor } from "../../../platform/actor.ts";
import { errorType, fail, InvalidInput } from "../../../platform/errors.ts";
import { isInLog, lastSeq, type EventType, type LiveFilter } from "../../../platform/events/index.ts";
import { operation } from "../../../platform/operation/index.ts";
import { CloudEventShape } from "../schemas.ts";

export const CursorGone = errorType("cursor-gone", 410, "The events after this cursor are no longer in the log");

const TypePattern = Type.String({ pattern: "^[a-z][a-z-]*\\.([a-z][a-z-]*|\\*)$", maxLength: 100 });

export const watchEvents = operation({
  id: "events.watch",
  http: "GET /api/v1/events/watch",
  cli: { name: "events watch", columns: ["time", "type", "subject", "actor"] },
  summary: "Watch events as they happen",
  description: "With `Accept: text/event-stream` they come as they are sealed, in order, each once; who was cut off sends the last id as `Last-Event-ID` and gets what was missed. Each type is shown to those who hold its permission, every type to those who hold audit:read. Otherwise the answer only says where the stream would begin.",
  permission: "self",
  reason: "each event is shown to those only who hold the permission of its type",
  effect: "read",
  without: { mcp: "a tool answers once; audit.list shows what happened" },
  input: Type.Object({
    type: Type.Optional(Type.Array(TypePattern, { minItems: 1, maxItems: 50, description: "Only these types; `images.*` is every declared one that begins so" })),
    subject: Type.Optional(Type.Array(Type.String({ pattern: "^[a-z][A-Za-z0-9_.:-]{0,199}$" }), { minItems: 1, maxItems: 50, description: "Only events of these, by their ids" })),
    after: Type.Optional(Type.String({ maxLength: 200, description: "Id of an event of this stream, or `cursor` of an earlier answer: begin after it, not now" })),
  }),
  output: Type.Object({
    cursor: Type.String({ description: "Where the stream begins" }),
    types: Type.Array(Type.String(), { description: "Declared types that it would show to the caller" }),
  }),
  errors: [CursorGone],
  examples: [{ input: {} }, { summary: "What happens to workflows", input: { type: ["workflows.*"] } }],
  async prepare({ actor, eventTypes }, { type }) {
    const unknown = type?.find((asked) => !eventTypes.some((declared) => isOf(declared.type, asked)));
    if (unknown !== undefined) fail(InvalidInput, `/type: there is no type of event ${unknown}.`);
    return eventTypes.map((declared) => declared.type).filter((name) => shows(filterOf(actor, eventTypes, type), name)).sort();
  },
  async handle({ db, orgId }, { after }, types) {
    if (after === undefined) return { cursor: cursorOf(await lastSeq(db, orgId), orgId), types };
    const seq = seqOf(after, orgId);
    if (seq > (await lastSeq(db, orgId))) fail(CursorGone, "The log of this organization does not reach that far: it was brought back from a backup. Begin anew, without a cursor.");
    if (!(await isInLog(db, orgId, seq))) fail(CursorGone, "Some events after this cursor were retired. Read them by audit.list, and begin anew, without a cursor.");
    return { cursor: cursorOf(seq, orgId), types };
  },
  stream: {
    event: CloudEventShape,
    async *open({ actor, orgId, live, eventTypes, signal }, { type, subject }, { cursor }) {
      yield { events: [], cursor };
      // Permissions can change while somebody listens.
      const filter = (): LiveFilter => ({ ...filterOf(actor(), eventTypes, type), ...(subject === undefined ? {} : { subjects: subject }) });
      for await (const page of live.follow(orgId, seqOf(cursor, orgId), filter, signal)) {
        // Asked for again, the cursor gets an answer that says so.
        if (page.gone) return;
        yield { events: page.events.map((event) => ({ id: cursorOf(event.seq, orgId), type: event.type, data: event.body })), cursor: cursorOf(page.end, orgId) };
      }
    },
  },
});

/** Every type to who may read the audit log; to others the declared ones whose permission they hold. */
function filterOf(actor: Actor, declared: readonly EventType[], asked: readonly string[] | undefined): LiveFilter {
  const all = grants(actor.permissions, "audit:read");
  if (all && asked === undefined) return {};
  const wanted = declared.filter(({ type }) => asked === undefined || asked.some((one) => isOf(type, one)));
  return { types: wanted.filter(({ permission }) => all || grants(actor.permissions, permission)).map(({ type }) => type) };
}

function isOf(type: string, asked: string): boolean {
  return asked.endsWith(".*") ? type.startsWith(asked.slice(0, -1)) : type === asked;
}

function shows({ types }: LiveFilter, type: string): boolean {
  return types === undefined || types.includes(type);
}

function cursorOf(seq: number, orgId: string): string {
  return Buffer.from(`${seq}.${orgId}`).toString("base64url");
}

function seqOf(cursor: string, orgId: string): number {
  const [, seq, org] = /^(\d{1,15})\.([0-9a-f-]{36})$/.exec(Buffer.from(cursor, "base64url").toString()) ?? [];
  if (org !== orgId) fail(InvalidInput, "/after: is not a cursor of this organization's events; use the id of an event as it is, or leave it out.");
  return Number(seq);
}
