import type { Actor } from "../actor.ts";
import { DeclaredError, type ErrorType } from "../errors.ts";
import { ApproverNotEligible, ApproverNotPerson, ApproverServed } from "./errors.ts";
import type { ApproverRule, Decision, Delegated, Eligible } from "./types.ts";

/** How far back a second person counts who could have decided. */
export const soleAfterMs = 30 * 24 * 3_600_000;

/** Whether somebody of the role counts where the other role is asked for. */
export function countsAs(role: string, wanted: string): boolean {
  return role === wanted || role === "admin";
}

function countsForSome(role: string, rule: readonly ApproverRule[]): boolean {
  return rule.some((one) => countsAs(role, one.role));
}

/** Of what was decided, what counts still: the person whose vote it is has a role that decides, and counts in that of today. */
export function stillCounting<Vote extends { counts_for: string; role: string }>(rule: readonly ApproverRule[], votes: readonly Vote[], eligible: readonly Eligible[]): Vote[] {
  return votes.flatMap((vote) => {
    const now = eligible.find(({ userId, role, until }) => userId === vote.counts_for && until === undefined && countsForSome(role, rule));
    return now === undefined ? [] : [{ ...vote, role: now.role }];
  });
}

/** Whether those who approved are enough. Each person counts once; administrators fill what the role itself does not. */
export function isMet(rule: readonly ApproverRule[], decisions: readonly Pick<Decision, "role" | "decision" | "sole">[]): boolean {
  const approvals = decisions.filter(({ decision }) => decision === "approve");
  if (approvals.some(({ sole }) => sole)) return true;
  const of = (role: string): number => approvals.filter((one) => one.role === role).length;
  const wanted = new Map<string, number>();
  for (const { role, count } of rule) wanted.set(role, (wanted.get(role) ?? 0) + count);
  const missing = [...wanted].reduce((sum, [role, count]) => sum + (role === "admin" ? count : Math.max(0, count - of(role))), 0);
  return rule.length > 0 && of("admin") >= missing;
}

/**
 * The only person who could decide in the last 30 days, whoever asked; undefined where there was a second one, if only for
 * a day. Their own confirmation then takes the place of the quorum, which nobody could ever reach.
 */
export function solePerson(rule: readonly ApproverRule[], eligible: readonly Eligible[]): string | undefined {
  const able = eligible.filter(({ role }) => countsForSome(role, rule));
  const persons = new Set(able.map(({ userId }) => userId));
  const [only] = able;
  return persons.size === 1 && only !== undefined && able.some(({ until }) => until === undefined) ? only.userId : undefined;
}

/** How many decisions the rule asks for, and how many of the persons there are could still give one. */
export function prospects(rule: readonly ApproverRule[], served: readonly string[], eligible: readonly Eligible[]): { needed: number; possible: number } {
  if (solePerson(rule, eligible) !== undefined) return { needed: 1, possible: 1 };
  const able = eligible.filter(({ userId, role, until }) => until === undefined && !served.includes(userId) && countsForSome(role, rule));
  return { needed: rule.reduce((sum, { count }) => sum + count, 0), possible: new Set(able.map(({ userId }) => userId)).size };
}

export interface Decider {
  actor: Pick<Actor, "kind" | "userId" | "ai">;
  rule: readonly ApproverRule[];
  /** UUIDs of users and keys. */
  served: readonly string[];
  eligible: readonly Eligible[];
  /** What was delegated to the actor for this operation, in the roles that those persons have now. */
  delegated: readonly Delegated[];
  /** UUIDs of the persons whose votes are given. */
  voted: readonly string[];
}

export interface Standing {
  role: string;
  countsFor: string;
  sole: boolean;
}

/** As what the actor would decide. Errors: ApproverNotPerson, ApproverServed, ApproverNotEligible. */
export function standingOf({ actor, rule, served, eligible, delegated, voted }: Decider): Standing {
  if (actor.ai || actor.kind !== "user" || actor.userId === undefined) throw refusal(ApproverNotPerson, "An approval is a person's decision, never a program's: sign in with `qinfra login`, or in a browser.");
  const { userId } = actor;
  const own = eligible.find((one) => one.userId === userId && one.until === undefined && countsForSome(one.role, rule));
  if (own !== undefined && solePerson(rule, eligible) === userId) return { role: own.role, countsFor: userId, sole: true };
  if (served.includes(userId)) throw refusal(ApproverServed, "You asked for this, changed it, or a program asked for it in your name; somebody else has to decide.");
  if (own !== undefined) return { role: own.role, countsFor: userId, sole: false };
  const usable = delegated.filter(({ from, role }) => !served.includes(from) && countsForSome(role, rule));
  const free = usable.find(({ from }) => !voted.includes(from)) ?? usable[0];
  if (free !== undefined) return { role: free.role, countsFor: free.from, sole: false };
  throw refusal(ApproverNotEligible, `This needs ${inWords(rule)}; you are none, and nobody who is one has delegated it to you.`);
}

/** `two of role admin`: for people. */
export function inWords(rule: readonly ApproverRule[]): string {
  return rule.map(({ role, count }) => `${count === 1 ? "one" : count === 2 ? "two" : String(count)} of role ${role}`).join(" and ");
}

function refusal(type: ErrorType, detail: string): DeclaredError {
  return new DeclaredError(type, detail);
}
