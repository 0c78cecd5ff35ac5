import type { LocalCommand } from "../surfaces/cli/index.ts";

/** Rotation of the platform's keys, on the machine that holds them. A running server takes the new ones up by itself. */
export const rotateKeysCommand: LocalCommand = {
  name: "keys rotate",
  summary: "Make new platform and signing keys; older ones still open what they sealed",
  offline: true,
  configure(command) {
    command.addHelpText("after", "\nRun it where the server runs, with the same settings (DATA_DIR, SECRETS_URL). Servers need no restart.\nAfterwards qinfra keys rewrap puts what the older keys sealed under the new one.");
  },
  async load() {
    const { parseConfig } = await import("../platform/config.ts");
    const { openSecrets } = await import("../platform/secrets/index.ts");
    const { systemClock } = await import("../platform/clock.ts");
    const { enginesOf } = await import("./engines.ts");
    return async ({ io }) => {
      const config = parseConfig(io.env, io.dataDir);
      const engines = await enginesOf(config);
      const secrets = await openSecrets(config, { dataExists: true, clock: systemClock, ...(engines === undefined ? {} : { tls: engines }) });
      try {
        const platform = await secrets.rotate();
        const signing = await secrets.rotateSigner();
        io.stdout.write(`platform key  ${platform.keyId}\nsigning key   ${signing.keyId}\n`);
        return 0;
      } finally {
        secrets.close();
      }
    };
  },
};

/** Everything that is sealed in the database, under the current key or under those of another SECRETS_URL. */
export const rewrapKeysCommand: LocalCommand = {
  name: "keys rewrap",
  summary: "Put everything that is sealed in the database under the current platform key",
  offline: true,
  configure(command) {
    command.option("--from <url>", "SECRETS_URL of before, when the keys move to the SECRETS_URL of now");
    command.addHelpText("after", `
Run it where the server runs, with the same settings. It may be ended at any time and run again: what is done is left alone.
Stop the platform first where it keeps its own database, and always before --from.

  qinfra keys rotate && qinfra keys rewrap
  SECRETS_URL=vault:https://vault.example:8200 qinfra keys rewrap --from file:
  SECRETS_URL=aws-kms:alias/qinfra?region=eu-central-1 qinfra keys rewrap --from vault:https://vault.example:8200`);
  },
  async load() {
    const { runRewrap } = await import("./run-rewrap.ts");
    return ({ io }, options) => runRewrap(io, typeof options["from"] === "string" ? options["from"] : undefined);
  },
};
