import type { Role } from "../roles.ts";

/** The widest first. An auditor sees what a viewer sees, and the log. */
const byWidth: readonly Role[] = ["admin", "operator", "auditor", "viewer"];

/** The widest role that the groups give; undefined where they give none. */
export function claimedRole(groups: readonly string[], map: Readonly<Record<string, Role>>): Role | undefined {
  const given = new Set(groups.filter((group) => Object.hasOwn(map, group)).map((group) => map[group]));
  return byWidth.find((role) => given.has(role));
}

/** How somebody stands in the organization of an issuer. Times in milliseconds since 1970. */
export interface Known {
  /** When the newest token that was heard was issued. */
  claimedAt?: number;
  membership?: { role: Role; issuer: string | null };
}

export interface Claimed {
  issuer: string;
  issuedAt: number;
  /** Absent where no group gives one. */
  role?: Role;
}

/** `note`: remember only that the token was heard. */
export type Change = "nothing" | "note" | "add" | "set" | "end";

/**
 * What a token changes. The newest one counts; of two of the same second the narrower, whichever comes first, because
 * nobody knows which was later. Memberships that were made by hand, or by another issuer, are not the issuer's to change.
 */
export function changeBy(claimed: Claimed, { claimedAt, membership }: Known): Change {
  const own = membership?.issuer === claimed.issuer ? membership : undefined;
  if (claimedAt !== undefined && claimed.issuedAt < claimedAt) return "nothing";
  if (claimed.issuedAt === claimedAt) {
    if (own === undefined || own.role === claimed.role) return "nothing";
    if (claimed.role === undefined) return "end";
    return byWidth.indexOf(claimed.role) > byWidth.indexOf(own.role) ? "set" : "nothing";
  }
  if (membership !== undefined && own === undefined) return "note";
  if (claimed.role === undefined) return own === undefined ? "note" : "end";
  if (own === undefined) return "add";
  return own.role === claimed.role ? "note" : "set";
}
