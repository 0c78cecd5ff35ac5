import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** What kills, stops and floods real processes, over and over: `npm run test:chaos`. It needs no peer. */
const config = defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    name: "chaos",
    include: ["test/chaos/**/*.chaos.test.ts"],
    globalSetup: ["src/platform/testing/global-postgres.ts"],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
export default config; // vitest reads the default export of its configuration file
