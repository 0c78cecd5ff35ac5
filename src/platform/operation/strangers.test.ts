import { expect, it, vi } from "vitest";
import { anonymous, type Actor } from "../actor.ts";
import { DeclaredError, errorType, Unauthenticated } from "../errors.ts";
import { createStrangerGate } from "../identity/stranger-gate.ts";
import { guardAuthentication, type Strangers } from "./strangers.ts";

const person: Actor = { ...anonymous, kind: "user", userId: "u1" };
const refuse = (code: string, status: number) => () => Promise.reject(new DeclaredError(errorType(code, status, code)));

it.each<[string, () => Promise<Actor>, string[]]>([
  ["a credential that is wrong", () => Promise.reject(new DeclaredError(Unauthenticated)), ["cookie"]],
  ["a session without proof that its person sent the request", refuse("csrf-missing", 403), ["cookie"]],
  ["an issuer that cannot be asked", refuse("issuer-unavailable", 503), []],
  ["a credential that is right", async () => person, []],
])("given %s, then it is recorded where it is a stranger's", async (_case, authenticate, noted) => {
  const note = vi.fn<Strangers["note"]>();
  const guarded = guardAuthentication(authenticate, createStrangerGate({ now: () => 0 }), { note });
  await guarded({ cookie: { session: "qis_x", csrf: false } }, { door: "browser", address: "192.0.2.1" }).catch(() => undefined);
  expect(note.mock.calls).toEqual(noted.map((reason) => ["192.0.2.1", reason]));
});
