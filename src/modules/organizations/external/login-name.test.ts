import { expect, it } from "vitest";
import { faultsAgainst } from "../../../platform/operation/validate.ts";
import { LoginName } from "../schemas.ts";
import { loginNames } from "./login-name.ts";

const random = (bytes: number) => Uint8Array.from({ length: bytes }, (_, i) => i);

it.each([
  [{ username: "ada", email: "lovelace@example.org" }, "ada"],
  [{ email: "ada@example.org" }, "ada@example.org"],
  [{}, "00000000-aaaa"],
  [{ username: "Zoë Müller" }, "Zoe-Muller"],
  [{ username: "DOMAIN\\bob" }, "DOMAIN-bob"],
  [{ username: "-_.evil" }, "evil"],
  [{ username: "李小龍", email: "lee@example.org" }, "lee@example.org"],
  [{ username: "x".repeat(200) }, "x".repeat(60)],
])("given %j, then a name of them that logs in, and others where it is taken", (claims, name) => {
  const names = [...loginNames({ subject: "00000000-aaaa", ...claims }, random)];
  expect(names[0]).toBe(name);
  expect(names[1]).toBe(`${name}-01234567`);
  for (const one of names) expect(faultsAgainst(LoginName, one)).toEqual([]);
});

it("given nothing to make a name of, then there is one nevertheless", () => {
  expect(loginNames({ subject: "|||" }).next().value).toBe("user");
});
