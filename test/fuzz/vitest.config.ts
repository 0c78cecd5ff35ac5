import { resolve } from "node:path";
import { defineConfig } from "vitest/config";

/** Wrong input of every sort to each operation, at each of its doors: `npm run test:fuzz`. It needs no peer. */
const config = defineConfig({
  root: resolve(import.meta.dirname, "../.."),
  test: {
    name: "fuzz",
    include: ["test/fuzz/**/*.fuzz.test.ts"],
    globalSetup: ["src/platform/testing/global-postgres.ts"],
    setupFiles: ["src/platform/testing/cheap-passwords.ts"],
    experimental: { viteModuleRunner: false, nodeLoader: false },
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
export default config; // vitest reads the default export of its configuration file
