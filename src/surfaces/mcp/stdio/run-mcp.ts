import { exit } from "../../cli/exit-codes.ts";
import { say } from "../../cli/io.ts";
import { printable } from "../../cli/errors.ts";
import type { LocalRun } from "../../cli/local-command.ts";
import { runStdioBridge } from "./bridge.ts";

export const runMcp: LocalRun = async (context) => {
  const { io } = context;
  const { stdin, stdout, signal, fetch, version } = io;
  await runStdioBridge({ ...(await context.connected()), stdin, stdout, signal, fetch, version, say: (line) => say(io, printable(line)) });
  return typeof signal.reason === "number" ? signal.reason : exit.done;
};
