import { createInterface } from "node:readline";
import { CliError } from "../errors.ts";
import { exit } from "../exit-codes.ts";
import type { CliIo } from "../io.ts";

const mostCharacters = 1024;

/** Asks on the terminal and shows nothing of what is typed. Throws CliError where there is no terminal, or on Ctrl-C. */
export async function askSecret(io: Pick<CliIo, "stdin" | "stderr">, question: string): Promise<string> {
  const { stdin, stderr } = io;
  if (stdin.isTTY !== true || stdin.setRawMode === undefined) {
    throw new CliError("There is no terminal to ask for the password.", { next: "give it on standard input, with --password-stdin" });
  }
  // Before the question, so that nothing that is typed at once is shown.
  stdin.setRawMode(true);
  stdin.resume();
  stderr.write(question);
  try {
    return await new Promise<string>((resolve, reject) => {
      let typed = "";
      const finish = (settle: () => void): void => {
        stdin.off("data", take);
        settle();
      };
      const take = (chunk: Buffer | string): void => {
        for (const character of chunk.toString()) {
          if (character === "\r" || character === "\n") return finish(() => resolve(typed));
          if (character === "\u0003" || character === "\u0004") return finish(() => reject(new CliError("Nothing was changed.", { exitCode: exit.interrupted })));
          if (character === "\u007f" || character === "\b") typed = [...typed].slice(0, -1).join("");
          else if (character === "\u0015") typed = "";
          else if (character >= " " && typed.length < mostCharacters) typed += character;
        }
      };
      stdin.on("data", take);
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    stderr.write("\n");
  }
}

/** The lines of standard input, for passwords; no more than `count` are read. */
export async function readLines(io: Pick<CliIo, "stdin">, count: number): Promise<string[]> {
  const lines: string[] = [];
  const reader = createInterface({ input: io.stdin, crlfDelay: Number.POSITIVE_INFINITY });
  for await (const line of reader) {
    lines.push(line);
    if (lines.length === count) break;
  }
  return lines;
}
