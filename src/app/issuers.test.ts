import { expect, it } from "vitest";
import { parseConfig } from "../platform/config.ts";
import { rolesOf, signInOptionsOf } from "./issuers.ts";

const roles = { claim: "groups", map: { ops: "operator" }, organization: "acme" };
const issuer = (name: string, more: object) => ({ issuer: `https://${name}.example`, audience: "qinfra-api", algorithms: ["RS256"], jwksUrl: `https://${name}.example/keys`, ...more });
const config = parseConfig({
  LOCAL_SIGN_IN: "off",
  JWT_ISSUERS: JSON.stringify([
    issuer("machines", {}), issuer("public", { client: { id: "cli" }, roles }), issuer("labelled", { client: { id: "cli" }, label: "Acme" }), issuer("confidential", { client: { id: "web", secret: "s" }, roles }),
  ]),
}, "/nowhere");
const own = { issuer: "https://qinfra.example/oidc" };

it("given issuers, then a command line is offered the platform's own and those that ask it for no secret", () => {
  expect(signInOptionsOf(config, own)).toEqual({
    issuers: [
      { issuer: own.issuer, label: "QL-RF", clientId: "qinfra-cli", local: true },
      { issuer: "https://public.example", label: "public.example", clientId: "cli", local: false },
      { issuer: "https://labelled.example", label: "Acme", clientId: "cli", local: false },
    ],
    passwords: false,
  });
});

it("given issuers, then those with roles make memberships", () => {
  expect(rolesOf(config)).toEqual(["https://public.example", "https://confidential.example"].map((name) => ({ issuer: name, map: { ops: "operator" }, organization: "acme" })));
});
