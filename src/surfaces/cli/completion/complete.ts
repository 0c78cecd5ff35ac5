import type { Argument, Command, Option } from "commander";

/** Whether the shell adds names of files: the last line of every answer. */
type Files = ":none" | ":file" | ":dir";

interface Candidate {
  value: string;
  description: string;
}

/**
 * Answers a completion script: one candidate a line, `VALUE<tab>DESCRIPTION`, and a last line `:none`, `:file` or
 * `:dir` that says whether files complete too. `words` are those before the cursor; the last is being typed.
 */
export function completeWords(program: Command, words: readonly string[]): string {
  // After `help` come the words of a command.
  const { candidates, files } = complete(program, words.length > 1 && words[0] === "help" ? words.slice(1) : words);
  const lines = candidates.map(({ value, description }) => `${value}\t${description.split("\n")[0]}`);
  return [...lines, files].map((line) => `${line}\n`).join("");
}

function complete(program: Command, words: readonly string[]): { candidates: Candidate[]; files: Files } {
  const typed = words.at(-1) ?? "";
  const { command, open, positions, onlyPositions } = walk(program, words.slice(0, -1));
  const attached = /^(--[\w-]+)=/.exec(typed);
  const option = open ?? (attached === null ? undefined : optionOf(program, command, attached[1] ?? ""));
  if (option !== undefined) {
    const before = open === undefined ? (attached?.[0] ?? "") : "";
    const values = (option.argChoices ?? []).map((value) => ({ value: `${before}${value}`, description: "" }));
    return { candidates: starting(values, typed), files: filesFor(option.flags) };
  }
  if (typed.startsWith("-") && !onlyPositions) return { candidates: starting(optionCandidates(command), typed), files: ":none" };
  const inner = positions === 0 ? command.commands : [];
  const commands = inner.map((each) => ({ value: each.name(), description: each.summary() }));
  const argument = command.registeredArguments[positions] ?? variadicOf(command);
  const values = (argument?.argChoices ?? []).map((value) => ({ value, description: "" }));
  const files = argument === undefined ? ":none" : filesFor(`<${argument.name()}>`);
  return { candidates: starting([...commands, ...values], typed), files };
}

interface Walked {
  command: Command;
  /** The option whose value is being typed. */
  open?: Option;
  /** How many positional words the command has already. */
  positions: number;
  onlyPositions: boolean;
}

function walk(program: Command, words: readonly string[]): Walked {
  const at: Walked = { command: program, positions: 0, onlyPositions: false };
  for (const word of words) {
    if (at.open !== undefined) {
      delete at.open;
      continue;
    }
    if (word === "--") at.onlyPositions = true;
    else if (word.startsWith("-") && word !== "-" && !at.onlyPositions) {
      const option = word.includes("=") ? undefined : optionOf(program, at.command, word);
      if (option?.required === true) at.open = option;
    } else {
      const inner = at.positions === 0 ? at.command.commands.find((command) => command.name() === word) : undefined;
      if (inner === undefined) at.positions += 1;
      else at.command = inner;
    }
  }
  return at;
}

function optionOf(program: Command, command: Command, word: string): Option | undefined {
  const options = command.options.length > 0 ? command.options : program.options;
  return options.find((option) => option.long === word || option.short === word);
}

function optionCandidates(command: Command): Candidate[] {
  const shown = command.options.filter((option) => !option.hidden && option.long !== undefined);
  return [...shown.map((option) => ({ value: option.long as string, description: option.description })), { value: "--help", description: "Show help" }];
}

function variadicOf(command: Command): Argument | undefined {
  const last = command.registeredArguments.at(-1);
  return last?.variadic === true ? last : undefined;
}

function starting(candidates: Candidate[], typed: string): Candidate[] {
  return candidates.filter(({ value }) => value.startsWith(typed));
}

function filesFor(flags: string): Files {
  if (/[<[](?:file|path|feed)s?(?:\.\.\.)?[>\]]/.test(flags)) return ":file";
  return /[<[]dir[>\]]/.test(flags) ? ":dir" : ":none";
}
