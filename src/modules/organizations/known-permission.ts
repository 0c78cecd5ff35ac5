import { fail, InvalidInput } from "../../platform/errors.ts";
import { namedPermissions } from "./roles.ts";

const mostNear = 3;
/** From this likeness on a name may be the one that was meant: slips in both words still leave that much. */
const alike = 0.5;

/** Refuses a permission that no operation asks for and no role names, and says which ones look like it. */
export function requireKnown(permission: string, declared: readonly string[], publicUrl: string): void {
  const known = [...new Set([...declared, ...namedPermissions()])];
  if (known.includes(permission)) return;
  const near = nearOnes(permission, known);
  const next = near.length === 0
    ? `A permission is an area and what is done there, such as images:read; ${publicUrl}/docs/roles lists them.`
    : `Did you mean ${new Intl.ListFormat("en-GB", { type: "disjunction" }).format(near)}?`;
  fail(InvalidInput, `/can: there is no permission ${permission}. ${next}`, { near });
}

export function nearOnes(name: string, known: readonly string[]): string[] {
  return known
    .map((other) => ({ other, likeness: likeness(name, other) }))
    .filter((one) => one.likeness >= alike && !one.other.endsWith(":*"))
    .sort((a, b) => b.likeness - a.likeness || (a.other < b.other ? -1 : 1))
    .slice(0, mostNear).map(({ other }) => other);
}

/** From 0 to 1: the pairs of neighbouring letters that both names have (Dice, 1945). */
function likeness(a: string, b: string): number {
  const [of, and] = [pairsOf(a), pairsOf(b)];
  return (2 * of.intersection(and).size) / Math.max(1, of.size + and.size);
}

function pairsOf(name: string): Set<string> {
  return new Set(Array.from({ length: Math.max(0, name.length - 1) }, (_, i) => name.slice(i, i + 2)));
}
