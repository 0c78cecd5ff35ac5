import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sql } from "../platform/database/sql.ts";
import { actionIn, browser, fieldIn, type PageAnswer } from "./testing-browser.ts";
import { testPlatform, type TestPlatform } from "./testing.ts";

let platform: TestPlatform;
beforeAll(async () => {
  platform = await testPlatform();
});
afterAll(() => platform.close());

let visitors = 0;
const visitor = () => browser(platform.http, { address: `192.0.2.${(visitors += 1)}`, host: "127.0.0.1:8080" });

async function invite(input: Record<string, unknown> = {}): Promise<{ id: string; path: string }> {
  const made = (await platform.call("invitations.create", { as: "admin", input: { role: "operator", ...input } })).body as { id: string; link: string };
  return { id: made.id, path: new URL(made.link).pathname };
}

/** Where "sign in" leads. */
const linkIn = (text: string) => (/href="(\/sign-in\?[^"]+)"/.exec(text)?.[1] ?? "").replaceAll("&amp;", "&");

const newPerson = (name: string) => ({ name, display: "Ada Lovelace", new: "the password of ada", again: "the password of ada" });

describe("the page of an invitation", () => {
  it("says where the link leads, is kept nowhere, tells no other page of it, and works without JavaScript", async () => {
    const { path } = await invite();
    const answer = await visitor().get(path);
    expect(answer.status).toBe(200);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", "referrer-policy": "strict-origin", "x-frame-options": "DENY" });
    expect(answer.text).toContain("Join first");
    expect(answer.text).toContain("as operator");
    expect(answer.text).not.toContain("<script");
    expect(actionIn(answer.text)).toBe(path);
    const ids = [...answer.text.matchAll(/<label for="(\w+)"/g)].map(([, id]) => id);
    expect(ids.filter((id) => !answer.text.includes(`id="${id}"`))).toEqual([]);
  });

  it("makes an account for a new person, who then signs in", async () => {
    const { path } = await invite({ email: "ada@example.com" });
    const ada = visitor();
    const { text } = await ada.get(path);
    const done = await ada.post(path, { csrf: fieldIn(text, "csrf"), ...newPerson("ada") });
    expect([done.status, done.text.includes("You have joined first")]).toEqual([200, true]);
    expect((await ada.signIn("ada", "the password of ada")).location).toBe("/");
    expect((await ada.get("/")).text).toContain("Ada Lovelace");
    expect((await visitor().get(path)).status).toBe(410);
  });

  it("lets somebody who is signed in join with their account", async () => {
    const { path } = await invite();
    const home = (await platform.call("invitations.create", { as: "other-tenant-admin", input: { role: "viewer" } })).body as { link: string };
    await platform.call("invitations.sign-up", { input: { token: home.link.split("/").at(-1), name: "hana", password: "the password of hana" } });
    const person = visitor();
    await person.signIn("hana", "the password of hana");
    const { text } = await person.get(path);
    expect(text).toContain("You are signed in as");
    const forged = await person.post(path, { csrf: "guessed", as: "me" });
    expect([forged.status, forged.text.includes("You have joined")]).toEqual([403, false]);
    const done = await person.post(path, { csrf: fieldIn(text, "csrf"), as: "me" });
    expect([done.status, done.text.includes("You have joined first")]).toEqual([200, true]);
    const again = await person.post((await invite()).path, { csrf: fieldIn(text, "csrf"), as: "me" });
    expect([again.status, again.text.includes("You are a member of first already"), again.text.includes('name="as"')]).toEqual([409, true, false]);
  });

  it("leads through a sign-in and back with its token in no address", async () => {
    const { path } = await invite();
    const token = path.split("/").at(-1) as string;
    const home = (await platform.call("invitations.create", { as: "other-tenant-admin", input: { role: "viewer" } })).body as { link: string };
    await platform.call("invitations.sign-up", { input: { token: home.link.split("/").at(-1), name: "mia", password: "the password of mia" } });
    const person = visitor();
    const opened = await person.get(path);
    expect(opened.setCookies.filter((cookie) => cookie.includes(token))).toEqual([
      expect.stringMatching(/^qinfra-invitation-[\w-]{16}=\w+; Max-Age=3600; Path=\/join; HttpOnly; SameSite=Lax$/),
    ]);

    // when they go to sign in, one answer after the other
    const addresses: string[] = [];
    async function on(answer: PageAnswer): Promise<PageAnswer> {
      let at = answer;
      while (at.location !== undefined) {
        addresses.push(at.location);
        at = await person.get(at.location.replace(/^https?:\/\/[^/]+/, ""));
      }
      return at;
    }
    const link = linkIn(opened.text);
    const form = await on(await person.get(link));
    const { text: kept } = await platform.test.database.system((db) => db.one<{ text: string }>(sql`select string_agg(p::text, ' ') as text from organizations.oidc_payloads p`));
    const back = await on(await person.post(actionIn(form.text), { csrf: fieldIn(form.text, "csrf"), name: "mia", password: "the password of mia" }));

    // then they are back at the invitation, of which no address and no row told
    expect(back.text).toContain("You are signed in as");
    expect(addresses.at(-1)).toMatch(/^\/join\?invitation=[\w-]{16}$/);
    expect([link, ...addresses, back.url, actionIn(back.text), kept].filter((where) => where.includes(token))).toEqual([]);
    const done = await person.post(actionIn(back.text), { csrf: fieldIn(back.text, "csrf"), as: "me" });
    expect([done.status, done.text.includes("You have joined first")]).toEqual([200, true]);
  });

  it("keeps the invitations of two tabs apart", async () => {
    const [one, two] = [await invite({ role: "viewer" }), await invite({ role: "auditor" })];
    const person = visitor();
    const links = [];
    for (const { path } of [one, two]) links.push(new URLSearchParams(linkIn((await person.get(path)).text).split("?")[1]).get("next") as string);
    for (const [i, role] of (["viewer", "auditor"] as const).entries()) expect((await person.get(links[i] as string)).text).toContain(`invited as ${role}`);
  });

  it.each(["/join", "/join?invitation=AAAAAAAAAAAAAAAA", "/join?invitation=a&invitation=b", "/join?invitation=__proto__"])("says at %s to open the link again", async (url) => {
    expect(await visitor().get(url)).toMatchObject({ status: 410, text: expect.stringContaining("Open the link that you were sent once more") });
  });

  it.each<[string, Record<string, string>, number, string]>([
    ["a forged form", { csrf: "guessed" }, 403, "The form was too old"],
    ["no login name", { name: "" }, 400, "A login name has"],
    ["a short password", { new: "short", again: "short" }, 400, "at least 12"],
    ["two passwords", { again: "the password of eve" }, 400, "differ"],
  ])("says what is wrong with %s, and keeps what was written but the password", async (_what, fields, status, said) => {
    const { path } = await invite();
    const eve = visitor();
    const { text } = await eve.get(path);
    const answer = await eve.post(path, { csrf: fieldIn(text, "csrf"), ...newPerson("eve"), ...fields });
    expect([answer.status, answer.text.includes(said)]).toEqual([status, true]);
    expect(answer.text).toContain('role="alert"');
    expect(answer.text).toContain('value="Ada Lovelace"');
    expect(answer.text).not.toContain("the password of");
  });

  it("says the same of every wrong link, and stops who tries many", async () => {
    const guesser = visitor();
    const answers = [];
    for (let i = 0; i < 11; i += 1) answers.push(await guesser.get(`/join/${"0".repeat(51)}${"0123456789a"[i]}`));
    expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: 10 }, () => 404), 429]);
    expect(new Set(answers.slice(0, 10).map(({ text }) => text)).size).toBe(1);
    expect(Number(answers[10]?.headers["retry-after"])).toBeGreaterThan(0);
    expect([answers[9]?.text.includes("<h1>No invitation</h1>"), answers[10]?.text.includes("<h1>Too many attempts</h1>")]).toEqual([true, true]);
  });

  it("escapes what an administrator named", async () => {
    const { organization } = (await platform.call("users.me", { as: "admin" })).body as { organization: { id: string; name: string } };
    await platform.call("organizations.update", { as: "admin", input: { id: organization.id, name: "<b>first</b>" } });
    const { path } = await invite();
    const { text } = await visitor().get(path);
    await platform.call("organizations.update", { as: "admin", input: { id: organization.id, name: organization.name } });
    expect(text).toContain("&lt;b&gt;first");
    expect(text).not.toContain("<b>first");
  });
});
