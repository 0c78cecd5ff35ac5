import { describe, expect, it } from "vitest";
import { createAwsCalls, LeftAlone } from "./calls.ts";
import { awsFailure } from "./failure.ts";

const named = (name: string, httpStatusCode?: number) => Object.assign(new Error("signed with SECRET"), { name, $metadata: { httpStatusCode } });
const coded = (code: string) => Object.assign(new Error("signed with SECRET"), { code });

describe("a failed call to AWS", () => {
  it.each([
    [named("InvalidAccessKeyId", 403), "settings", /credentials are missing or not accepted/],
    [named("CredentialsProviderError"), "settings", /credentials are missing/],
    [named("ExpiredToken", 400), "settings", /have expired/],
    [named("RequestTimeTooSkewed", 403), "settings", /clock of this machine/],
    [named("PermanentRedirect", 301), "settings", /region is not the right one/],
    [named("AccessDenied", 403), "settings", /refuses this \(AccessDenied\)/],
    [coded("SELF_SIGNED_CERT_IN_CHAIN"), "settings", /certificate is not accepted/],
    [named("TimeoutError"), "unavailable", /did not answer in time/],
    [named("AbortError"), "unavailable", /did not answer in time/],
    [coded("ECONNREFUSED"), "unavailable", /cannot be reached \(ECONNREFUSED\)/],
    [named("SlowDown", 503), "unavailable", /answered 503 \(SlowDown\)/],
    [named("Unheard", 500), "unavailable", /answered 500/],
    [named("MalformedXML", 400), "other", /answered 400 \(MalformedXML\)/],
  ])("%s is %s", (error, kind, what) => {
    const failure = awsFailure(error);
    expect(failure).toMatchObject({ kind, what: expect.stringMatching(what) });
    expect(JSON.stringify(failure)).not.toContain("signed with");
  });

  it("leaves the server alone after five failures in a row, but not after refusals", async () => {
    const calls = createAwsCalls({ timeoutMs: 1_000 });
    let made = 0;
    const failing = (error: Error) => calls(async () => {
      made++;
      throw error;
    }).catch((caught: unknown) => caught);
    for (let i = 0; i < 10; i++) await failing(named("NoSuchKey", 404));
    for (let i = 0; i < 5; i++) await failing(coded("ECONNREFUSED"));
    const last = await failing(coded("ECONNREFUSED"));
    expect(last).toBeInstanceOf(LeftAlone);
    expect(made).toBe(15);
  });
});
