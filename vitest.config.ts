import { defineConfig } from "vitest/config";

/** Unit and integration tests. What needs a real peer lies in test/real and runs by `npm run test:real`. */
const config = defineConfig({
  test: {
    include: ["src/**/*.test.ts", "test/**/*.test.ts"],
    exclude: ["test/real/**", "node_modules/**", ".qinfra/**"],
    globalSetup: ["src/platform/testing/global-postgres.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 60_000,
  },
});
export default config; // vitest reads the default export of its configuration file
