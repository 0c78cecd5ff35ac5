import type { Advisory } from "../modules/vulnerabilities/domain/advisory.ts";
import { indexAdvisories } from "../modules/vulnerabilities/domain/advisory-index.ts";
import { distinctLookUps, match, type LookUp, type MatchResult } from "../modules/vulnerabilities/domain/match.ts";
import { lookUpTask, matchTask, mostFindings } from "../modules/vulnerabilities/tasks.ts";
import type { Component } from "../modules/software/component.ts";
import { serveTasks } from "../platform/worker/index.ts";

interface MatchInput {
  components: readonly Component[];
  advisories: readonly Advisory[];
  ecosystems: readonly string[];
}

/** What the worker threads can do. */
serveTasks({
  [matchTask]: ({ components, advisories, ecosystems }: MatchInput): MatchResult => match(components, indexAdvisories(advisories, { ecosystems }), { mostFindings }),
  [lookUpTask]: (components: readonly Component[]): LookUp[] => distinctLookUps(components),
});
