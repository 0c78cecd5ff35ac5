import { defineConfig } from "vitest/config";

const notHere = ["node_modules/**", "dist/**", ".qinfra/**", "test/real/**", "test/chaos/**"];
const limits = { testTimeout: 20_000, hookTimeout: 60_000 };
// Node runs our TypeScript as it is, and without isolation a worker loads the program once for all its files.
const native = { viteModuleRunner: false, nodeLoader: false };

/**
 * `unit` needs no I/O; `integration` (`*.int.test.ts`) runs against an embedded PostgreSQL and real processes.
 * What needs a peer that must be installed lies in test/real and runs by `npm run test:real`; what kills processes over
 * and over lies in test/chaos, `npm run test:chaos`.
 */
const config = defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits, name: "unit", include: ["src/**/*.test.ts", "test/**/*.test.ts"], exclude: [...notHere, "**/*.int.test.ts"],
          experimental: native, pool: "threads", isolate: false, maxWorkers: 2, sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...limits, name: "integration", include: ["src/**/*.int.test.ts", "test/**/*.int.test.ts"], exclude: notHere,
          globalSetup: ["src/platform/testing/global-postgres.ts"], setupFiles: ["src/platform/testing/cheap-passwords.ts"], pool: "forks",
          experimental: native, isolate: false,
          // They wait for disks and processes more than they compute.
          maxWorkers: 4, sequence: { groupOrder: 1 }, testTimeout: 40_000,
        },
      },
    ],
  },
});
export default config; // vitest reads the default export of its configuration file
