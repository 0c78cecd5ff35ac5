import { argon2, randomBytes, timingSafeEqual, type Argon2Parameters } from "node:crypto";
import { fail, TooManyRequests } from "../errors.ts";

/** Cost of one hash. `memory` in KiB. */
export interface PasswordCost {
  memory: number;
  passes: number;
  parallelism: number;
}

export type Derive = (parameters: Argon2Parameters) => Promise<Buffer>;

export interface Passwords {
  /** Errors of both: TooManyRequests, when too many wait. PHC string of a password: `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<tag>`. */
  hash(password: string): Promise<string>;
  /** Whether the password is the one of the PHC string. Without one it does the same work and answers false. */
  verify(password: string, phc: string | undefined): Promise<boolean>;
}

// Argon2id with 19 MiB, two passes, one lane: the second choice of the OWASP Password Storage Cheat Sheet, about 70 ms
// here. Two at a time bound the memory, and leave half of Node's thread pool to everything else.
export const earnestCost: Readonly<PasswordCost> = { memory: 19_456, passes: 2, parallelism: 1 };
let usualCost = earnestCost;
const mostAtOnce = 2;
const mostWaiting = 200; // about eight seconds of work
const saltBytes = 16;
const tagBytes = 32;

/** For tests of who may sign in, which make a thousand hashes: what those made from now on cost. Answers what they did. */
export function setPasswordCost(next: Readonly<PasswordCost>): Readonly<PasswordCost> {
  const before = usualCost;
  usualCost = next;
  return before;
}

export function createPasswords(options: { cost?: PasswordCost; random?: (bytes: number) => Uint8Array; derive?: Derive } = {}): Passwords {
  const { random = randomBytes, derive = deriveArgon2id } = options;
  const cost = (): PasswordCost => options.cost ?? usualCost;
  const turn = createTurns(mostAtOnce);
  return {
    async hash(password) {
      const nonce = random(saltBytes);
      const current = cost();
      const tag = await turn(() => derive({ message: normalised(password), nonce, tagLength: tagBytes, ...current }));
      return formatPhc(current, nonce, tag);
    },
    async verify(password, phc) {
      const { nonce, tag, ...stored } = parsePhc(phc ?? formatPhc(cost(), new Uint8Array(saltBytes), new Uint8Array(tagBytes)));
      const derived = await turn(() => derive({ message: normalised(password), nonce, tagLength: tag.length, ...stored }));
      return timingSafeEqual(derived, tag) && phc !== undefined;
    },
  };
}

/** The same password typed on another keyboard may come in another Unicode form (RFC 8265 asks for NFC). */
function normalised(password: string): string {
  return password.normalize("NFC");
}

function deriveArgon2id(parameters: Argon2Parameters): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2("argon2id", parameters, (error, key) => (error === null ? resolve(key) : reject(error)));
  });
}

function unpadded(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("base64").replaceAll("=", "");
}

/** The PHC string format, https://github.com/P-H-C/phc-string-format. */
export function formatPhc(cost: PasswordCost, salt: Uint8Array, tag: Uint8Array): string {
  return `$argon2id$v=19$m=${cost.memory},t=${cost.passes},p=${cost.parallelism}$${unpadded(salt)}$${unpadded(tag)}`;
}

/** Throws where the text is no argon2id PHC string; the text itself is never quoted. */
export function parsePhc(phc: string): PasswordCost & { nonce: Buffer; tag: Buffer } {
  const match = /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/.exec(phc);
  if (match === null) throw new TypeError("a stored password hash is no argon2id PHC string");
  const [, memory, passes, parallelism, salt = "", tag = ""] = match;
  return { memory: Number(memory), passes: Number(passes), parallelism: Number(parallelism), nonce: Buffer.from(salt, "base64"), tag: Buffer.from(tag, "base64") };
}

/** Runs at most `most` of the given works at once, the others in order; past `mostWaiting` it refuses. */
function createTurns(most: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (waiting.length >= mostWaiting) fail(TooManyRequests, "Too many people are signing in; try again in a few seconds.", { retryAfterSeconds: 5 });
    if (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
