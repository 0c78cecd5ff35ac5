import { DeclaredError, PermissionMissing, Unauthenticated } from "../../../platform/errors.ts";
import type { Lru } from "../../../platform/identity/lru.ts";
import type { ApprovalRequest, Asset, AuditEvent, Delivery, Feed, Findings, Image, MatchState, Me, PageOf, Run, Summary } from "./answers.ts";
import type { Health, MachineView, PagePorts } from "./ports.ts";
import { isOfStanding, type Visitor } from "./visitor.ts";

/** A part of the page, or why it is not there: a part that fails leaves the others standing. */
export type Section<T> = { shown: true; value: T } | { shown: false; why: string };

export interface Matched {
  state: MatchState;
  summary: Summary | null;
}

export type MachineFindings =
  | { state: "no-advisories" }
  | { state: "not-shown"; why: string }
  | { state: "matched"; summary: Summary };

export type MachineSection =
  | Exclude<MachineView, { state: "read" }>
  | { state: "withheld" }
  | (Extract<MachineView, { state: "read" }> & { findings: MachineFindings });

export interface Listed<T> {
  items: readonly (T & { matched: Section<Matched> })[];
  next?: string;
}

/** What somebody has to look at, the newest first. */
export interface Attention {
  approvals: Section<readonly ApprovalRequest[]>;
  runs: Section<readonly Run[]>;
  deliveries: Section<readonly Delivery[]>;
}

export interface StatusData {
  me: Me;
  attention: Attention;
  machine: MachineSection;
  feeds: Section<readonly Feed[]>;
  assets: Section<Listed<Asset>>;
  images: Section<Listed<Image>>;
  events: Section<readonly AuditEvent[]>;
  health: Health;
}

/** The summaries of this machine by who asks and which feeds are loaded; matching a thousand packages takes a while. */
export type MachineCache = Lru<Summary>;
const cacheMs = 5 * 60_000;

const rows = 15;
const lastEvents = 12;
const mostLooked = 20;
/** What failed longer ago is history. */
const freshMs = 7 * 24 * 3_600_000;
/** So many lookups of one page at a time: it must not take all connections. */
const atOnce = 4;

export interface StatusQuery {
  assets?: string;
  images?: string;
}

export async function readStatus(ports: PagePorts, visitor: Visitor, me: Me, query: StatusQuery, cache: MachineCache): Promise<StatusData> {
  const section: ReadSection = async (operation, read) => sectionOf(await visitor.refusal(operation), read);
  const feeds = await section("feeds.list", async () => (await visitor.call<PageOf<Feed>>("feeds.list", { limit: 100 })).items);
  const assets = await section("inventory.list-assets", () => listed<Asset>(visitor, section, "inventory.list-assets", "asset", query.assets));
  const images = await section("images.list", () => listed<Image>(visitor, section, "images.list", "image", query.images));
  const attention = await readAttention(visitor, section, ports.services.clock.now());
  const [events, machine, health] = await Promise.all([
    section("audit.list", async () => (await visitor.call<PageOf<AuditEvent>>("audit.list", { limit: lastEvents })).items),
    machineSection(ports, visitor, section, me, feeds, cache),
    ports.health(),
  ]);
  return { me, attention, machine, feeds, assets, images, events, health };
}

async function readAttention(visitor: Visitor, section: ReadSection, now: number): Promise<Attention> {
  const items = async <T>(operation: string, state: string): Promise<readonly T[]> => (await visitor.call<PageOf<T>>(operation, { state, limit: mostLooked })).items;
  const fresh = ({ endedAt }: { endedAt: string | null }): boolean => endedAt !== null && Date.parse(endedAt) > now - freshMs;
  const [approvals, runs, deliveries] = await Promise.all([
    section("approvals.list", () => items<ApprovalRequest>("approvals.list", "pending")),
    // What a failed run had started is a part of it.
    section("workflows.list", async () => (await items<Run>("workflows.list", "failed")).filter((run) => run.parent === null && fresh(run))),
    section("notifications.list-deliveries", async () => (await items<Delivery>("notifications.list-deliveries", "failed")).filter(fresh)),
  ]);
  return { approvals, runs, deliveries };
}

async function listed<T extends { id: string }>(visitor: Visitor, section: ReadSection, operation: string, kind: "asset" | "image", cursor: string | undefined): Promise<Listed<T>> {
  const page = await visitor.call<PageOf<T>>(operation, { limit: rows, ...(cursor === undefined ? {} : { cursor }) });
  const items: (T & { matched: Section<Matched> })[] = [];
  for (let i = 0; i < page.items.length; i += atOnce) {
    items.push(...(await Promise.all(page.items.slice(i, i + atOnce).map(async (item) => ({ ...item, matched: await section("vulnerabilities.list-findings", () => matchedOf(visitor, kind, item.id)) })))));
  }
  return { items, ...(page.next === undefined ? {} : { next: page.next }) };
}

async function matchedOf(visitor: Visitor, kind: "asset" | "image", id: string): Promise<Matched> {
  const { state, summary } = await visitor.call<Findings>("vulnerabilities.list-findings", { [kind]: id, limit: 1 });
  return { state, summary };
}

/** Nobody but those who run the platform learns what runs beside it. */
async function machineSection(ports: PagePorts, visitor: Visitor, section: ReadSection, me: Me, feeds: StatusData["feeds"], cache: MachineCache): Promise<MachineSection> {
  if (!me.organization.platform) return { state: "withheld" };
  const machine = ports.machine();
  if (machine.state !== "read") return machine;
  if (!feeds.shown) return { ...machine, findings: { state: "not-shown", why: feeds.why } };
  if (feeds.value.length === 0) return { ...machine, findings: { state: "no-advisories" } };
  const key = JSON.stringify([me.user.id, me.organization.id, me.permissions, machine.readAt, feeds.value.map(({ name, digest }) => [name, digest])]);
  const now = ports.services.clock.now();
  const known = cache.get(key, now);
  if (known !== undefined) return { ...machine, findings: { state: "matched", summary: known } };
  const scanned = await section("vulnerabilities.scan", async () => (await visitor.call<{ summary: Summary }>("vulnerabilities.scan", { components: machine.components })).summary);
  if (!scanned.shown) return { ...machine, findings: { state: "not-shown", why: scanned.why } };
  cache.set(key, scanned.value, now + cacheMs);
  return { ...machine, findings: { state: "matched", summary: scanned.value } };
}

/** A part of the page that needs the operation. */
type ReadSection = <T>(operation: string, read: () => Promise<T>) => Promise<Section<T>>;

async function sectionOf<T>(refusal: DeclaredError | undefined, read: () => Promise<T>): Promise<Section<T>> {
  try {
    if (refusal !== undefined) throw refusal;
    return { shown: true, value: await read() };
  } catch (error) {
    // Who is here concerns the whole page.
    if (!(error instanceof DeclaredError) || error.type.code === Unauthenticated.code || isOfStanding(error)) throw error;
    const permission = error.type.code === PermissionMissing.code ? error.data?.["permission"] : undefined;
    if (typeof permission !== "string") return { shown: false, why: error.message };
    return { shown: false, why: `This needs the permission ${permission}, which your role does not have. Ask an administrator of the organization.` };
  }
}
