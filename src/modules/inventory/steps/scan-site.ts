import { spawn } from "node:child_process";
import { timestamp } from "../../../platform/clock.ts";
import { DeclaredError, fail } from "../../../platform/errors.ts";
import { toTypeId, uuidOf } from "../../../platform/ids.ts";
import { faultsAgainst } from "../../../platform/operation/validate.ts";
import { stepHandler, type StepContext, type StepPrepareContext } from "../../../platform/workflow/index.ts";
import { ComponentsInput, internComponents, OperatingSystemInput } from "../../software/index.ts";
import { CollectError } from "../collectors/collect-error.ts";
import type { CollectedHost } from "../collectors/types.ts";
import { SiteIncomplete, SiteNotFound, SshMissing } from "../errors.ts";
import { recordHost } from "../record-host.ts";
import { Facts } from "../schemas.ts";
import { HostKeyTrusted, HostNotScanned } from "../site-events.ts";
import { hostTypeId } from "../site-schemas.ts";
import { hostFailed, hostRecorded, placeAsset, siteKeyFor } from "../site-store.ts";
import { findingsOfRun, hostsAfter, hostToScan, listHosts, siteById, type HostToScan } from "../site-views.ts";
import { checkComplete } from "../sites/complete.ts";
import { collectHostOfSite } from "../sites/collect-host.ts";
import { failureCode, failureOfHost, passing, shortened, type Failure } from "../sites/failures.ts";
import { assetIdByName } from "../views.ts";
import { beginScan, collectHost, endScan, nextHosts, noteFailure } from "../workflows/scan-site.ts";

const mostFailures = 50;

export const beginScanStep = stepHandler(beginScan, {
  prepare: () => findSsh(),
  async handle({ db }, { site }) {
    const found = await siteById(db, uuidOf("sit", site));
    if (found === undefined) fail(SiteNotFound, `There is no site ${site} in this organization; a schedule that names it can be deleted.`);
    checkComplete(found);
    return { hosts: found.hosts };
  },
});

export const nextHostsStep = stepHandler(nextHosts, {
  async handle({ db }, { site, ...page }) {
    const found = await hostsAfter(db, uuidOf("sit", site), page);
    const last = found.at(-1)?.name;
    return { hosts: found.map(({ id }) => id), ...(last === undefined ? {} : { last }) };
  },
});

type Collected = { state: "gone" } | { state: "failed"; site: string; failure: Failure } | { state: "collected"; target: HostToScan; host: CollectedHost; componentSetId: string; hostKey?: string };

export const collectHostStep = stepHandler(collectHost, {
  async prepare(context, { host: id }): Promise<Collected> {
    const target = await context.transaction((db) => hostToScan(db, id));
    if (target === undefined) return { state: "gone" };
    try {
      const { host, hostKey } = await collectHostOfSite(await accessOf(context, target), { signal: context.signal, local: context.settings.scanLocalAddresses });
      const fault = faultOf(host);
      if (fault !== undefined) return { state: "failed", site: target.siteId, failure: { code: "malformed-answer", reason: fault } };
      return { state: "collected", target, host, componentSetId: await internComponents(context, host.components), ...(hostKey !== undefined && { hostKey }) };
    } catch (error) {
      if (error instanceof CollectError && error.code === "no-ssh") throw sshMissing(error);
      const failure = failureOfHost(error);
      const last = context.attempt >= collectHost.retry.attempts && !context.signal.aborted;
      if (failure === undefined && !last) throw error;
      if (failure !== undefined && passing.has(failure.code) && context.attempt === 1) throw error;
      if (failure === undefined) context.log.error({ err: error, host: id, run: context.runId }, "a host could not be scanned");
      return { state: "failed", site: target.siteId, failure: failure ?? { code: "step-failed", reason: "The server could not do it; its log says why." } };
    }
  },
  async handle(context, { host: id, scan }, collected) {
    if (collected.state === "gone") return { outcome: "gone" as const };
    if (collected.state === "failed") return failed(context, { id, scan, site: collected.site }, collected.failure);
    const { target, host, componentSetId, hostKey } = collected;
    const usedUp = await usedUpFor(context, target.name);
    if (usedUp !== undefined) return failed(context, { id, scan, site: target.siteId }, usedUp);
    const { name: hostName, kind, os, facts } = host;
    const assetId = await recordHost(context, {
      name: target.name, source: "ssh", componentSetId, facts: { ...facts, hostName }, ...(kind !== undefined && { kind }), ...(os !== undefined && { os }),
    });
    await placeAsset(context.db, assetId, target.siteId);
    const there = await hostRecorded(context.db, id, { runId: scan, now: timestamp(context.clock) }, { assetId, ...(hostKey !== undefined && { hostKey }) });
    if (!there) return { outcome: "gone" as const };
    if (hostKey !== undefined) await context.events.append({ type: HostKeyTrusted, subject: hostTypeId(id), data: { site: toTypeId("sit", target.siteId) } });
    return { outcome: "recorded" as const };
  },
});

