import { expect, it } from "vitest";
import { nearOnes, requireKnown } from "./known-permission.ts";

const declared = ["images:read", "images:build", "images:delete", "assets:read", "assets:write", "api-keys:write", "public"];
const refused = (permission: string) => () => requireKnown(permission, declared, "https://qinfra.example");

it.each(["images:read", "assets:write", "images:*", "platform:*", "ai:execute"])("%s is known: an operation asks for it, or a role names it", (permission) => {
  expect(refused(permission)).not.toThrow();
});

it.each([
  ["images:bild", "/can: there is no permission images:bild. Did you mean images:build, "],
  ["image:read", "Did you mean images:read"],
  ["asset:wirte", "Did you mean assets:write"],
  ["api-key:write", "Did you mean api-keys:write"],
  ["nonsense", "/can: there is no permission nonsense. A permission is an area and what is done there, such as images:read; https://qinfra.example/docs/roles lists them."],
  ["", "there is no permission . A permission is"],
  ["images:\"", "Did you mean images:"],
])("%j is refused, and said is %j", (permission, said) => {
  expect(refused(permission)).toThrow(said);
});

it("names the nearest first, three at most, and no wildcard", () => {
  expect(nearOnes("images:bild", [...declared, "images:*", "images:bold", "images:gild"])).toHaveLength(3);
  expect(nearOnes("images:bild", [...declared, "images:*"])[0]).toBe("images:build");
});
