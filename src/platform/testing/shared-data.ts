import { existsSync } from "node:fs";
import { join, resolve } from "node:path";

/**
 * Where the large test data lies: `QINFRA_TEST_DATA`, else the folder beside the checkout that CI provides.
 * Returns undefined where it is missing, as on a user's machine; a test then skips and says so.
 */
export function sharedData(relativePath: string): string | undefined {
  const root = process.env["QINFRA_TEST_DATA"] ?? resolve(import.meta.dirname, "../../../../shared/data");
  const path = join(root, relativePath);
  return existsSync(path) ? path : undefined;
}

/** Said in the name of each test that is skipped because the test data is missing. */
export const sharedDataMissing = "skipped: the shared test data is not on this machine (set QINFRA_TEST_DATA)";
