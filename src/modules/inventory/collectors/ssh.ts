import { randomBytes } from "node:crypto";
import { access, constants } from "node:fs/promises";
import { resolve } from "node:path";
import { namingContainer } from "../../software/input-error.ts";
import { parseRootfs } from "../../software/parsers/rootfs.ts";
import { parseAnswer } from "./answer.ts";
import { bodyOf } from "./answer-bytes.ts";
import { answerTree } from "./answer-tree.ts";
import { CollectError } from "./collect-error.ts";
import { factsOf, hostNameOf, kindOf } from "./facts.ts";
import { runSsh } from "./run-ssh.ts";
import { sshFailure } from "./ssh-failure.ts";
import { collectScript } from "./ssh-script.ts";
import { parseSshTarget, targetName, type SshTarget } from "./ssh-target.ts";
import type { CollectedHost } from "./types.ts";

export interface SshOptions {
  /** A private key; without it, the agent's and those of the user's ssh configuration. */
  identityFile?: string;
  /** Instead of the user's known_hosts; an unknown host is then refused whatever the configuration says. */
  knownHostsFile?: string;
  /** Instead of the user's ssh configuration; `none` for no configuration at all. */
  configFile?: string;
  /** Lines of ssh_config(5), `Name=value`, which count before the collector's own. */
  settings?: readonly string[];
  /** For the whole scan, in milliseconds; 60,000 unless given. */
  timeoutMs?: number;
  /** Of the answer, as sent and inflated; 256 MiB unless given. */
  maxBytes?: number;
  signal?: AbortSignal;
  /** The ssh program; `ssh` unless given. */
  program?: string;
  /** 32 hexadecimal digits that nobody can guess. */
  nonce?: string;
}

/**
 * Collects a Linux host over ssh(1) with one script on its standard input: no agent, no file left there, no second
 * connection. Throws CollectError for everything between here and the answer, InputError (naming the host) for a
 * damaged package database on it.
 */
export async function collectSsh(target: string, options: SshOptions = {}): Promise<CollectedHost> {
  const { timeoutMs = 60_000, maxBytes = 256 * 1024 * 1024, nonce = randomBytes(16).toString("hex"), program = "ssh", signal } = options;
  const parsed = parseSshTarget(target);
  const args = await sshArguments(parsed, { ...options, timeoutMs });
  const ran = await runSsh(program, args, collectScript(nonce), { timeoutMs, maxBytes, ...(signal && { signal }) });
  const { stdout, ...ending } = ran;
  try {
    const body = await bodyOf(stdout, nonce, maxBytes);
    if (body === undefined) throw sshFailure(parsed, ending);
    return await hostOf(parsed, body, nonce);
  } catch (error) {
    // What ssh said is why an answer is cut.
    if (!(error instanceof CollectError) || error.exitStatus !== undefined || error.code !== "truncated-answer") throw error;
    throw new CollectError(error.code, error.message, { ...ending, ...(error.next !== undefined && { next: error.next }), cause: error });
  }
}

/** What the body of an answer says about its host. */
export async function hostOf(target: SshTarget, body: Buffer, nonce: string): Promise<CollectedHost> {
  const { entries, facts: raw, missing, stoppedAfter, brokenNames } = parseAnswer(body, nonce);
  const where = targetName(target);
  if (missing.length > 0) throw new CollectError("tool-missing", `${where} has no ${missing.join(" and no ")}, which the scan needs.`, { next: "install it there, or scan the host by --rootfs or --sbom" });
  const system = raw.get("sysname")?.trim();
  if (system !== "Linux") throw new CollectError("unsupported-system", `${where} runs ${factsOf(raw).kernelName ?? "an unknown system"}; only Linux can be collected.`, { next: "give an SBOM of it: --sbom FILE" });
  const { os, components, notes } = await namingContainer(`${where}:`, () => parseRootfs(answerTree(entries), { scope: "machine" }));
  if (stoppedAfter !== undefined) notes.push({ kind: "not-searched", what: `the search for language packages stopped after ${stoppedAfter} entries` });
  if (brokenNames !== undefined) notes.push({ kind: "not-searched", what: "directories with a line break in their name were not searched for language packages" });
  const kind = kindOf(raw);
  return {
    name: hostNameOf(raw) ?? target.host.replace(/[^A-Za-z0-9._:-]/g, "-").replace(/^[^A-Za-z0-9]+/, ""),
    ...(kind !== undefined && { kind }),
    source: "ssh",
    ...(os !== undefined && { os }),
    components,
    facts: { ...factsOf(raw) },
    notes,
  };
}

/**
 * The user's configuration applies but for what would make the scan ask, hang, or do anything else than run one
 * command: no prompts, no forwarding, no shared master that outlives it.
 */
async function sshArguments({ user, host, port }: SshTarget, options: SshOptions & { timeoutMs: number }): Promise<string[]> {
  const { identityFile, knownHostsFile, configFile, timeoutMs } = options;
  const settings = [
    ...(options.settings ?? []),
    "BatchMode=yes", `ConnectTimeout=${Math.max(1, Math.min(15, Math.floor(timeoutMs / 1000)))}`, "ConnectionAttempts=1",
    "ServerAliveInterval=5", "ServerAliveCountMax=3", "ClearAllForwardings=yes", "ForwardAgent=no", "ForwardX11=no", "PermitLocalCommand=no",
    "ControlMaster=no", "RemoteCommand=none", "LogLevel=ERROR",
  ];
  if (identityFile !== undefined) settings.push(`IdentityFile=${await quotedFile(identityFile, "identity file")}`, "IdentitiesOnly=yes");
  if (knownHostsFile !== undefined) settings.push(`UserKnownHostsFile=${await quotedFile(knownHostsFile, "known hosts file")}`, "GlobalKnownHostsFile=none", "StrictHostKeyChecking=yes");
  return [
    ...(configFile === undefined ? [] : ["-F", configFile === "none" ? "none" : resolve(configFile)]),
    "-T",
    ...settings.flatMap((setting) => ["-o", setting]),
    ...(port === undefined ? [] : ["-p", String(port)]),
    ...(user === undefined ? [] : ["-l", user]),
    "--", host, "/bin/sh", "-s",
  ];
}

/** As ssh_config(5) takes a file name: `%` begins a token there, and a quote cannot be written. */
async function quotedFile(path: string, what: string): Promise<string> {
  const whole = resolve(path);
  // oxlint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/["\\\u0000-\u001f]|\$\{/.test(whole)) throw new CollectError("bad-option", `The name of the ${what} holds characters that ssh cannot take: quotes, backslashes, "\${" or control characters.`, { next: "give it another name" });
  try {
    await access(whole, constants.R_OK);
  } catch (cause) {
    throw new CollectError("bad-option", `The ${what} ${path} cannot be read.`, { next: "check the name and its permissions", cause });
  }
  return `"${whole.replaceAll("%", "%%")}"`;
}
