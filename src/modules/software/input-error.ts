/** What is wrong with an input, for programs; the message is for people. */
export type InputErrorCode =
  | "ambiguous-image"
  | "cannot-read"
  | "digest-mismatch"
  | "empty"
  | "is-a-directory"
  | "malformed"
  | "no-permission"
  | "not-a-directory"
  | "not-found"
  | "not-this-format"
  | "os-required"
  | "too-large"
  | "truncated"
  | "unsupported-format"
  | "wrong-structure";

/** Where in the input the error is; only what is known. Lines and columns count from 1. */
export interface InputLocation {
  path?: string;
  line?: number;
  column?: number;
  /** A JSON path, for example `$.components[3].name`. */
  jsonPath?: string;
}

/** An input that is refused whole. Parsers of this module throw nothing else for bad input. */
export class InputError extends Error {
  readonly code: InputErrorCode;
  readonly location: InputLocation;

  constructor(code: InputErrorCode, reason: string, location: InputLocation = {}, options?: ErrorOptions) {
    super(describe(reason, location), options);
    this.name = "InputError";
    this.code = code;
    this.location = location;
    this.#reason = reason;
  }

  /** The same error, saying which file it is about unless it says so already. */
  in(path: string): InputError {
    if (this.location.path !== undefined) return this;
    return new InputError(this.code, this.#reason, { ...this.location, path }, { cause: this });
  }

  /** The same error about a file that lies in a directory or archive. */
  within(container: string): InputError {
    const { path } = this.location;
    if (path === undefined || path.startsWith(container)) return this.in(container);
    const joined = `${container.replace(/\/+$/, "")}/${path}`;
    return new InputError(this.code, this.#reason, { ...this.location, path: joined }, { cause: this });
  }

  readonly #reason: string;
}

function describe(reason: string, { path, line, column, jsonPath }: InputLocation): string {
  const places = [
    path,
    line === undefined ? undefined : `line ${line}`,
    column === undefined ? undefined : `column ${column}`,
    jsonPath,
  ].filter((place) => place !== undefined);
  return places.length === 0 ? reason : `${places.join(", ")}: ${reason}`;
}

/** Runs `parse`; an input error that it throws names the file in this directory or archive. */
export async function namingContainer<T>(container: string, parse: () => Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    throw error instanceof InputError ? error.within(container) : error;
  }
}

/** Runs `parse`; an input error that it throws names `path`. */
export async function namingFile<T>(path: string, parse: () => T | Promise<T>): Promise<T> {
  try {
    return await parse();
  } catch (error) {
    throw error instanceof InputError ? error.in(path) : error;
  }
}

/** Text of an input for an error message: one line, printable, short. */
export function excerpt(text: string, length = 40): string {
  const printable = text.replace(/[\p{C}\p{Z}]+/gu, " ").trim();
  return printable.length > length ? `${printable.slice(0, length)}...` : printable;
}
