import type { ApprovalRequest, Delivery, Run } from "./answers.ts";
import { html, type Html } from "./html.ts";
import { chip, inside, when } from "./parts.ts";
import type { Attention, Section } from "./status-data.ts";

const rows = 5;

/** What waits for somebody or failed, each with the command that shows more; absent where the visitor may read none of it. */
export function attentionBody({ approvals, runs, deliveries }: Attention, now: number): Html | undefined {
  const sections = [approvals, runs, deliveries];
  if (sections.every(({ shown }) => !shown)) return undefined;
  const parts = [
    part(approvals, (one) => approvalLine(one, now), "approvals list --state pending"),
    part(runs, (one) => runLine(one, now), "workflows list --state failed"),
    part(deliveries, (one) => deliveryLine(one, now), "deliveries list --state failed"),
  ];
  const lines = parts.flatMap((one) => one.lines);
  if (lines.length === 0) return inside(html`<p class="muted">Nothing waits for anybody, and nothing failed in the last seven days.</p>`);
  const more = parts.flatMap((one) => (one.more === undefined ? [] : [one.more]));
  return html`<ol class="log">${lines}</ol>${more.length === 0 ? null : inside(html`<p class="muted small">There is more:</p><pre>${more.map((command) => `qinfra ${command}`).join("\n")}</pre>`)}`;
}

function part<T>(section: Section<readonly T[]>, row: (one: T) => Html, command: string): { lines: Html[]; more?: string } {
  if (!section.shown) return { lines: [] };
  const lines = section.value.slice(0, rows).map(row);
  return section.value.length > rows ? { lines, more: command } : { lines };
}

function line(what: Html, time: string | null, now: number, about: string, command: string): Html {
  return html`<li><span>${what}</span><span class="muted small nowrap">${time === null ? null : when(time, now)}</span>
<div class="whole small"><span class="muted">${about}</span><br><code>qinfra ${command}</code></div></li>
`;
}

function approvalLine({ id, operation, about, ai, createdAt, escalatedAt }: ApprovalRequest, now: number): Html {
  const state = html`${chip("warn", escalatedAt === null ? "waits for approval" : "waits, escalated")}${ai ? html` ${chip("info", "AI")}` : null}`;
  return line(state, createdAt, now, about === null ? operation : `${operation}: ${about}`, `approvals get ${id}`);
}

function runLine({ id, workflow, failure, endedAt }: Run, now: number): Html {
  return line(chip("bad", "run failed"), endedAt, now, `${workflow}: ${failure?.code ?? "no reason is known"}`, `workflows get ${id}`);
}

function deliveryLine({ id, attempts, reason, endedAt }: Delivery, now: number): Html {
  return line(chip("bad", "not delivered"), endedAt, now, `after ${attempts} tries: ${reason ?? "no reason is known"}`, `deliveries get ${id}`);
}
