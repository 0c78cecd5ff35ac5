import { InputError } from "../input-error.ts";

/** Limits of one SBOM document. */
export const sbomLimits = {
  /** Bytes of text. */
  bytes: 256 * 1024 * 1024,
  components: 500_000,
  /** Components within components. */
  depth: 64,
  /** JSON nesting: each component in a component takes two levels, licences and evidence a few more. */
  jsonDepth: 200,
  jsonValues: 20_000_000,
} as const;

export function checkCount(count: number, jsonPath: string): void {
  if (count <= sbomLimits.components) return;
  throw new InputError("too-large", `the document has more than ${sbomLimits.components} components`, { jsonPath });
}
