import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fencedBlocks } from "./support/markdown.ts";
import { openBrowser } from "../real/support/browser.ts";
import { commandMs, root, startPlatform, type StartedPlatform } from "./support/platform.ts";
import { aligned, difference, idsOf, stepsOf, type Step } from "./support/session.ts";

const steps = fencedBlocks(readFileSync(join(root, "README.md"), "utf8")).filter(({ language }) => language === "console").flatMap(stepsOf);
const newPassword = "as long as a sentence";

describe("the session of README.md, on a platform started for it", () => {
  let platform: StartedPlatform;
  let lost: string | undefined;
  const ids = new Map<string, string>();

  beforeAll(async () => {
    platform = await startPlatform();
  });
  afterAll(() => platform?.stop());

  it("has a session", () => {
    expect(steps.map(({ command }) => command)).toContain("bin/qinfra login");
  });

  it.for(steps)("line $line: $command", { timeout: 2 * commandMs }, async (step) => {
    if (lost !== undefined) expect.fail(`not run, because the session broke at ${lost}`);
    const actual = await perform(step);
    const pairs = aligned(step.expected, actual);
    if (pairs !== undefined) {
      for (const [old, now] of idsOf(pairs)) ids.set(old, now);
      return;
    }
    if (/bin\/qinfra (login|feeds|scan)/.test(step.command)) lost = `line ${step.line}`;
    expect.fail(`README.md:${step.line}: $ ${step.command}\n${difference(step.expected, actual)}`);
  });

  /** As the reader would: `npm run up` is the platform that runs already, and `login` is answered in a browser. */
  async function perform({ command }: Step): Promise<readonly string[]> {
    if (command === "npm run up") return platform.announced;
    if (command === "bin/qinfra login") return platform.during(command, /^Or open (\S+) and[^]*\bWaiting/m, async ([, page = ""]) => signIn(page));
    return platform.run([...ids].reduce((text, [old, now]) => text.replaceAll(old, now), command));
  }

  /** Says that the command line is theirs, signs in, and sets a password. */
  async function signIn(address: string): Promise<void> {
    const browser = openBrowser();
    const code = await browser.open(address);
    const confirm = await browser.submit(code, { user_code: new URL(address).searchParams.get("user_code") ?? "" }, "/oidc/device");
    const form = await browser.submit(confirm, {}, "/oidc/device");
    const once = await browser.submit(form, { name: "admin", password: platform.oneTimePassword }, "/sign-in/");
    const done = await browser.submit(once, { current: platform.oneTimePassword, new: newPassword, again: newPassword }, "/set-password");
    expect(done.text).toContain("is signed in as you");
  }
});
