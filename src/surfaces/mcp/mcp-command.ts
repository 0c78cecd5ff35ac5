import type { LocalCommand } from "../cli/local-command.ts";

export const mcpCommand: LocalCommand = {
  name: "mcp",
  summary: "Serve MCP on standard input and output, for an agent on this machine",
  configure(command) {
    command.addHelpText("after", `
Passes each message on to the server of \`qinfra login\`, QINFRA_URL or --url, with the credentials kept there: an agent
sees the tools that you may call, and whatever it does is recorded as done by a program.

In the configuration of an agent:
  { "mcpServers": { "qinfra": { "command": "qinfra", "args": ["mcp"] } } }`);
  },
  load: async () => (await import("./stdio/run-mcp.ts")).runMcp,
};
