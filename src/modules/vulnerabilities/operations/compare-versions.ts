import { Type } from "typebox";
import { errorType, fail } from "../../../platform/errors.ts";
import { pureOperation } from "../../../platform/operation/pure.ts";
import { normaliseEcosystem, orderOf } from "../domain/ecosystems.ts";

export const EcosystemNotCompared = errorType("ecosystem-not-compared", 422, "Versions of this ecosystem are not compared");
export const VersionInvalid = errorType("version-invalid", 422, "This is not a version of the ecosystem");

const version = (description: string) => Type.String({ minLength: 1, maxLength: 500, pattern: "^[^\\u0000]+$", description });

export const compareVersions = pureOperation({
  id: "versions.compare",
  http: "GET /api/v1/versions/compare",
  cli: { name: "versions compare", positional: ["ecosystem", "a", "b"] },
  summary: "Compare two versions as matching compares them",
  permission: "self",
  reason: "it depends on nothing but its input",
  input: Type.Object({
    ecosystem: Type.String({ pattern: "^[A-Za-z][A-Za-z0-9 .:_-]{0,99}$", description: "OSV ecosystem, with or without a release", examples: ["Debian:12"] }),
    a: version("One version"),
    b: version("Another version"),
  }),
  output: Type.Object({ order: Type.Enum(["older", "equal", "newer"], { description: "What a is, compared with b" }) }),
  errors: [EcosystemNotCompared, VersionInvalid],
  examples: [{ input: { ecosystem: "Debian:12", a: "1.6.3-1", b: "1.6.3-1+deb12u1" } }],
  compute({ ecosystem, a, b }) {
    const order = orderOf(normaliseEcosystem(ecosystem));
    if (order === undefined) fail(EcosystemNotCompared, `Versions of ${ecosystem} are not compared; Debian, Ubuntu, npm, crates.io and Go are.`);
    const result = order.compare(a, b);
    if (result === undefined) fail(VersionInvalid, `"${order.isValid(a) ? b : a}" is not a valid version for ${ecosystem}.`);
    return { order: result < 0 ? "older" as const : result > 0 ? "newer" as const : "equal" as const };
  },
});
