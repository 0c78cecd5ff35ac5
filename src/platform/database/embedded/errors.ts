import { DeclaredError, errorType } from "../../errors.ts";

/** What keeps an embedded server from starting. Each detail names the path and the way out. */
export const PlatformUnsupported = errorType("postgres-platform-unsupported", 503, "There is no embedded PostgreSQL for this platform");
export const AlreadyRunning = errorType("postgres-already-running", 503, "Another program serves this database folder");
export const WrongVersion = errorType("postgres-wrong-version", 503, "The database was made by another version of PostgreSQL");
export const ForeignOwner = errorType("postgres-foreign-owner", 503, "The database folder belongs to somebody else");
export const NotWritable = errorType("postgres-not-writable", 503, "The database folder cannot be written");
export const DiskFull = errorType("postgres-disk-full", 503, "The disk is full");
export const InitFailed = errorType("postgres-init-failed", 503, "The database could not be created");
export const StartFailed = errorType("postgres-start-failed", 503, "PostgreSQL did not start");

/** Says what a failed system call on `path` means for the user; undefined where it is none of these. */
export function fileError(error: unknown, path: string): DeclaredError | undefined {
  if (error instanceof DeclaredError) return error;
  const code = errorCode(error);
  if (code === "ENOSPC" || code === "EDQUOT") return diskFull(path, error);
  if (code === "EACCES" || code === "EPERM" || code === "EROFS" || code === "ENOTDIR") {
    const why = { EROFS: "is on a read-only file system", ENOTDIR: "lies under something that is not a folder" }[code as string] ?? "may not be written by this user";
    return new DeclaredError(
      NotWritable,
      `The database cannot be kept in ${path}: it ${why} (${code}). Make it writable, choose another data folder, or set DATABASE_URL to a PostgreSQL server.`,
      { path },
      error,
    );
  }
  return undefined;
}

export function diskFull(path: string, cause?: unknown): DeclaredError {
  return new DeclaredError(
    DiskFull,
    `There is no space left for ${path}. Free some (a new database needs about 130 MB) and start again; nothing half-written is kept.`,
    { path },
    cause,
  );
}

export function errorCode(error: unknown): string | undefined {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : undefined;
}
