import { endProcess, processIo, runCli } from "../../cli/index.ts";
import { mcpCommand } from "../mcp-command.ts";

// `qinfra` with the one command that the tests of the bridge need; its argument is the path of a list of operations.
const [manifestPath = "", ...words] = process.argv.slice(2);
endProcess(await runCli(words, processIo({ manifestPath, version: "0.0.0-test", dataDir: "", commands: [mcpCommand] })));
