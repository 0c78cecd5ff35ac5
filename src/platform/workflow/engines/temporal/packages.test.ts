import { expect, it } from "vitest";
import manifest from "../../../../../package.json" with { type: "json" };
import { sdkVersion } from "./packages.ts";

it("names the release of Temporal's SDK that the lock file has", () => {
  const used = Object.entries(manifest.devDependencies).filter(([name]) => name.startsWith("@temporalio/"));
  expect(used.map(([, version]) => version)).toEqual(used.map(() => sdkVersion));
  expect(used.length).toBeGreaterThan(0);
});
