import { expect, it } from "vitest";
import { createRegistry } from "../platform/operation/registry.ts";
import { modules } from "./modules.ts";
import { pureHandler, pureOperationIds } from "./pure-handlers.ts";

it("knows every pure operation, and nothing else", () => {
  const pure = createRegistry(modules).operations.filter((operation) => operation.effect === "pure").map((operation) => operation.id);
  expect([...pureOperationIds].sort()).toEqual(pure.sort());
});

it.each([
  ["Debian:12", "1.6.3-1", "1.6.3-1+deb12u1", "older"],
  ["Debian", "2:1.0", "9:0.1", "older"],
  ["npm", "1.10.0", "1.9.0", "newer"],
  ["Go", "1.0.0", "1.0.0+incompatible", "equal"],
])("compares versions of %s in the CLI's own process: %s is %s", async (ecosystem, a, b, order) => {
  const compare = await pureHandler("versions.compare");
  expect(await compare?.({ ecosystem, a, b })).toEqual({ order });
});

it.each([
  [{ ecosystem: "Maven", a: "1", b: "2" }, "Versions of Maven are not compared"],
  [{ ecosystem: "npm", a: "1.0.0", b: "one" }, '"one" is not a valid version'],
  [{ ecosystem: "npm", a: "1.0.0" }, "/b: is required"],
])("refuses %j", async (input, message) => {
  const compare = await pureHandler("versions.compare");
  await expect(compare?.(input)).rejects.toThrow(message);
});
