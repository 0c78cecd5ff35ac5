import { join } from "node:path";

/** The one program: `qinfra up|serve` run the platform, everything else is the CLI, which never loads the server. */
async function main(): Promise<void> {
  const argv = process.argv.slice(2);
  const command = argv[0];
  if (Object.keys(process.env).some((name) => name.endsWith("_FILE")) && !(await takeSecretFiles())) process.exit(1);
  if ((command === "up" || command === "serve") && !argv.includes("--help")) {
    const { runPlatform } = await import("./app/run.ts");
    process.exit(await runPlatform(command, argv.slice(1)));
  }
  if (command === "goldens") {
    const { runGoldens } = await import("./app/goldens.ts");
    process.exit(await runGoldens(argv.slice(1)));
  }
  const { endProcess, processIo, runCli } = await import("./surfaces/cli/index.ts");
  const { commands } = await import("./app/commands.ts");
  const { pureHandler } = await import("./app/pure-handlers.ts");
  const { defaultDataDir, packageRoot, version } = await import("./app/root.ts");
  const io = processIo({ manifestPath: join(packageRoot(), "dist/operations.json"), version: version(), dataDir: defaultDataDir(process.env), commands, pure: pureHandler });
  endProcess(await runCli(argv, io));
}

/** For the rest of this process, as if they had been given as they are. */
async function takeSecretFiles(): Promise<boolean> {
  const { readSecretFiles } = await import("./app/secret-files.ts");
  try {
    Object.assign(process.env, readSecretFiles(process.env));
    return true;
  } catch (error) {
    process.stderr.write(`Wrong settings:\n  ${(error as Error).message.replaceAll("\n", "\n  ")}\n`);
    return false;
  }
}

await main();
