import { Type, type Static } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import type { Db } from "../../../platform/database/database.ts";
import { fail } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { anyKey, fromCursor, operation, Page, pageOf, paging } from "../../../platform/operation/index.ts";
import { ScheduleInvalid } from "../../../platform/workflow/index.ts";
import { endWaiting } from "../delivery-store.ts";
import { ChannelNotFound, EventNotAllowed, RuleExists, RuleInvalid, RuleLimit, RuleNotFound } from "../errors.ts";
import { RuleCreated, RuleDeleted, RuleUpdated } from "../events.ts";
import { ChannelId, channelTypeId, RuleId, ruleTypeId } from "../ids.ts";
import { maySee } from "../may-see.ts";
import { deleteRule as remove, insertRule, updateRule as update } from "../rule-store.ts";
import { countRules, listRules as readRules, ruleById, toRule, type RuleRow } from "../rule-views.ts";
import { checkRule } from "../check-rule.ts";
import { Name, Rule, ruleFields } from "../schemas.ts";
import { channelOf } from "./channels.ts";

/** Each is looked at for each event of its types. */
const mostRules = 200;
const example = { id: "rul_01jd0000000000000000000000" };
const optional = {
  filter: Type.Optional(ruleFields.filter), urgent: Type.Optional(ruleFields.urgent), template: Type.Optional(ruleFields.template),
  digest: Type.Optional(ruleFields.digest), quiet: Type.Optional(ruleFields.quiet), enabled: Type.Optional(ruleFields.enabled),
};
type Values = Pick<RuleRow, "filter" | "urgent" | "template" | "digest" | "quiet" | "enabled">;

export const createRule = operation({
  id: "notifications.create-rule",
  http: "POST /api/v1/notifications/rules",
  cli: { name: "notification-rules create", positional: ["name", "channel"], columns: ["id", "name", "channel", "types"] },
  summary: "Have a channel told of events",
  description: "Of events that you may see yourself; those that happened before are not told. Each that fits becomes a delivery, at once or in a digest.",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ name: Name, channel: ChannelId, types: ruleFields.types, ...optional }),
  output: Rule,
  errors: [ChannelNotFound, RuleInvalid, RuleExists, RuleLimit, EventNotAllowed, ScheduleInvalid],
  creates: true,
  examples: [
    { summary: "At once", input: { name: "new-images", channel: "chn_01jd0000000000000000000000", types: ["images.registered"] } },
    {
      summary: "Each morning, and critical findings at once",
      input: {
        name: "findings", channel: "chn_01jd0000000000000000000000", types: ["vulnerabilities.matched"], digest: { cron: "0 8 * * 1-5", timeZone: "Europe/Zurich" },
        urgent: [{ member: "bySeverity.critical", atLeast: 1 }],
      },
    },
  ],
  prepare: async ({ actor, eventTypes }, { types }) => maySee(actor, eventTypes, types),
  async handle({ db, orgId, ids, clock, events }, { name, channel, types, ...values }, permissions) {
    const { id: channel_id } = await channelOf(db, channel);
    if ((await countRules(db)) >= mostRules) fail(RuleLimit, `The organization has ${mostRules} rules, and may have no more; delete one, or have one name several types.`);
    const rule = { ...valuesOf(values), name, channel_id, types, permissions, id: ids.uuid(), orgId, at: timestamp(clock) };
    checkRule(rule, clock.now());
    if (!(await insertRule(db, rule))) fail(RuleExists, `There is a rule ${name} already; choose another name, or change that one.`);
    await events.append({ type: RuleCreated, subject: ruleTypeId(rule.id), data: { channel } });
    return toRule((await ruleById(db, rule.id)) as RuleRow);
  },
});

function valuesOf(given: Partial<Static<ReturnType<typeof Type.Object<typeof optional>>>>): Values {
  const { filter = {}, urgent = null, template = null, digest = null, quiet = null, enabled = true } = given as Partial<Values>;
  return { filter, urgent, template, digest, quiet, enabled };
}

