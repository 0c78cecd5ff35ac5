import type { LocalCommand } from "../local-command.ts";
import { configCommand, completionCommand, helpCommand } from "./small-commands.ts";
import { feedsImportCommand, feedsSyncCommand } from "./feeds-commands.ts";
import { loginCommand, logoutCommand, passwordCommand } from "./login-commands.ts";
import { addTotpCommand, confirmCommand } from "./second-factor-commands.ts";
import { scanCommand } from "./scan-command.ts";
import { watchWorkflowCommand } from "./watch-command.ts";

/** The commands that are no operations. Each loads what it does only when it runs. */
export const localCommands: readonly LocalCommand[] = [
  loginCommand, logoutCommand, passwordCommand, confirmCommand, addTotpCommand, scanCommand, feedsImportCommand, feedsSyncCommand, watchWorkflowCommand, configCommand, completionCommand, helpCommand,
];
