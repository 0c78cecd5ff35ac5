import { readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { fencedBlocks } from "./support/markdown.ts";
import { commandMs, root, startPlatform, terminalProgram, type StartedPlatform } from "./support/platform.ts";
import { aligned, difference, idsOf, stepsOf, type Step } from "./support/session.ts";

const steps = fencedBlocks(readFileSync(join(root, "README.md"), "utf8")).filter(({ language }) => language === "console").flatMap(stepsOf);
const newPassword = "as long as a sentence";
const hasTerminal = terminalProgram() !== undefined;

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

  /** As the reader would: `npm run up` is the platform that runs already, and `login` is typed. */
  async function perform({ command, expected }: Step): Promise<readonly string[]> {
    if (command === "npm run up") return platform.announced;
    if (command === "bin/qinfra login") {
      if (hasTerminal) {
        return platform.type(command, [
          { question: "Password of admin: ", text: platform.oneTimePassword },
          { question: "New password (12 characters or more): ", text: newPassword },
          { question: "The same again: ", text: newPassword },
        ]);
      }
      // No program here makes a terminal: the questions are not seen, everything else is.
      const printed = await platform.run(`printf '%s\\n' ${platform.oneTimePassword} '${newPassword}' | bin/qinfra login --password-stdin`);
      return [...expected.filter((line) => /^(?:Password of|New password|The same)/.test(line)), ...printed];
    }
    return platform.run([...ids].reduce((text, [old, now]) => text.replaceAll(old, now), command));
  }
});
