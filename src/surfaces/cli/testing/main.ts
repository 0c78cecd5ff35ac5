import { endProcess, processIo, runCli } from "../index.ts";

/** The CLI as a process of its own: `MANIFEST WORDS...`. */
const [manifestPath = "", ...words] = process.argv.slice(2);
endProcess(await runCli(words, processIo({ manifestPath, version: "1.2.3", dataDir: "data" })));
