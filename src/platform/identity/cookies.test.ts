import { describe, expect, it } from "vitest";
import { browserSession, csrfToken, sessionCookie } from "./cookies.ts";

const csrfKey = Buffer.alloc(32, 7);
const session = "qis_abc";
const token = csrfToken(session, csrfKey);

it.each([
  [true, "__Host-qinfra"],
  [false, "qinfra"],
])("given TLS is %s, then the cookie is %s", (secure, name) => {
  expect(sessionCookie({ secure, maxAgeSeconds: 60 })).toEqual({ name, options: { path: "/", httpOnly: true, sameSite: "lax", secure, maxAge: 60 } });
});

describe("browserSession", () => {
  const cookies = { "__Host-qinfra": session };
  it.each([
    ["a page", { method: "GET", cookies, csrf: undefined }, true],
    ["a change with its token", { method: "POST", cookies, csrf: token }, true],
    ["a change with its token, as browsers send it", { method: "POST", cookies, csrf: token, fetchSite: "same-origin" }, true],
    ["a change without a token", { method: "POST", cookies, csrf: undefined }, false],
    ["a change with an empty token", { method: "DELETE", cookies, csrf: "" }, false],
    ["a change with the token of another session", { method: "PUT", cookies, csrf: csrfToken("qis_abd", csrfKey) }, false],
    ["a change with a token under another key", { method: "PUT", cookies, csrf: csrfToken(session, Buffer.alloc(32, 8)) }, false],
    ["a change from another site", { method: "POST", cookies, csrf: token, fetchSite: "cross-site" }, false],
    ["a change from a sibling host", { method: "POST", cookies, csrf: token, fetchSite: "same-site" }, false],
  ])("given %s, then it is proven or not", (_case, request, csrf) => {
    expect(browserSession(request, { secure: true, csrfKey })).toEqual({ session, csrf });
  });

  it.each([
    ["no cookie", {}],
    ["an empty one", { "__Host-qinfra": "" }],
    ["the one without the prefix, which another host can set", { qinfra: session }],
  ])("given %s, then there is no session", (_case, given) => {
    expect(browserSession({ method: "GET", cookies: given, csrf: undefined }, { secure: true, csrfKey })).toBeUndefined();
  });
});
