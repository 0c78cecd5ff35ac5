import { DeclaredError, InvalidInput } from "../../errors.ts";

/** Values of postgresql.conf by name. */
export type Settings = Readonly<Record<string, string | number | boolean>>;

/** For a server that shares a machine with the platform. `ALTER SYSTEM` overrides each of them. */
export const defaultSettings: Settings = {
  cluster_name: "qinfra",
  shared_buffers: "64MB",
  max_connections: 100,
  fsync: true,
  wal_compression: true,
  jit: false,
  timezone: "UTC",
  log_timezone: "UTC",
  unix_socket_permissions: "0700",
  logging_collector: true,
  log_directory: "../log",
  log_filename: "postgresql-%Y%m%dT%H%M%S.log",
  log_file_mode: "0600",
  log_rotation_size: "10MB",
  log_rotation_age: "7d",
  log_line_prefix: "%m [%p] ",
  // A statement may hold a secret (alter role ... password '...'), so failed ones are not written down.
  log_min_error_statement: "panic",
  log_parameter_max_length_on_error: 0,
};

/** In the home folder, not in the cluster: root writes no file in a folder that another user may fill with links. */
export const configurationName = "qinfra.conf";

/** Text of the file, which `postgresql.conf` includes; written anew at each start. */
export function configurationFile(settings: Settings): string {
  const lines = Object.entries({ ...defaultSettings, ...settings }).map(([name, value]) => `${checkedName(name)} = ${quoted(name, value)}`);
  return ["# Written by qinfra at each start: use ALTER SYSTEM to change a setting.", ...lines, ""].join("\n");
}

function checkedName(name: string): string {
  if (/^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/i.test(name)) return name;
  throw new DeclaredError(InvalidInput, `"${name}" is not the name of a PostgreSQL setting.`);
}

function quoted(name: string, value: string | number | boolean): string {
  if (typeof value === "boolean") return value ? "on" : "off";
  if (typeof value === "number") return String(value);
  if (/[\n\r\0]/.test(value)) throw new DeclaredError(InvalidInput, `The PostgreSQL setting ${name} holds a line break.`);
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}