export const noteFailureStep = stepHandler(noteFailure, {
  prepare: ({ transaction }, { host }) => transaction((db) => hostToScan(db, host)),
  async handle(context, { host: id, scan, code, reason }, target) {
    return target === undefined ? { outcome: "gone" as const } : failed(context, { id, scan, site: target.siteId }, { code: failureCode(code), reason: shortened(reason) });
  },
});

export const endScanStep = stepHandler(endScan, {
  async handle({ db }, { site, scan }) {
    const siteId = uuidOf("sit", site);
    const { recorded, matched, findings: all, ...by } = await findingsOfRun(db, siteId, scan);
    const failures = await listHosts(db, { siteId, runId: scan, failed: true, limit: mostFailures });
    return {
      pending: recorded - matched, findings: { all, ...by },
      failures: failures.flatMap(({ name, failure }) => (failure === null ? [] : [{ host: name, ...failure }])),
    };
  },
});

async function failed(context: StepContext, { id, scan, site }: { id: string; scan: string; site: string }, failure: Failure): Promise<{ outcome: "failed" | "gone" }> {
  if (!(await hostFailed(context.db, id, { runId: scan, now: timestamp(context.clock) }, failure))) return { outcome: "gone" };
  await context.events.append({ type: HostNotScanned, subject: hostTypeId(id), data: { site: toTypeId("sit", site), code: failure.code } });
  return { outcome: "failed" };
}

/** Asked before anything is written; of two hosts that come at once for the last one, the later fails as a step. */
async function usedUpFor({ db, quotas }: StepContext, name: string): Promise<Failure | undefined> {
  const isNew = (await assetIdByName(db, name)) === undefined;
  const over = (await quotas.list()).find(({ resource, used, limit }) => limit !== undefined && used >= limit && (resource === "scans" || (resource === "assets" && isNew)));
  return over === undefined ? undefined : { code: "quota-exceeded", reason: `The organization has used up its quota of ${over.resource}, which is ${over.limit}; an administrator of the platform can set a larger one.` };
}

async function accessOf({ secrets, orgId }: StepPrepareContext, target: HostToScan): Promise<Parameters<typeof collectHostOfSite>[0]> {
  const { user, privateKey: sealed, ...rest } = target;
  // The site had both when the scan began.
  if (user === null || sealed === null) fail(SiteIncomplete);
  return { ...rest, user, privateKey: (await secrets.open(sealed, siteKeyFor(orgId))).toString() };
}

/** What of an answer is no inventory: a host says what it likes. */
function faultOf({ components, os, facts }: CollectedHost): string | undefined {
  const [fault] = [...faultsAgainst(ComponentsInput, components), ...faultsAgainst(Facts, facts), ...(os === undefined ? [] : faultsAgainst(OperatingSystemInput, os))];
  return fault === undefined ? undefined : shortened(`What the host says of itself is not allowed: ${fault.path} ${fault.message}.`);
}

/** Errors: SshMissing. */
function findSsh(): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn("ssh", ["-V"], { stdio: "ignore", timeout: 10_000 });
    child.once("error", (error) => reject(sshMissing(error)));
    child.once("exit", () => resolve());
  });
}

function sshMissing(cause: Error): DeclaredError {
  return new DeclaredError(SshMissing, "The server has no ssh program; install an OpenSSH client there (Debian: apt install openssh-client).", undefined, cause);
}

export const inventorySteps = [beginScanStep, nextHostsStep, collectHostStep, noteFailureStep, endScanStep];
