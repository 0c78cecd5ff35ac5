import { commands } from "../../../src/app/commands.ts";
import { defaultDataDir, version } from "../../../src/app/root.ts";
import { endProcess, processIo, runCli } from "../../../src/surfaces/cli/index.ts";

/** The CLI as src/main.ts starts it, with a list of operations that no build wrote: `MANIFEST WORDS...`. */
const [manifestPath = "", ...words] = process.argv.slice(2);
endProcess(await runCli(words, processIo({ manifestPath, version: version(), dataDir: defaultDataDir(process.env), commands })));
