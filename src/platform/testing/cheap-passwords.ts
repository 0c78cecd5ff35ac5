import { vi } from "vitest";

// A password costs 70 ms of a core by design, and the integration tests make a thousand. What is tested there is who may
// sign in; that hashes cost what they should is tested in passwords.test.ts, and everything that runs as a process pays it.
vi.mock("../identity/passwords.ts", async (importOriginal) => {
  const actual = await importOriginal<typeof import("../identity/passwords.ts")>();
  const cost = { memory: 64, passes: 1, parallelism: 1 };
  return { ...actual, createPasswords: (options: Parameters<typeof actual.createPasswords>[0] = {}) => actual.createPasswords({ cost, ...options }) };
});
