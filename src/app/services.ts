import type { Logger } from "pino";
import type { EngineTls } from "../platform/tls/index.ts";
import { createIds } from "../platform/ids.ts";
import { systemClock } from "../platform/clock.ts";
import { actorTypeId } from "../platform/actor.ts";
import type { Config } from "../platform/config.ts";
import type { Database, Db } from "../platform/database/database.ts";
import type { ReplicaStatus } from "../platform/database/replica.ts";
import { keepInstanceLock } from "../platform/database/instance.ts";
import { openBlobs } from "../platform/blobs/blobs-url.ts";
import {
  appender, closeChain, createCheckpointer, createLocalBus, createPrivateBodies, createWaiter, openLine, startLive, startOutwardRelay, startRelay, startSealer, startSubscriptions,
  systemTimer, verifyLog, type EventAppender, type StoredEvent,
} from "../platform/events/index.ts";
import { publicOr } from "../platform/http-client/address-guard.ts";
import { createHttpClient } from "../platform/http-client/http-client.ts";
import { createIdTokenVerifier } from "../platform/identity/id-token.ts";
import { knownIssuers } from "../platform/identity/issuers.ts";
import { createJwtVerifier } from "../platform/identity/jwt.ts";
import { createStrangerGate } from "../platform/identity/stranger-gate.ts";
import { createLoadShedder, watchLoad } from "../platform/operation/load.ts";
import { createRateLimiter } from "../platform/operation/rate-limiter.ts";
import { createStreamSlots } from "../platform/operation/stream-slots.ts";
import { createStrangers, guardAuthentication } from "../platform/operation/strangers.ts";
import type { EventOrigin, Services } from "../platform/operation/services.ts";
import { createRegistry, type Module, type Registry } from "../platform/operation/registry.ts";
import { createOpaPolicies, loadPolicies, noOrganizationPolicies } from "../platform/policy/index.ts";
import { createSmtpMailer } from "../platform/mail/index.ts";
import type { OpenedSecrets } from "../platform/secrets/types.ts";
import { createMetrics, type Metrics } from "../platform/telemetry/metrics.ts";
import { noTraces } from "../platform/telemetry/traces.ts";
import { runApproved } from "../platform/operation/run-approved.ts";
import { workflowsIn, type Workflow } from "../platform/workflow/index.ts";
import type { WorkerPool } from "../platform/worker/index.ts";
import { followRequest } from "../modules/approvals/index.ts";
import { followAgain, type RescuePorts } from "../platform/approvals/rescue.ts";
import { actorAgain, createAuthentication, createIdentify, createSettleClaims, eligiblePersons, makerOfKey, ensureFirstAdministrator, eraseDue, quotasOf, type ErasurePorts, type FirstAdministrator } from "../modules/organizations/index.ts";
import { countedBlobs } from "./counted-blobs.ts";
import { createRetention, type Retention } from "./retention.ts";
import { endingKept, openCaching } from "./caching.ts";
import { createChecks } from "./checks.ts";
import { outwardBus } from "./event-bus.ts";
import { createDataKeys } from "./data-keys.ts";
import { createIdentity, type Identity } from "./identity.ts";
import { issuerChecks, rolesOf, signInOptionsOf } from "./issuers.ts";
import { openProjections } from "./projections.ts";
import { publicUrlOf } from "./public-url.ts";
import { version } from "./root.ts";
import type { WorkflowSetting } from "./workflow-engines.ts";
import { startWorkflows } from "./workflow-runner.ts";

export interface PlatformParts {
  config: Config;
  database: Database;
  secrets: OpenedSecrets;
  workers: WorkerPool;
  policiesDir: string;
  modules: readonly Module[];
  log: Logger;
  /** False in tests, whose machine has more to do than any one server in them. */
  shedsLoad?: boolean;
  /** Without it nothing runs workflows here; they wait for a server that does. */
  workflows?: WorkflowSetting;
  /** How engines are reached in a private network (TLS_CA). */
  engines?: EngineTls;
}

