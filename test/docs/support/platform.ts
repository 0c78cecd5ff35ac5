import { spawn, execFileSync, type ChildProcess } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { freePort } from "../../real/support/process.ts";
import { normalise, visibleLines } from "./session.ts";

export const root = join(import.meta.dirname, "../../..");

/** Longest start of the platform, on a machine that has other work. */
const startMs = 50_000;
/** Longest command of a session. */
export const commandMs = 30_000;

export interface StartedPlatform {
  /** http://localhost:PORT */
  address: string;
  oneTimePassword: string;
  /** What `npm run up` says, without npm's own lines. */
  announced: readonly string[];
  /** Runs one line with bash in a folder that looks like the checkout; both outputs in their order. */
  run(command: string): Promise<string[]>;
  /** The same while somebody does what it asks for as soon as it has asked. */
  during(command: string, asked: RegExp, act: (match: RegExpExecArray) => Promise<void>): Promise<string[]>;
  stop(): Promise<void>;
}

const bundled = `import { bundle } from ${JSON.stringify(pathToFileURL(join(root, "scripts/lib/bundle.mjs")).href)}; await bundle(process.argv[1], process.argv[2]);`;

/** A folder like a checkout that was built a moment ago, whose `dist` is its own: that of the real one may be older. */
function buildCheckout(checkout: string): void {
  mkdirSync(join(checkout, "bin"), { recursive: true });
  for (const name of ["package.json", "node_modules", "src", "migrations", "policies", "examples"]) symlinkSync(join(root, name), join(checkout, name));
  const dist = join(checkout, "dist");
  // The real one would look whether the build is fresh, which this one always is.
  writeFileSync(join(checkout, "bin/qinfra"), `#!/bin/sh\nexec "${process.execPath}" "${join(dist, "main.mjs")}" "$@"\n`, { mode: 0o755 });
  execFileSync(process.execPath, ["--input-type=module", "-e", bundled, root, dist], { timeout: startMs });
  execFileSync(process.execPath, [join(dist, "main.mjs"), "goldens", "--manifest", join(dist, "operations.json")], { timeout: startMs });
}

/** Builds the platform and starts it, on a free port and with everything in a folder of its own. */
export async function startPlatform(): Promise<StartedPlatform> {
  const folder = mkdtempSync(join(tmpdir(), "qinfra-docs-"));
  chmodSync(folder, 0o711); // the embedded database runs as another user where this one is root
  const home = join(folder, "home");
  const checkout = join(folder, "checkout");
  mkdirSync(home, { mode: 0o700 });
  buildCheckout(checkout);
  const environment = { PATH: `${dirname(realpathSync(process.execPath))}:/usr/local/bin:/usr/bin:/bin`, HOME: home, TMPDIR: tmpdir(), LANG: "C.UTF-8", NO_COLOR: "1" };

  // Not any free one: browsers are sent to the address that the platform knows before it listens.
  const port = String(await freePort());
  const server = spawn(process.execPath, [join(checkout, "dist/main.mjs"), "up"], { cwd: checkout, env: { ...environment, PORT: port, DATA_DIR: join(folder, "data") }, stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const ended = new Promise<void>((resolve) => void server.once("exit", () => resolve()));
  async function stop(): Promise<void> {
    server.kill("SIGTERM");
    await ended;
    rmSync(folder, { recursive: true, force: true });
  }
  let announced: string[];
  try {
    announced = visibleLines(await outputUntil(server, "Ctrl-C"));
  } catch (error) {
    await stop();
    throw error;
  }
  const said = announced.join("\n");
  const address = /http:\/\/localhost:\d+/.exec(said)?.[0];
  const oneTimePassword = /one-time password (\S+)/.exec(said)?.[1];
  if (address === undefined || oneTimePassword === undefined) {
    await stop();
    throw new Error(`the platform did not say where it is and how to get in:\n${normalise(said)}`);
  }
  const env = { ...environment, QINFRA_URL: address };
  const bash = (command: string): ChildProcess => spawn("bash", ["-c", `exec 2>&1; ${command}`], { cwd: checkout, env, stdio: ["ignore", "pipe", "pipe"] });
  return {
    address, oneTimePassword, announced, stop,
    run: (command) => finished(bash(command)),
    during: (command, asked, act) => finished(bash(command), { asked, act }),
  };
}

function outputUntil(child: ChildProcess, mark: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const late = setTimeout(() => reject(new Error(`the platform was not up after ${startMs / 1000} s:\n${text}`)), startMs);
    const take = (chunk: Buffer): void => {
      text += chunk.toString();
      if (!text.includes(mark)) return;
      clearTimeout(late);
      // A line may come in parts.
      if (text.endsWith("\n")) resolve(text);
    };
    child.stdout?.on("data", take);
    child.stderr?.on("data", take);
    child.once("exit", (code) => {
      clearTimeout(late);
      reject(new Error(`the platform ended with ${code}:\n${text}`));
    });
  });
}

function finished(child: ChildProcess, during?: { asked: RegExp; act(match: RegExpExecArray): Promise<void> }): Promise<string[]> {
  return new Promise((resolve, reject) => {
    let text = "";
    let acted = false;
    const late = setTimeout(() => child.kill("SIGKILL"), commandMs);
    child.stdout?.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      const match = acted ? null : during?.asked.exec(text);
      if (during === undefined || match === null || match === undefined) return;
      acted = true;
      during.act(match).catch((error: unknown) => {
        child.kill("SIGKILL");
        reject(error as Error);
      });
    });
    child.once("error", reject);
    child.once("close", () => {
      clearTimeout(late);
      resolve(visibleLines(text));
    });
  });
}