export const listRules = operation({
  id: "notifications.list-rules",
  http: "GET /api/v1/notifications/rules",
  cli: { name: "notification-rules list", columns: ["id", "name", "channel", "types", "enabled"] },
  summary: "List notification rules, by name",
  permission: "notifications:read",
  effect: "read",
  input: Type.Object({ channel: Type.Optional(ChannelId), ...paging }),
  output: Page(Rule),
  errors: [ChannelNotFound],
  examples: [{ input: {} }, { summary: "Of one channel", input: { channel: "chn_01jd0000000000000000000000" } }],
  async handle({ db }, { channel, cursor, limit = 100 }) {
    const after = fromCursor(cursor, anyKey);
    if (channel !== undefined) await channelOf(db, channel);
    const page = { limit: limit + 1, ...(after === undefined ? {} : { after }), ...(channel === undefined ? {} : { channel: uuidOf("chn", channel) }) };
    return pageOf(await readRules(db, page), limit, ({ name }) => name);
  },
});

async function ruleOf(db: Db, id: string): Promise<RuleRow> {
  const row = await ruleById(db, uuidOf("rul", id));
  if (row === undefined) fail(RuleNotFound, `There is no rule ${id} in this organization; qinfra notification-rules list shows what there is.`);
  return row;
}

export const updateRule = operation({
  id: "notifications.update-rule",
  http: "PATCH /api/v1/notifications/rules/{id}",
  cli: { name: "notification-rules update", positional: ["id"] },
  summary: "Change a notification rule",
  description: "Needs the right to see the events that it tells of. What waits already stays as it is; a rule that is disabled loses it.",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ id: RuleId, channel: Type.Optional(ChannelId), types: Type.Optional(ruleFields.types), ...optional }),
  output: Rule,
  errors: [RuleNotFound, ChannelNotFound, RuleInvalid, EventNotAllowed, ScheduleInvalid],
  examples: [{ input: { ...example, enabled: false } }, { summary: "To another channel", input: { ...example, channel: "chn_01jd0000000000000000000000" } }],
  // The permissions that go with the types, asked for again: who may not see the events may not send them elsewhere either.
  prepare: async ({ actor, eventTypes, transaction }, { id, types }) => {
    const named = types ?? (await transaction((db) => ruleOf(db, id))).types;
    return { types: named, permissions: maySee(actor, eventTypes, named) };
  },
  async handle({ db, orgId, clock, events }, { id, channel, types: _types, ...changes }, { types, permissions }) {
    const before = await ruleOf(db, id);
    const channel_id = channel === undefined ? before.channel_id : (await channelOf(db, channel)).id;
    const at = timestamp(clock);
    const rule = { ...before, ...valuesOf({ ...before, ...changes } as never), channel_id, types, permissions, orgId, at };
    checkRule(rule, clock.now());
    await update(db, rule);
    if (!rule.enabled) await endWaiting(db, { rule: rule.id }, { state: "cancelled", reason: "The rule was disabled.", at });
    await events.append({ type: RuleUpdated, subject: id, data: { channel: channelTypeId(channel_id), enabled: rule.enabled } });
    return toRule((await ruleById(db, rule.id)) as RuleRow);
  },
});

export const deleteRule = operation({
  id: "notifications.delete-rule",
  http: "DELETE /api/v1/notifications/rules/{id}",
  cli: { name: "notification-rules delete", positional: ["id"] },
  summary: "Delete a notification rule; what waits because of it is not sent",
  permission: "notifications:write",
  effect: "change",
  input: Type.Object({ id: RuleId }),
  output: Type.Object({ id: RuleId }),
  errors: [RuleNotFound],
  examples: [{ input: example }],
  async handle({ db, clock, events }, { id }) {
    const rule = await ruleOf(db, id);
    await endWaiting(db, { rule: rule.id }, { state: "cancelled", reason: "The rule was deleted.", at: timestamp(clock) });
    await remove(db, rule.id);
    await events.append({ type: RuleDeleted, subject: id, data: { channel: channelTypeId(rule.channel_id) } });
    return { id };
  },
});
