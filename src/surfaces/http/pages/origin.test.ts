import { describe, expect, test } from "vitest";
import { originOf } from "./origin.ts";

describe("the origin by which a browser came", () => {
  test.each<[string, string | undefined, string | undefined]>([
    ["https://qinfra.example", "qinfra.example", "https://qinfra.example"],
    ["https://qinfra.example", "qinfra.example:443", undefined],
    ["https://qinfra.example", "evil.example", undefined],
    ["https://qinfra.example", "localhost", undefined],
    ["https://qinfra.example", undefined, undefined],
    ["http://localhost:8080", "localhost:8080", "http://localhost:8080"],
    ["http://localhost:8080", "127.0.0.1:8080", "http://127.0.0.1:8080"],
    ["http://localhost:8080", "[::1]:8080", "http://[::1]:8080"],
    ["http://localhost:8080", "localhost:9090", undefined],
    ["http://localhost:8080", "localhost:8080.evil.example", undefined],
    ["http://localhost:8080", "evil@localhost:8080", undefined],
    ["http://localhost:8080", "localhost:8080/path", undefined],
    ["http://localhost:8080", "2130706433:8080", undefined],
  ])("given %s and the host %s, then it is %s", (publicOrigin, host, origin) => {
    expect(originOf({ headers: host === undefined ? {} : { host } }, publicOrigin)).toBe(origin);
  });
});
