export { embeddedClusterExists } from "./location.ts";
export { connectionUrl, startEmbeddedPostgres, type Connection, type EmbeddedPostgres, type EmbeddedPostgresLog, type EmbeddedPostgresOptions } from "./supervisor.ts";
export { AlreadyRunning, DiskFull, ForeignOwner, InitFailed, NotWritable, PlatformUnsupported, StartFailed, WrongVersion } from "./errors.ts";