export interface Platform {
  services: Services;
  registry: Registry;
  metrics: Metrics;
  firstAdministrator: FirstAdministrator;
  /** What signs people in. */
  identity: Identity;
  /** Erases the organizations whose time is over. */
  eraseDue(): Promise<void>;
  /** Has a run follow each open request for an approval that none follows any more. Answers how many there were. */
  followApprovals(everywhere: RescuePorts["everywhere"]): Promise<number>;
  /** Retires what is older than the policy keeps. */
  retention: Retention;
  /** The certificate of this server was replaced: engines that hold it take the new one. */
  renewCertificate(): void;
  /** What /readyz reports. */
  checks(): Promise<Record<string, string>>;
  /** Stops what reads and writes in the background; requests must have ended. */
  stop(): Promise<void>;
}

/** Puts the platform together: the one place where every port meets its adapter. */
export async function assemble({ config, database, secrets, workers, policiesDir, modules, log, engines, workflows, shedsLoad = true }: PlatformParts): Promise<Platform> {
  const clock = systemClock;
  const timer = systemTimer;
  const ids = createIds(clock);
  const random = Math.random;
  const metrics = createMetrics();
  const registry = createRegistry(modules);
  const eventTypes = [...registry.events.values()];
  const policy = await loadPolicies(policiesDir);
  const http = createHttpClient({ clock, userAgent: `qinfra/${version()}`, addressRule: publicOr(config.notifyPrivate) });
  const dataKeys = createDataKeys({ database, secrets, clock, ids });
  const blobs = await openBlobs(config, { dataKey: dataKeys.of, clock, ...(engines === undefined ? {} : { tls: engines }) });
  const privateBodies = createPrivateBodies(secrets);
  const identity = createIdentity({ config, origin: publicUrlOf(config), database, secrets, clock, ids, http, log, registry, appender: appenderOf });
  const issuers = knownIssuers(config.jwtIssuers, http);
  const settleClaims = createSettleClaims(rolesOf(config), { database, clock, ids, log, appender: appenderOf });
  const authentication = createAuthentication({ database, clock, log, verifyJwt: createJwtVerifier(issuers, { clock }), settleClaims, audience: identity.origin });
  const identify = createIdentify({ database, verifyIdToken: createIdTokenVerifier(issuers, { clock, own: identity.own }), settleClaims });

  const lock = await keepInstanceLock(database, { log, sleep: timer.sleep });

  function appenderOf(db: Db, origin: EventOrigin): EventAppender {
    const { orgId, actor, operation, requestId, door } = origin;
    return appender(db, { orgId, actor: actorTypeId(actor), operation, requestId, door, ai: actor.ai, clock, ids, privateBodies, types: registry.events });
  }

  /** What a subscriber appends is done by nobody; the request that caused it is named. */
  function appenderFor(db: Db, subscription: string, cause: Pick<StoredEvent, "orgId" | "requestId">): EventAppender {
    return appender(db, { orgId: cause.orgId, actor: "system", operation: subscription, requestId: cause.requestId, door: "subscription", ai: false, clock, ids, privateBodies, types: registry.events });
  }

  const firstAdministrator = await ensureFirstAdministrator(database, { clock, ids, secrets, appender: appenderOf });
  const line = openLine(database, { timer, log });
  // The sealer works on the connection that holds its lock, so nothing else may wait on it.
  const sealerLine = openLine(database, { timer, log });
  const checkpoints = { read: blobs.read, write: blobs.point };
  const checkpointer = createCheckpointer({
    database, clock, keys: secrets, blobs: checkpoints,
    refused: (orgId, seq) => log.error({ orgId, seq }, "the event log does not continue what was signed; no checkpoint was made"),
  });
  // After a lost connection the payload is empty: it may have been any of them.
  line.on("organization_ended", (orgId) => {
    dataKeys.forget(orgId === "" ? undefined : orgId);
    authentication.forget(orgId);
  });
  const retention = createRetention({ database, blobs: checkpoints, clock, timer, log, policy: config.retention, folds: modules.flatMap((module) => module.folds ?? []) });
  metrics.gauge("qinfra_events_months_kept", "Months of the event log that are due to be retired and had to stay", () => retention.kept().length);
  let horizonSeconds = 0;
  let unsealed = 0;
  const sealer = startSealer({
    database, line: sealerLine, clock, timer, log, checkpointer,
    metrics: {
      sample(sample) {
        horizonSeconds = sample.horizonAgeMs / 1000;
        unsealed = sample.unsealed;
      },
    },
  });
  const live = startLive({ database, line, timer, log });
  const streams = createStreamSlots({ actor: 20, server: 2_000 }, (signal) => timer.sleep(15_000, signal));
  const waiter = createWaiter({ database, line, timer });
  const compute: Services["compute"] = (task, data, signal) => workers.run(task, data, signal);
  const runner = startSubscriptions({
    database, line, timer, log, clock, random, waiter, appenderFor,
    workflowsFor: (db, orgId, events) => workflowsIn(db, { orgId, starter: { kind: "system", ai: false } }, { clock, ids, events, workflows: registry.workflows }),
    subscriptions: allSubscriptions(),
  });
  const projections = openProjections({ database, clock, timer, line, log, random, metrics, blobs: checkpoints, modules });
  const caching = openCaching(config, { database, line, timer, log, clock, ...(engines === undefined ? {} : { engines }) });
  const outward = outwardBus(config, { log, clock, timer, random, ...(engines === undefined ? {} : { engines }) });
  const outwardRelay = outward === undefined ? undefined : startOutwardRelay({ database, line, timer, log, random, bus: outward });
  const relay = startRelay({ database, line, timer, log, random, bus: endingKept(createLocalBus(), caching.cache) });

  function allSubscriptions() {
    return modules.flatMap((module) => module.subscriptions?.({ database, clock, ids, log, metrics, compute, eventTypes, appenderFor }) ?? []);
  }

  metrics.gauge("qinfra_events_horizon_seconds", "Age of the oldest transaction that holds back the event log", () => horizonSeconds);
  metrics.gauge("qinfra_events_unsealed", "Committed events that are not in the chain yet", () => unsealed);
  metrics.gauge("qinfra_streams_open", "Open streams of live updates", () => streams.open());
  metrics.gauge("qinfra_database_connections", "Open connections", () => database.stats().total);
  metrics.gauge("qinfra_database_waiting", "Transactions that wait for a connection", () => database.stats().waiting);

  const strangers = createStrangers({ database, clock, ids, log, platformOrgId: firstAdministrator.platformOrgId, appender: appenderOf });
  // Loaded only where traces are asked for: it would take a tenth of a second of each start.
  const traces = config.traces === undefined ? noTraces : (await import("../platform/telemetry/otlp-traces.ts")).createTraces({ ...config.traces, version: version(), random, clock });
  const opa = config.policyUrl === "wasm" ? undefined : createOpaPolicies({ url: config.policyUrl.slice("opa:".length).replace(/\/+$/, ""), http, log });
  const load = watchLoad(() => ({ waiting: database.stats().waiting, pool: config.database.pool }));

  const quotas: Services["quotas"] = (db, orgId) => quotasOf(db, orgId, { defaults: config.quotas, clock });

  const services: Services = {
    database, policy, clock, ids, log, blobs: countedBlobs(blobs, { database, quotas }), http, waiter, compute, instance: lock.instance,
    settings: { osvUrl: config.osvUrl, scanLocalAddresses: config.scanLocalAddresses, deletionGraceDays: config.deletionGraceDays, signIn: signInOptionsOf(config, identity.own) }, secrets, publicUrl: publicUrlOf(config), permissions: registry.permissions,
    eventTypes, live, streams,
    authenticate: guardAuthentication(authentication.authenticate, createStrangerGate(clock), strangers), identify,
    settingsOf: authentication.settingsOf,
    limiter: createRateLimiter(caching.limits, { actor: config.rateLimit, address: Math.min(50, config.rateLimit) }),
    load: createLoadShedder(shedsLoad ? load.level : () => "normal"), strangers, cache: caching.cache,
    appender: appenderOf,
    quotas,
    workflows: (db, { orgId, starter: { kind, userId, keyId, ai } }, events) => workflowsIn(db, {
      orgId, starter: { kind, ai, ...(userId === undefined ? {} : { userId }), ...(keyId === undefined ? {} : { keyId }) },
    }, { clock, ids, events, workflows: registry.workflows }),
    verifyLog: (orgId, signal, progress) => verifyLog({
      database, keys: secrets, blobs: checkpoints, orgId, signal, progress: (done) => progress({ step: "reading events", done }),
    }),
    operations: registry.byId, approvals: { follow: followRequest as unknown as Workflow, eligible: eligiblePersons, makerOf: makerOfKey, actorOf: actorAgain({ database, clock, stillAllowed: authentication.stillAllowed }) },
    traces, organizationPolicies: opa ?? noOrganizationPolicies,
    observe: ({ operation, ...call }) => metrics.observeCall({ operation: operation.id, ...call }),
    platformOrgId: firstAdministrator.platformOrgId,
  };

  const running = workflows === undefined ? undefined : startWorkflows(workflows, {
    database, line, timer, clock, random, ids, log, compute, workflows: registry.workflows, steps: registry.steps, appender: appenderOf,
    blobs: services.blobs, http, settings: services.settings, secrets, quotas, instance: lock.instance, runApproved: (approval) => runApproved(services, approval), publicUrl: services.publicUrl, metrics, eventTypes,
    ...(config.mail === undefined ? {} : { mail: createSmtpMailer({ ...config.mail, ...(engines === undefined ? {} : { tls: engines }) }) }),
  });

  const erasure: ErasurePorts = {
    database, clock, ids, log, blobs, platformOrgId: services.platformOrgId, appender: appenderOf, onOrganizationEnded: [caching.cache.clear, ...(running === undefined ? [] : [running.endOrganization])],
    closeChain: (orgId) => closeChain({ database, checkpointer }, orgId),
  };

  return {
    services, registry, metrics, firstAdministrator,
    eraseDue: () => eraseDue(erasure, line), retention, identity,
    followApprovals: (everywhere) => followAgain({
      database, everywhere, follow: services.approvals.follow,
      workflowsFor: (db, orgId) => workflowsIn(db, { orgId, starter: { kind: "system", ai: false } }, { clock, ids, events: appenderFor(db, "approvals.follow-again", { orgId, requestId: ids.uuid() }), workflows: registry.workflows }),
    }),
    renewCertificate: () => running?.renewCertificate(),
    checks: createChecks({
      database: async () => ((await database.healthy()) ? "ok" : "does not answer"),
      ...(config.database.readUrl === undefined ? {} : { replica: async () => replicaState(database.replicaStatus()) }),
      ...(caching.check === undefined ? {} : { cache: caching.check }),
      ...(opa === undefined ? {} : { policy: opa.health }),
      ...(running === undefined ? {} : { workflows: running.check }),
      ...(outward === undefined ? {} : { bus: outward.health }),
      blobs: blobs.health, secrets: secrets.health,
      ...issuerChecks(config, { http, clock }),
      ...(config.traces === undefined ? {} : { traces: async () => traces.health() }),
      events: async () => (horizonSeconds > 30 ? `held back for ${Math.round(horizonSeconds)} s by an open transaction` : "ok"),
    }, clock),
    async stop() {
      load.stop();
      streams.close();
      await live.stop();
      await running?.stop();
      await strangers.stop();
      await runner.stop(5_000);
      await outwardRelay?.stop();
      await outward?.close();
      await relay.stop();
      await projections.stop();
      await caching.stop();
      await sealer.stop();
      waiter.close();
      await line.close();
      await sealerLine.close();
      await authentication.settled();
      await traces.stop();
      await lock.close();
      blobs.close();
      await http.close();
      await workers.close();
    },
  };
}

/** A replica that cannot be read is no reason to send requests elsewhere: the primary answers instead. */
function replicaState({ state, staleSeconds }: ReplicaStatus): string {
  const age = staleSeconds === undefined ? "" : ` (${staleSeconds} s old)`;
  return state === "ok" ? "ok" : `${state}${age}; reads go to the primary`;
}
