import { argon2Sync } from "node:crypto";
import { describe, expect, it } from "vitest";
import { createPasswords, formatPhc, parsePhc, type Derive } from "./passwords.ts";

const cost = { memory: 64, passes: 1, parallelism: 1 };

function counted() {
  const calls: { memory: number; passes: number; parallelism: number }[] = [];
  let running = 0;
  let most = 0;
  const derive: Derive = async ({ memory, passes, parallelism, ...rest }) => {
    calls.push({ memory, passes, parallelism });
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
    return argon2Sync("argon2id", { memory, passes, parallelism, ...rest });
  };
  return { calls, derive, most: () => most };
}

describe("passwords", () => {
  it("given a hash, then only its password verifies", async () => {
    const passwords = createPasswords({ cost });
    const phc = await passwords.hash("correct horse battery staple");
    expect(phc).toMatch(/^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(await passwords.verify("correct horse battery staple", phc)).toBe(true);
    expect(await passwords.verify("correct horse battery stapler", phc)).toBe(false);
    expect(await passwords.hash("correct horse battery staple")).not.toBe(phc);
  });

  it("given another keyboard's form of the same letters, then it verifies", async () => {
    const passwords = createPasswords({ cost });
    expect(await passwords.verify("cafe\u0301", await passwords.hash("caf\u00e9"))).toBe(true);
  });

  it("given nobody's hash, then the same work is done and the answer is no", async () => {
    const { calls, derive } = counted();
    const passwords = createPasswords({ derive });
    expect(await passwords.verify("any password", undefined)).toBe(false);
    await passwords.verify("any password", await passwords.hash("another"));
    expect(calls).toEqual([calls[0], calls[0], calls[0]]);
    expect(calls[0]).toEqual({ memory: 19_456, passes: 2, parallelism: 1 });
  });

  it("given a hash of another cost, then it is verified at that cost", async () => {
    const old = await createPasswords({ cost: { memory: 32, passes: 2, parallelism: 2 } }).hash("password");
    expect(await createPasswords({ cost }).verify("password", old)).toBe(true);
  });

  it("given many at once, then two are worked out at a time, and a failure does not block the rest", async () => {
    const { derive, most } = counted();
    let calls = 0;
    const passwords = createPasswords({ cost, derive: async (parameters) => (++calls === 2 ? Promise.reject(new Error("out of memory")) : derive(parameters)) });
    const outcomes = await Promise.allSettled(Array.from({ length: 8 }, () => passwords.hash("x")));
    expect(outcomes.filter((outcome) => outcome.status === "rejected")).toHaveLength(1);
    expect(most()).toBe(2);
  });
});

it("given more than can wait, then the rest are refused at once", async () => {
  const passwords = createPasswords({ cost, derive: counted().derive });
  const outcomes = await Promise.allSettled(Array.from({ length: 210 }, () => passwords.verify("x", undefined)));
  const refused = outcomes.filter((outcome) => outcome.status === "rejected");
  expect(refused).toHaveLength(8);
  expect(refused[0]?.reason).toMatchObject({ type: { code: "too-many-requests" }, data: { retryAfterSeconds: 5 } });
});

// The vector of RFC 9106, 5.3, needs a secret and associated data; this one is its hash without them, by the reference
// implementation: echo -n password | argon2 somesalt -id -t 2 -m 16 -p 1 -l 32.
it("given the reference implementation's hash, then it verifies", async () => {
  const phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
  expect(await createPasswords().verify("password", phc)).toBe(true);
});

it.each(["", "$argon2i$v=19$m=64,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc", "$2b$10$abc", "$argon2id$v=19$m=99999999,t=1,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"])("given %j, then it is no hash of ours and is not quoted", (text) => {
  expect(() => parsePhc(text)).toThrow(/^a stored password hash is no argon2id PHC string$/);
});

it("given cost, salt and tag, then they are found again in the text", () => {
  const [nonce, tag] = [Buffer.from("0123456789abcdef"), Buffer.alloc(32, 5)];
  expect(parsePhc(formatPhc(cost, nonce, tag))).toEqual({ ...cost, nonce, tag });
});
