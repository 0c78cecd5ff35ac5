import { afterAll, beforeAll, expect, it } from "vitest";
import { addVirtualAuthenticator, openChromium, type Chromium, type Context, type Page } from "./support/chromium.ts";
import { describeWith } from "./support/peer.ts";
import { claim, dataFolder, startPlatform, type RunningPlatform } from "./support/platform.ts";
import { freePort } from "./support/process.ts";

const password = "a password of the administrator";

describeWith(["chromium"], "a passkey in a real browser", () => {
  let platform: RunningPlatform;
  let data: Awaited<ReturnType<typeof dataFolder>>;
  let chromium: Chromium;
  let context: Context;
  let page: Page;
  let authenticator: Awaited<ReturnType<typeof addVirtualAuthenticator>>;
  let origin = "";
  const complaints: string[] = [];

  beforeAll(async () => {
    data = await dataFolder("passkey");
    const port = await freePort();
    platform = await startPlatform(data.path, { PORT: String(port) });
    await (await claim(platform.address, "admin", platform.oneTimePassword ?? "", password)).close();
    chromium = await openChromium();
    context = await chromium.newContext();
    page = await context.newPage();
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("status of 4")) complaints.push(message.text());
    });
    authenticator = await addVirtualAuthenticator(context, page);
    origin = `http://localhost:${port}`;
  }, 180_000);
  afterAll(async () => {
    await chromium?.close();
    await platform?.stop();
    await data?.remove();
  });

  async function givePassword(): Promise<void> {
    await page.goto(`${origin}/sign-in?next=/account`);
    await page.fill("#name", "admin");
    await page.fill("#password", password);
    await page.click("main button:has-text('Sign in')");
  }

  it("given a sign-in with a password, then a passkey is made on the account page", async () => {
    await givePassword();
    await page.waitForURL(`${origin}/account`);
    await page.click("button:has-text('Add a passkey')");
    await page.fill("#name", "the virtual one");
    await page.click("button:has-text('Make the passkey')");
    await page.waitForSelector(".recovery");
    expect((await page.content()).match(/<li>[0-9a-z]{5}-/g)).toHaveLength(10);
    expect(await authenticator.credentials()).toBe(1);
    await page.goto(`${origin}/account`);
    expect(await page.textContent("main")).toContain("the virtual one");
  });

  it("given the next sign-in, then the passkey is the second step", async () => {
    await page.click(".who button");
    await page.waitForURL(/signed-out/);
    await givePassword();
    await page.click("button:has-text('Use a passkey')");
    await page.waitForURL(`${origin}/account`);
    expect(await page.textContent("main")).toContain("this one");
  });

  it("given what asks for it anew, then the passkey confirms it", async () => {
    await page.goto(`${origin}/account/confirm?next=/account`);
    await page.click("button:has-text('Use a passkey')");
    await page.waitForURL(`${origin}/account`);
    await page.click("button:has-text('Remove')");
    await page.waitForURL(/\/account#second-factors$/);
    expect(await page.textContent("main")).not.toContain("the virtual one");
  });

  it("and the browser had nothing to complain of, the content security policy included", () => {
    expect(complaints).toEqual([]);
  });
});
