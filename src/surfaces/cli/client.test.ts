import { describe, expect, it } from "vitest";
import { asCliError } from "./client.ts";
import { CliError } from "./errors.ts";
import type { CliIo } from "./io.ts";

const io = { signal: new AbortController().signal } as CliIo;
const connection = { url: "http://server" };

function systemError(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}

describe("why there is no answer", () => {
  it.each([
    ["nothing listens", new TypeError("fetch failed", { cause: systemError("ECONNREFUSED", "connect") }), "The server at http://server does not answer: nothing listens there."],
    ["an error of a socket that is not known", new TypeError("fetch failed", { cause: systemError("EPROTO", "write") }), "The server at http://server does not answer: EPROTO."],
    ["what is known already", new CliError("It is late."), "It is late."],
  ])("given %s", (_what, error, message) => {
    expect(asCliError(io, connection, error).message).toBe(message);
  });

  it.each([
    ["a file that is not there", new Error("key: there is no such file", { cause: systemError("ENOENT", "open") })],
    ["a fault of the program", new TypeError("undefined is not a function")],
  ])("given %s, then that is thrown, because it is no fault of the network", (_what, error) => {
    expect(() => asCliError(io, connection, error)).toThrow(error);
  });
});
