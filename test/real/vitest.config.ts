import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Suites against real servers and tools (`npm run peers`). One whose peer is missing is skipped, with the reason in its name. */
const config = defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    name: "real",
    include: ["test/real/**/*.real.test.ts"],
    // For suites that run what lies in src/**/testing against a real peer.
    globalSetup: ["src/platform/testing/global-postgres.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 120_000,
    teardownTimeout: 30_000,
  },
});
export default config; // vitest reads the default export of its configuration file
