/** Semantic Versioning 2.0.0 with the parts that precedence needs; numbers stay text, as they may be of any length. */
interface SemVer {
  core: [string, string, string];
  prerelease: string[];
}

const number = "(0|[1-9][0-9]*)";
const pattern = new RegExp(
  `^v?${number}(?:\\.${number})?(?:\\.${number})?(?:-([0-9A-Za-z.-]+))?(?:\\+[0-9A-Za-z.-]+)?$`,
);
const numeric = /^[0-9]+$/;

/** True where `compareSemver` can order `text`. */
export function isSemver(text: string): boolean {
  return parse(text) !== undefined;
}

/**
 * Orders two versions by the precedence of semver.org 2.0.0, section 11. As in OSV data, a leading `v` (Go) is
 * accepted and missing minor or patch numbers are 0. OSV's `0`, lower than every version, is the business of
 * whoever evaluates the range, because `0` written as a version is 0.0.0.
 * Returns below 0, 0 or above 0; undefined where one of them is no semantic version and they are not the same text.
 */
export function compareSemver(left: string, right: string): number | undefined {
  if (left === right) return 0;
  const a = parse(left);
  const b = parse(right);
  if (a === undefined || b === undefined) return undefined;
  for (const at of [0, 1, 2] as const) {
    const difference = compareNumbers(a.core[at], b.core[at]);
    if (difference !== 0) return difference;
  }
  return comparePrerelease(a.prerelease, b.prerelease);
}

function parse(text: string): SemVer | undefined {
  if (text.length > 256) return undefined;
  const found = pattern.exec(text);
  if (found === null) return undefined;
  const [, major = "0", minor = "0", patch = "0", suffix] = found;
  const prerelease = suffix === undefined ? [] : suffix.split(".");
  if (prerelease.some((part) => part === "" || (numeric.test(part) && part.length > 1 && part.startsWith("0")))) {
    return undefined;
  }
  return { core: [major, minor, patch], prerelease };
}

function comparePrerelease(a: string[], b: string[]): number {
  if (a.length === 0 || b.length === 0) return b.length - a.length;
  for (let at = 0; at < Math.min(a.length, b.length); at += 1) {
    const difference = compareIdentifiers(a[at] ?? "", b[at] ?? "");
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

function compareIdentifiers(a: string, b: string): number {
  const aIsNumber = numeric.test(a);
  const bIsNumber = numeric.test(b);
  if (aIsNumber && bIsNumber) return compareNumbers(a, b);
  if (aIsNumber !== bIsNumber) return aIsNumber ? -1 : 1;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Decimal numbers without leading zeros, of any length. */
function compareNumbers(a: string, b: string): number {
  if (a.length !== b.length) return a.length - b.length;
  return a < b ? -1 : a > b ? 1 : 0;
}
