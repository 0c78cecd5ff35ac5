import type { FastifyInstance } from "fastify";
import { afterAll, beforeAll, expect, test } from "vitest";
import { simulatedAuthenticator } from "../modules/organizations/testing/authenticator.ts";
import { sql } from "../platform/database/sql.ts";
import { actionIn, browser, fieldIn, type Browser, type PageAnswer } from "./testing-browser.ts";
import { signInUnderTest, type SignInUnderTest } from "./testing-site.ts";

const here = { origin: "http://qinfra.example", rpId: "qinfra.example" };

let site: SignInUnderTest;
let http: FastifyInstance;
let who: { user: string; name: string; password: string; credentials: { authorization: string } };
const authenticator = simulatedAuthenticator(here);

beforeAll(async () => {
  site = await signInUnderTest();
  ({ http } = await site.serve(here.origin));
  who = await site.person("pat", "operator");
  const { options } = await site.under.call<{ options: object }>("second-factors.begin-passkey", {}, who.credentials);
  await site.under.call("second-factors.add-passkey", { name: "laptop", credential: authenticator.create(options, { origin: "https://qinfra.example" }) }, who.credentials);
});
afterAll(() => site.close());

/** Challenges that could still be answered. */
async function challenges(): Promise<number> {
  const { n } = await site.under.database.system((db) => db.one<{ n: number }>(sql`select count(*)::int as n from organizations.single_use where purpose = 'webauthn' and used_at is null`));
  return n;
}

/** The page that asks for the second factor. */
async function secondStep(visitor: Browser): Promise<PageAnswer> {
  const asked = await visitor.signIn(who.name, who.password);
  expect(asked.text).toContain("Use a passkey");
  return asked;
}

const optionsIn = ({ text }: PageAnswer): { challenge: string } => JSON.parse((/data-options="([^"]+)"/.exec(text)?.[1] ?? "").replaceAll("&quot;", '"')) as { challenge: string };
const answer = (visitor: Browser, page: PageAnswer, passkey: object) => visitor.post(actionIn(page.text), { csrf: fieldIn(page.text, "csrf"), passkey: JSON.stringify(passkey) });

test("given the page of the password, then no challenge is made, however often it is loaded", async () => {
  const visitor = browser(http);
  const form = await visitor.signInForm();
  for (let i = 0; i < 3; i++) await visitor.get(actionIn(form.text));
  expect(await challenges()).toBe(0);
});

test("given the page of the second factor is loaded again, then its challenge is the same, in one row, and is good for both", async () => {
  const visitor = browser(http);
  const first = await secondStep(visitor);
  const before = await challenges();
  const pages = [];
  for (let i = 0; i < 3; i++) pages.push(await visitor.get(actionIn(first.text)));
  expect(new Set([first, ...pages].map((page) => optionsIn(page).challenge)).size).toBe(1);
  expect([before, await challenges()]).toEqual([1, 1]);
  const done = await answer(visitor, first, authenticator.get(optionsIn(pages[2] as PageAnswer)));
  expect([done.status, (await visitor.follow(done)).location, visitor.jar.has("qinfra")]).toEqual([303, "/", true]);
  expect(await challenges()).toBe(0);
});

test("given a wrong answer, then its challenge is spent, and the page has another", async () => {
  const visitor = browser(http);
  const first = await secondStep(visitor);
  const wrong = await answer(visitor, first, authenticator.get(optionsIn(first), { origin: "http://evil.example" }));
  expect([wrong.status, optionsIn(wrong).challenge === optionsIn(first).challenge, await challenges()]).toEqual([403, false, 1]);
  expect((await answer(visitor, wrong, authenticator.get(optionsIn(wrong)))).status).toBe(303);
});

test("given a page that was open for longer than its challenge is good, then loading it again makes another in its place", async () => {
  const visitor = browser(http);
  const first = await secondStep(visitor);
  site.under.clock.advance(6 * 60_000);
  const again = await visitor.get(actionIn(first.text));
  expect([optionsIn(again).challenge === optionsIn(first).challenge, await challenges()]).toEqual([false, 1]);
  expect((await answer(visitor, again, authenticator.get(optionsIn(again)))).status).toBe(303);
});

test("given somebody who begins anew at the same page, then the challenge before is not theirs", async () => {
  const visitor = browser(http);
  const first = await secondStep(visitor);
  await visitor.post(actionIn(first.text), { csrf: fieldIn(first.text, "csrf"), anew: "yes" });
  const form = await visitor.get(actionIn(first.text));
  const again = await visitor.follow(await visitor.post(actionIn(form.text), { csrf: fieldIn(form.text, "csrf"), name: who.name, password: who.password }));
  expect(optionsIn(again).challenge).not.toBe(optionsIn(first).challenge);
});
