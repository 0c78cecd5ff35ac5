import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { commands as programCommands } from "../../../src/app/commands.ts";
import { modules } from "../../../src/app/modules.ts";
import { createRegistry } from "../../../src/platform/operation/registry.ts";
import { localCommands } from "../../../src/surfaces/cli/local/commands.ts";
import type { CliContext } from "../../../src/surfaces/cli/local-command.ts";
import { toManifest } from "../../../src/surfaces/cli/manifest.ts";
import { createProgram } from "../../../src/surfaces/cli/program.ts";
import { settings } from "../../../src/platform/settings.ts";
import { root } from "./platform.ts";

interface Package {
  scripts: Record<string, string>;
  bin: Record<string, string>;
}
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as Package;

/** The tree of commands as the program makes it; nothing of it is run. */
export function commandTree(): Command {
  const manifest = toManifest(createRegistry(modules));
  const io = { version: "0", stdout: process.stdout, stderr: process.stderr, env: {} };
  return createProgram({ io, manifest, global: {} } as unknown as CliContext, [...programCommands, ...localCommands], { code: 0 });
}

/** Variables that Node and the tools of AWS read by themselves. */
export const ofOthers: ReadonlySet<string> = new Set(["NODE_EXTRA_CA_CERTS", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_PROFILE"]);

/** Programs that come with the system, with git or with an engine, and take what they are given. */
const common = new Set(["cd", "export", "git", "rm", "curl", "echo", "npm", "psql", "aws", "vault", "docker", "podman", "openssl", "nginx"]);

/**
 * What is wrong with a command line of a document, or undefined: a program, npm script, qinfra command, option or file
 * that there is not. Words in capitals stand for something.
 */
export function commandFault(line: string, tree: Command): string | undefined {
  const text = line.replace(/\s+# .*$/, "").replace(/^source <\((.*)\)$/, "$1");
  const words = (text.match(/"[^"]*"|'[^']*'|\S+/g) ?? []).filter((word, i, all) => !(/^[A-Z_]+=/.test(word) && all.slice(0, i).every((before) => /^[A-Z_]+=/.test(before))));
  const [program = "", ...given] = words;
  if (program === "") return settingsFault(text);
  if (program === "npm") return npmFault(given);
  if (program === "qinfra" || program === "bin/qinfra") return qinfraFault(given, tree);
  if (program === "vitest") return given.map(vitestFault).find((fault) => fault !== undefined);
  if (program.includes("/")) return [program, ...given].map(fileFault).find((fault) => fault !== undefined);
  return common.has(program) ? undefined : `no program ${program} is known here`;
}

/** A line of settings alone, as an environment file has them. */
function settingsFault(text: string): string | undefined {
  const unknown = [...text.matchAll(/(?:^|\s)([A-Z][A-Z0-9_]*)=/g)].map((match) => match[1] as string).find((name) => !(name in settings) && !ofOthers.has(name));
  return unknown === undefined ? undefined : `there is no setting ${unknown}`;
}

function npmFault([verb = "", name = ""]: readonly string[]): string | undefined {
  if (verb === "ci" || verb === "install") return undefined;
  const script = verb === "run" ? name : verb;
  return scripts[script] === undefined ? `package.json has no script ${script}` : undefined;
}

function qinfraFault(words: readonly string[], tree: Command): string | undefined {
  let at = tree;
  for (const [i, word] of words.entries()) {
    if (/[<>|;]/.test(word)) return undefined;
    if (word === "help" && i === 0) return undefined;
    const inner = at.commands.find((command) => command.name() === word);
    if (inner !== undefined) {
      at = inner;
      continue;
    }
    if (word.startsWith("--")) {
      const name = word.split("=")[0];
      const known = name === "--help" || [...at.options, ...tree.options].some((option) => option.long === name);
      if (!known) return `qinfra ${at.name()} has no option ${name}`;
    } else if (at.commands.length > 0) return `qinfra has no command ${words.slice(0, i + 1).join(" ")}`;
  }
  return undefined;
}

function vitestFault(word: string): string | undefined {
  const projects = readFileSync(join(root, "vitest.config.ts"), "utf8");
  if (word === "unit" || word === "integration") return projects.includes(`name: "${word}"`) ? undefined : `vitest.config.ts has no project ${word}`;
  return fileFault(word);
}

function fileFault(word: string): string | undefined {
  return /^[a-z][\w.-]*(?:\/[\w.-]+)+$/.test(word) && !word.startsWith("node_modules/") && !existsSync(join(root, word)) ? `there is no file ${word}` : undefined;
}
