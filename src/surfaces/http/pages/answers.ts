/** What the pages use of the operations' answers. */

export const severities = ["critical", "high", "medium", "low", "none", "unknown"] as const;
export type Severity = (typeof severities)[number];

export interface Me {
  user: { id: string; name: string; displayName: string; email?: string };
  organization: { id: string; name: string; platform: boolean };
  /** All of the person's. */
  organizations: readonly { name: string }[];
  roles: readonly string[];
  permissions: readonly string[];
}

export interface PageOf<T> {
  items: readonly T[];
  next?: string;
}

export interface Feed {
  name: string;
  records: number;
  ecosystems: number;
  digest: string;
  newest: string | null;
  importedAt: string;
}

interface Os {
  id: string;
  versionId: string;
  name: string;
}

export interface Asset {
  id: string;
  name: string;
  kind: string;
  site: string | null;
  criticality: string;
  exposure: string;
  os: Os | null;
  source: string;
  packages: number | null;
  scannedAt: string | null;
}

export interface Image {
  id: string;
  family: string;
  version: string;
  source: string;
  digest: string | null;
  os: Os | null;
  packages: number;
  createdAt: string;
}

/** What waits for people to agree. */
export interface ApprovalRequest {
  id: string;
  operation: string;
  about: string | null;
  ai: boolean;
  createdAt: string;
  escalatedAt: string | null;
}

export interface Run {
  id: string;
  workflow: string;
  parent: string | null;
  failure: { code: string } | null;
  endedAt: string | null;
}

export interface Delivery {
  id: string;
  attempts: number;
  reason: string | null;
  endedAt: string | null;
}

export interface Summary {
  findings: number;
  cves: number;
  bySeverity: Record<Severity, number>;
  packages: number;
  couldNotMatch: number;
}

export type MatchState = "current" | "stale" | "pending" | "never-scanned";

export interface Finding {
  advisory: string;
  aliases: readonly string[];
  summary?: string;
  ecosystem: string;
  source: string;
  sourceVersion: string;
  matchedBy: string;
  fixedVersion: string | null;
  severity: Severity;
  packages: readonly { name: string; version?: string }[];
}

export interface Findings extends PageOf<Finding> {
  state: MatchState;
  summary: Summary | null;
}

export interface AuditEvent {
  sequence: number;
  time: string;
  type: string;
  subject: string;
  actor: string;
  door: string;
  ai: boolean;
}

export function osText(os: Os | null): string {
  return os === null ? "not known" : os.name;
}
