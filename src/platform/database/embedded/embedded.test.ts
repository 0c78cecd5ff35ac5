import { describe, expect, it } from "vitest";
import { DeclaredError } from "../../errors.ts";
import { configurationFile } from "./configuration.ts";
import { fileError } from "./errors.ts";
import { parsePostmasterFile } from "./postmaster-pid.ts";
import { chooseRunUser, parsePasswd } from "./run-user.ts";
import { fitsSocketPath } from "./socket-dir.ts";
import { connectionUrl } from "./supervisor.ts";

describe("configurationFile", () => {
  it.each([
    [{ work_mem: "8MB" }, "work_mem = '8MB'"],
    [{ jit: true }, "jit = on"],
    [{ "qinfra.note": "it's a \\ test" }, "qinfra.note = 'it''s a \\\\ test'"],
    [{ max_connections: 20 }, "max_connections = 20"],
  ])("writes %j", (settings, line) => {
    expect(configurationFile(settings).split("\n")).toContain(line);
  });

  it.each([{ "a b": 1 }, { "x = 1\ny": 1 }, { search_path: "a\nfsync = off" }])("refuses %j", (settings) => {
    expect(() => configurationFile(settings)).toThrow(DeclaredError);
  });
});

describe("parsePostmasterFile", () => {
  it.each([
    ["123\n/data\n1700000000\n5432\n/sockets\n\n  5432001  3\nready   \n", { pid: 123, socketDir: "/sockets", status: "ready" }],
    ["123\n/data\n", { pid: 123, socketDir: undefined, status: undefined }],
    ["-77\n/data\n", { pid: 77, socketDir: undefined, status: undefined }],
    ["", undefined],
    ["rubbish\n", undefined],
  ])("reads %j", (text, expected) => {
    expect(parsePostmasterFile(text)).toEqual(expected);
  });
});

describe("chooseRunUser for root without a cluster", () => {
  const nobody = "nobody:x:65534:65533:nobody:/nonexistent:/usr/sbin/nologin";
  it.each([
    [`root:x:0:0::/root:/bin/sh\n${nobody}\npostgres:x:101:104::/:/bin/sh`, { name: "postgres", uid: 101, gid: 104 }],
    [`# a comment\nbroken\n${nobody}`, { name: "nobody", uid: 65_534, gid: 65_533 }],
    ["nobody:*:-2:-2::/:/usr/bin/false", { name: "nobody", uid: 4_294_967_294, gid: 4_294_967_294 }],
  ])("takes postgres, else nobody: %j", (passwd, expected) => {
    expect(chooseRunUser("/there/is/none", 0, parsePasswd(passwd))).toEqual(expected);
  });

  it("says what is missing where there is neither", () => {
    expect(() => chooseRunUser("/there/is/none", 0, [])).toThrow(/neither a user postgres nor nobody/);
  });
});

describe("fileError", () => {
  it.each([
    ["ENOSPC", "postgres-disk-full"],
    ["EROFS", "postgres-not-writable"],
    ["EACCES", "postgres-not-writable"],
  ])("%s is %s and names the path", (code, type) => {
    const error = fileError(Object.assign(new Error(code), { code }), "/some/where");
    expect(error?.type.code).toBe(type);
    expect(error?.message).toContain("/some/where");
  });

  it("leaves others alone", () => {
    expect(fileError(new Error("else"), "/some/where")).toBeUndefined();
  });
});

it("a socket path holds at most 107 bytes on Linux, 103 elsewhere", () => {
  const limit = process.platform === "linux" ? 107 : 103;
  const name = "/.s.PGSQL.5432.lock".length;
  expect(fitsSocketPath(`/${"x".repeat(limit - name - 1)}`, 5432)).toBe(true);
  expect(fitsSocketPath(`/${"x".repeat(limit - name)}`, 5432)).toBe(false);
});

it.each([
  [{ host: "/a b/socket", port: 5432, user: "u", password: "p@/:", database: "d" }, "postgres://u:p%40%2F%3A@localhost:5432/d?host=%2Fa%20b%2Fsocket"],
  [{ host: "127.0.0.1", port: 99, user: "u", password: "p", database: "d" }, "postgres://u:p@127.0.0.1:99/d"],
])("connectionUrl of %j", (connection, url) => {
  expect(connectionUrl(connection)).toBe(url);
});
