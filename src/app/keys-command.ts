import type { LocalCommand } from "../surfaces/cli/index.ts";

/** Rotation of the platform's keys, on the machine that holds them. A running server takes the new ones up by itself. */
export const keysCommand: LocalCommand = {
  name: "keys rotate",
  summary: "Make new platform and signing keys; older ones still open what they sealed",
  configure(command) {
    command.addHelpText("after", "\nRun it where the server runs, with the same settings (DATA_DIR, SECRETS_URL). Servers need no restart.");
  },
  async load() {
    const { parseConfig } = await import("../platform/config.ts");
    const { openFileSecrets } = await import("../platform/secrets/file-secrets.ts");
    const { systemClock } = await import("../platform/clock.ts");
    return async ({ io }) => {
      const config = parseConfig(io.env, io.dataDir);
      const secrets = await openFileSecrets({ folder: config.keysDir, dataExists: true, clock: systemClock });
      const platform = await secrets.rotate();
      const signing = await secrets.rotateSigner();
      io.stdout.write(`platform key  ${platform.keyId}\nsigning key   ${signing.keyId}\n`);
      return 0;
    };
  },
};
