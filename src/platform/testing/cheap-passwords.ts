import { setPasswordCost } from "../identity/passwords.ts";

// A password costs 70 ms of a core by design, and the integration tests make a thousand. What is tested there is who may
// sign in; that hashes cost what they should is tested in passwords.test.ts, and everything that runs as a process pays it.
setPasswordCost({ memory: 64, passes: 1, parallelism: 1 });
