import { InputError } from "../../software/input-error.ts";
import { CollectError, type CollectErrorCode } from "../collectors/collect-error.ts";
import { AddressRefused } from "./addresses.ts";

export const failureCodes = [
  "address-refused", "connection-failed", "connection-refused", "damaged-database", "host-key-changed", "host-key-unknown", "host-unknown", "malformed-answer",
  "no-sh", "not-our-answer", "permission-denied", "quota-exceeded", "timeout", "too-large", "tool-missing", "truncated-answer", "unsupported-system",
  /** The server could not do it; its log says more. */
  "step-failed",
] as const;
export type FailureCode = (typeof failureCodes)[number];

/** Why a host was not scanned. */
export interface Failure {
  code: FailureCode;
  /** One line, at most 500 characters. */
  reason: string;
}

/** That of a failed step. */
export function failureCode(code: string): FailureCode {
  return code === "step-timeout" ? "timeout" : (failureCodes.find((known) => known === code) ?? "step-failed");
}

/** What may pass by itself within seconds. */
export const passing: ReadonlySet<string> = new Set<CollectErrorCode>(["timeout", "connection-refused", "connection-failed", "truncated-answer"]);

const next: Partial<Record<CollectErrorCode, string>> = {
  "host-key-changed": "Ask who runs the host for its fingerprint; only if it changed rightly: qinfra sites hosts add with the new hostKey.",
  "host-key-unknown": "Give its hostKey (ssh-keyscan shows it, compare the fingerprint), or a line of the site's knownHosts.",
  "permission-denied": "Check the site's user, and that the public half of its key is in the host's authorized_keys.",
};

/** The failure of a host, or undefined for what is not the host's fault. */
export function failureOfHost(error: unknown): Failure | undefined {
  if (error instanceof InputError) return { code: "damaged-database", reason: shortened(error.message) };
  if (error instanceof AddressRefused) return { code: error.code, reason: shortened(error.message) };
  if (!(error instanceof CollectError) || error.code === "cancelled" || error.code === "no-ssh") return undefined;
  return { code: failureCode(error.code), reason: shortened([error.message, next[error.code]].filter((part) => part !== undefined).join(" ")) };
}

export function shortened(text: string): string {
  return text.replaceAll(/\s+/g, " ").slice(0, 500);
}
