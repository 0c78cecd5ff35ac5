import { fail } from "../../platform/errors.ts";
import { nextTime } from "../../platform/workflow/cron.ts";
import { endOfQuiet } from "./domain/due.ts";
import { wrongPlaceholder } from "./domain/template.ts";
import { RuleInvalid } from "./errors.ts";
import type { RuleRow } from "./rule-views.ts";

/** What a schema does not say. Errors: RuleInvalid, ScheduleInvalid. */
export function checkRule({ template, digest, quiet, filter, urgent }: Pick<RuleRow, "template" | "digest" | "quiet" | "filter" | "urgent">, now: number): void {
  const wrong = wrongPlaceholder(`${template?.title ?? ""} ${template?.text ?? ""}`);
  if (wrong !== undefined) {
    fail(RuleInvalid, `The template names ${wrong}; there are {{summary}}, {{name}}, {{rule}}, {{event.id}}, {{event.type}}, {{event.subject}}, {{event.time}}, {{event.actor}} and {{event.data.<member>}}.`);
  }
  if (digest !== null && nextTime(digest.cron, digest.timeZone, now) === undefined) fail(RuleInvalid, "The digest is never due; give a cron expression that has a time to come.");
  if (quiet !== null) endOfQuiet(quiet, now);
  const empty = [...(filter.data ?? []), ...(urgent ?? [])].find(({ is, atLeast }) => is === undefined && atLeast === undefined);
  if (empty !== undefined) fail(RuleInvalid, `The condition on ${empty.member} says nothing; give is or atLeast.`);
}
