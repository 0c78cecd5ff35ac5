import type { LocalCommand } from "../surfaces/cli/index.ts";
import { mcpCommand } from "../surfaces/mcp/mcp-command.ts";
import { firstPasswordCommand } from "./first-password-command.ts";
import { rewrapKeysCommand, rotateKeysCommand } from "./keys-command.ts";

/** Commands of the program beside those of the CLI. They run in src/main.ts; here they are listed for help and completion. */
export const commands: readonly LocalCommand[] = [
  platformCommand("up", "Start the platform on this machine and say how to get in"),
  platformCommand("serve", "Serve the platform as configured, with its log on standard output"),
  firstPasswordCommand,
  mcpCommand,
  rotateKeysCommand,
  rewrapKeysCommand,
];

function platformCommand(name: "up" | "serve", summary: string): LocalCommand {
  return {
    name, summary,
    async load() {
      const { runPlatform } = await import("./run.ts");
      return (_context, _options, args) => runPlatform(name, args);
    },
  };
}
