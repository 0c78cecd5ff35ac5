import { defineConfig } from "vitest/config";

const notHere = ["node_modules/**", "dist/**", ".qinfra/**", "test/real/**", "test/chaos/**", "test/fuzz/**"];
const limits = { testTimeout: 20_000, hookTimeout: 60_000 };
// Node runs our TypeScript as it is, and without isolation a worker loads the program once for all its files.
const native = { viteModuleRunner: false, nodeLoader: false };

const integration = {
  ...limits, globalSetup: ["src/platform/testing/global-postgres.ts"], setupFiles: ["src/platform/testing/cheap-passwords.ts"], pool: "forks" as const,
  experimental: native, isolate: false, testTimeout: 40_000,
};

/**
 * `unit` needs no I/O; `integration` (`*.int.test.ts`) runs against an embedded PostgreSQL and real processes; `docs` runs
 * what documents show, and is a part of `npm run check`. Elsewhere lie test/real, which needs peers that must be installed
 * (`npm run test:real`), test/chaos, which kills processes over and over (`npm run test:chaos`), and test/fuzz, which gives
 * wrong input to every operation (`npm run test:fuzz`).
 */
const config = defineConfig({
  test: {
    projects: [
      {
        test: {
          ...limits, name: "unit", include: ["src/**/*.test.ts", "test/**/*.test.ts"], exclude: [...notHere, "test/docs/**", "**/*.int.test.ts"],
          experimental: native, pool: "threads", isolate: false, maxWorkers: 2, sequence: { groupOrder: 0 },
        },
      },
      {
        // They wait for disks and processes more than they compute.
        test: { ...integration, name: "integration", include: ["src/**/*.int.test.ts", "test/**/*.int.test.ts"], exclude: [...notHere, "test/docs/**"], maxWorkers: 4, sequence: { groupOrder: 1 } },
      },
      {
        test: { ...integration, name: "docs", include: ["test/docs/**/*.test.ts"], maxWorkers: 2, sequence: { groupOrder: 2 } },
      },
    ],
  },
});
export default config; // vitest reads the default export of its configuration file
