/** A Debian version split as deb-version(7) says: `[epoch:]upstream[-revision]`. */
interface DebVersion {
  epoch: number;
  upstream: string;
  revision: string;
}

const allowed = /^[A-Za-z0-9.+~:-]+$/;
const digits = /^[0-9]+$/;
const maxEpoch = 2_147_483_647; // dpkg keeps the epoch in a C int

/** True where dpkg would read `text` as a version. */
export function isDebVersion(text: string): boolean {
  return parse(text) !== undefined;
}

/**
 * Orders two Debian versions as deb-version(7) and dpkg's verrevcmp do.
 * Returns below 0, 0 or above 0; undefined where one of them is no Debian version.
 */
export function compareDeb(left: string, right: string): number | undefined {
  const a = parse(left);
  const b = parse(right);
  if (a === undefined || b === undefined) return undefined;
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  return comparePart(a.upstream, b.upstream) || comparePart(a.revision, b.revision);
}

function parse(text: string): DebVersion | undefined {
  if (!allowed.test(text)) return undefined;
  let rest = text;
  let epoch = 0;
  const colon = rest.indexOf(":");
  if (colon >= 0) {
    const written = rest.slice(0, colon);
    if (!digits.test(written)) return undefined;
    epoch = Number(written);
    if (epoch > maxEpoch) return undefined;
    rest = rest.slice(colon + 1);
  }
  const hyphen = rest.lastIndexOf("-");
  const upstream = hyphen < 0 ? rest : rest.slice(0, hyphen);
  const revision = hyphen < 0 ? "" : rest.slice(hyphen + 1);
  if (upstream === "" || (hyphen >= 0 && revision === "") || revision.includes(":")) return undefined;
  return { epoch, upstream, revision };
}

/** Alternates runs of non-digits, ordered by `order`, and runs of digits, ordered as numbers of any length. */
function comparePart(a: string, b: string): number {
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    while ((i < a.length && !isDigit(a, i)) || (j < b.length && !isDigit(b, j))) {
      const difference = order(a, i) - order(b, j);
      if (difference !== 0) return difference;
      i += 1;
      j += 1;
    }
    while (a.charCodeAt(i) === 48) i += 1;
    while (b.charCodeAt(j) === 48) j += 1;
    let firstDifference = 0;
    while (isDigit(a, i) && isDigit(b, j)) {
      if (firstDifference === 0) firstDifference = a.charCodeAt(i) - b.charCodeAt(j);
      i += 1;
      j += 1;
    }
    if (isDigit(a, i)) return 1;
    if (isDigit(b, j)) return -1;
    if (firstDifference !== 0) return firstDifference;
  }
  return 0;
}

/** The tilde before the end, the end (and digits) before letters, letters before everything else. */
function order(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (Number.isNaN(code) || (code >= 48 && code <= 57)) return 0;
  if (code === 126) return -1;
  const letter = (code >= 65 && code <= 90) || (code >= 97 && code <= 122);
  return letter ? code : code + 256;
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= 48 && code <= 57;
}
