import { createPasswords } from "../../platform/identity/passwords.ts";

/** One for the process, because it bounds how many hashes are worked out at once. */
export const passwords = createPasswords();
