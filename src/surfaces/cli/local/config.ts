import { connectionOf } from "../connection.ts";
import { credentialsPath } from "../credentials.ts";
import { exit } from "../exit-codes.ts";
import { homeFolder } from "../home.ts";
import { hasColour, widthOf, write, type CliIo } from "../io.ts";
import { osvUrl } from "./osv-url.ts";
import type { LocalRun } from "../local-command.ts";
import { renderTable } from "../output/table.ts";

interface Shown {
  name: string;
  value: string;
  from: string;
  description: string;
}

/** Prints the settings of the CLI and of the server as this environment makes them. No secret is printed. */
export const runConfig: LocalRun = async ({ io, global }, options) => {
  const { describeConfig } = await import("../../../platform/config.ts");
  const settings: Shown[] = [...(await clientSettings(io, global)), ...describeConfig(io.env, io.dataDir)];
  await write(io, await render(io, settings, String(options["output"])));
  return exit.done;
};

async function clientSettings(io: CliIo, global: { url?: string }): Promise<Shown[]> {
  const { env } = io;
  const given = (name: string): string => (env[name] === undefined || env[name] === "" ? "default" : "environment");
  const { QINFRA_API_KEY: _key, ...withoutKey } = env;
  const connection = await connectionOf({ ...io, env: withoutKey }, global);
  const from = global.url !== undefined ? "--url" : given("QINFRA_URL") === "environment" ? "environment" : connection === undefined ? "unset" : credentialsPath(env);
  const key = env["QINFRA_API_KEY"] ?? "";
  const organization = env["QINFRA_ORGANIZATION"] ?? "";
  return [
    { name: "QINFRA_HOME", value: homeFolder(env), from: given("QINFRA_HOME"), description: "Folder of logins and the advisory cache" },
    { name: "QINFRA_URL", value: connection?.url ?? "", from, description: "Server that commands talk to" },
    { name: "QINFRA_API_KEY", value: key === "" ? "" : "****", from: key === "" ? "unset" : "environment", description: "API key, instead of a login" },
    { name: "QINFRA_ORGANIZATION", value: organization, from: organization === "" ? "unset" : "environment", description: "Organization to work in" },
    { name: "QINFRA_OSV_URL", value: osvUrl(env), from: given("QINFRA_OSV_URL"), description: "Where feeds sync osv --local reads from" },
  ];
}

async function render(io: CliIo, settings: readonly Shown[], format: string): Promise<string> {
  if (format === "json") return `${JSON.stringify(settings, null, 2)}\n`;
  if (format === "yaml") return (await import("../output/yaml.ts")).yamlText(settings);
  const rows = settings.map(({ name, value, from, description }) => [name, value === "" ? "-" : value, from, description]);
  return renderTable(["NAME", "VALUE", "FROM", "DESCRIPTION"], rows, { width: widthOf(io.stdout), colour: hasColour(io, io.stdout) });
}
