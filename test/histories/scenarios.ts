import { workflows } from "../../src/app/workflows.ts";
import { followRequest, lookAtRequest, runApprovedOperation } from "../../src/modules/approvals/workflows/follow-request.ts";
import { beginScan, collectHost, endScan, nextHosts, noteFailure, scanHosts, scanSite } from "../../src/modules/inventory/workflows/scan-site.ts";
import { deliverWorkflow, letGo, sendWaiting } from "../../src/modules/notifications/workflows/deliver.ts";
import { syncFeedsWorkflow, syncOneFeed } from "../../src/modules/vulnerabilities/workflows/sync-feeds.ts";
import type { Workflow } from "../../src/platform/workflow/declare.ts";
import { answers, type Scenario } from "../../src/platform/workflow/testing/history.ts";
import * as flows from "../../src/platform/workflow/testing/workflows.ts";

/** Every workflow that is declared, those of the conformance suite among them. */
export const declared: readonly Workflow[] = [...workflows, ...flows.testWorkflows];

const approval = "apr_01jd0000000000000000000000";
const site = "sit_01jd0000000000000000000000";
const channel = "chn_01jd0000000000000000000000";
const [first, second, third] = ["01990000-0000-7000-8000-0000000000a1", "01990000-0000-7000-8000-0000000000a2", "01990000-0000-7000-8000-0000000000a3"] as const;
const failure = { failure: { code: "step-failed", message: "it did not work" } };
const written = answers(flows.write, { rows: 1 });
const undone = answers(flows.undo, null);
const flaky = answers(flows.flaky, failure);
const go = (word: string) => ({ signal: "go", body: { word } });
const synced = (feed: string) => ({ feed, changed: true, records: 7 });
const sent = (nextSeconds: number | null) => ({ delivered: 1, again: 0, failed: 0, nextSeconds });
const findings = { all: 3, critical: 1, high: 1, medium: 1, low: 0 };
const scanned = { recorded: 2, failed: 0, gone: 0 };

/**
 * What is recorded of each workflow, by the code that is named last where that is not today's. A new workflow gets at least
 * one scenario; a change that needed a patch gets one more.
 */
export const scenarios: readonly (readonly [{ id: string }, Scenario, Workflow?])[] = [
  [followRequest, {
    about: "approved", input: { approval }, told: [{ signal: "approvals.changed", body: {} }],
    steps: [answers(lookAtRequest, { state: "pending", waitSeconds: 60 }, { state: "approved", waitSeconds: 0 }), answers(runApprovedOperation, { state: "done" })],
  }],
  [followRequest, {
    about: "expired", input: { approval }, told: ["nothing in time", "nothing in time"],
    steps: [answers(lookAtRequest, { state: "pending", waitSeconds: 60 }, { state: "pending", waitSeconds: 60 }, { state: "expired", waitSeconds: 0 })],
  }],
  [syncFeedsWorkflow, { about: "two ecosystems", input: { ecosystems: ["Debian", "npm"] }, steps: [answers(syncOneFeed, synced("Debian"), synced("npm"))] }],
  [syncFeedsWorkflow, { about: "one that fails", input: { ecosystems: ["Debian", "npm"] }, steps: [answers(syncOneFeed, failure)] }],
  [scanSite, {
    about: "two pages", input: { site, waveSize: 2 }, told: [{ childEnded: { output: scanned } }, { childEnded: { output: { ...scanned, recorded: 0, failed: 1 } } }, "nothing in time"],
    steps: [
      answers(beginScan, { hosts: 3 }), answers(nextHosts, { hosts: [first, second], last: "b" }, { hosts: [third], last: "c" }, { hosts: [] }),
      answers(endScan, { pending: 1, findings, failures: [] }, { pending: 0, findings, failures: [{ host: "c", code: "ssh-failed", reason: "it did not answer" }] }),
    ],
  }],
  [scanSite, {
    about: "too many that fail", input: { site, waveSize: 2, failureLimit: 0 }, told: [{ childEnded: { failure: { code: "too-many-failed", message: "1 of 2 hosts of a wave could not be scanned" } } }],
    steps: [answers(beginScan, { hosts: 3 }), answers(nextHosts, { hosts: [first, second], last: "b" })],
  }],
  [scanSite, { about: "cancelled", input: { site, waveSize: 2 }, told: [{ cancel: true }], steps: [answers(beginScan, { hosts: 3 }), answers(nextHosts, { hosts: [first, second], last: "b" })] }],
  [scanHosts, {
    about: "two waves", input: { scan: first, hosts: [first, second, third], waveSize: 2 },
    steps: [answers(collectHost, { outcome: "recorded" }, failure, { outcome: "gone" }), answers(noteFailure, { outcome: "failed" })],
  }],
  [deliverWorkflow, {
    about: "woken, and late", input: { channel }, told: [{ signal: "wake", body: {} }, "nothing in time", "nothing in time"],
    steps: [answers(sendWaiting, sent(60), sent(5), failure, sent(0), sent(null))],
  }],
  [deliverWorkflow, { about: "cancelled", input: { channel }, told: [{ cancel: true }], steps: [answers(sendWaiting, sent(60)), answers(letGo, null)] }],

  [flows.plain, { about: "done", input: { word: "w" }, steps: [written, answers(flows.tell, null)] }],
  [flows.twoSteps, { about: "done", input: { word: "w" }, steps: [written] }],
  [flows.retrying, { about: "failed", input: { times: 3 }, steps: [flaky] }],
  [flows.sleeping, { about: "done", input: { seconds: 1 }, told: ["nothing in time"], steps: [written] }],
  [flows.waiting, { about: "one signal of two", input: { signals: 2, timeoutSeconds: 5 }, told: [go("one"), "nothing in time"], steps: [written] }],
  [flows.undoing, { about: "failed", input: { fail: true }, steps: [written, flaky, undone] }],
  [flows.undoing, { about: "cancelled", input: { fail: false }, told: [{ cancel: true }], steps: [written, undone] }],
  [flows.journey, { about: "failed", input: { fail: true }, told: ["nothing in time", go("go")], steps: [written, answers(flows.tell, null), flaky, undone] }],
  [flows.branching, { about: "three, two at once", input: { branches: 3, atOnce: 2 }, told: [1, 1, 1].map(() => ({ childEnded: { output: [1, 1] } })), steps: [written] }],
  [flows.parent, { about: "with a child that fails", input: { times: 3 }, told: [{ childEnded: failure }], steps: [written] }],
  [flows.queued, { about: "done", input: { key: "k", word: "w" }, told: [go("go")], steps: [written] }],
  [flows.patched, { about: "patched", input: {}, told: [go("go")], steps: [written] }],
  [flows.patched, { about: "before its patches", input: {}, told: [go("go")], steps: [written] }, flows.beforePatches as unknown as Workflow],
  [flows.wrongBranches, { about: "refused", input: {}, steps: [written] }],
  [flows.tooLarge, { about: "refused", input: {}, steps: [] }],
];
