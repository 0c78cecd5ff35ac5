import { expect, it } from "vitest";
import { anonymous } from "../actor.ts";
import { policyActor, whatItNames } from "./input.ts";

it("given a key of an agent, then it is the key that acts, for its person", () => {
  const actor = { ...anonymous, kind: "api-key" as const, keyId: "k1", userId: "u1", orgId: "o1", ai: true };
  expect(policyActor(actor)).toMatchObject({ kind: "api-key", id: "k1", actsFor: "u1", orgId: "o1", ai: true });
});

it("given a user, then nobody else is acted for", () => {
  const actor = policyActor({ ...anonymous, kind: "user", userId: "u1", sessionId: "s1" });
  expect(actor.id).toBe("u1");
  expect(actor).not.toHaveProperty("actsFor");
  expect(actor).not.toHaveProperty("sessionId");
});

it("given an input, then its short scalar members are what it names", () => {
  const input = { id: "img_1", force: true, limit: 10, document: "x".repeat(257), components: [{ name: "a" }], note: null };
  expect(whatItNames(input)).toEqual({ id: "img_1", force: true, limit: 10 });
});

it("given hundreds of members, then the first 64 are what it names", () => {
  const input = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`m${index}`, index]));
  expect(Object.keys(whatItNames(input))).toHaveLength(64);
});

it.each([[null], [undefined], ["text"], [["img_1"]]])("given %j, then nothing is named", (input) => {
  expect(whatItNames(input)).toEqual({});
});
