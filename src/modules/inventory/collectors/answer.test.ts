import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { InputError } from "../../software/input-error.ts";
import { parseAnswer } from "./answer.ts";
import { bodyOf } from "./answer-bytes.ts";
import { CollectError } from "./collect-error.ts";
import { hostOf } from "./ssh.ts";

const nonce = "0123456789abcdef0123456789abcdef";
const other = "f".repeat(32);
const body = (...lines: string[]) => Buffer.from([...lines, `e ${nonce}`, ""].join("\n"));
const host = (content: Buffer) => hostOf({ host: "web01" }, content, nonce);

const alpine = [
  "v sysname", ".Linux", "v node", ".web01",
  "f etc/os-release", ".ID=alpine", ".VERSION_ID=3.22.1", "=",
  "f lib/apk/db/installed", ".P:musl", ".V:1.2.5-r10", ".A:x86_64", ".o:musl", ".", "=",
  "l opt\t/data/opt",
  "f data/opt/app/node_modules/left-pad/package.json", '.{"name":"left-pad",', '."version":"1.3.0"}', "=",
];

describe("parseAnswer", () => {
  it("reads files, values and what is closed", () => {
    const answer = parseAnswer(body("v node", ".web01", "f a/b", ".one", "..two", ".", "=", "x a/c", "p a/d", "c e", "l f\t/a", "m awk", "s 12", "u 1"), nonce);
    expect(answer.facts.get("node")).toBe("web01\n");
    expect(Object.fromEntries(answer.entries)).toEqual({
      "a/b": { kind: "file", content: Buffer.from("one\n.two\n\n") },
      "a/c": { kind: "unreadable" },
      "a/d": { kind: "present" },
      e: { kind: "closed" },
      f: { kind: "symlink", target: "/a" },
    });
    expect(answer).toMatchObject({ missing: ["awk"], stoppedAfter: 12, brokenNames: 1 });
  });

  it("takes no content for a frame", () => {
    const { entries } = parseAnswer(body("f a", ".f etc/os-release", `.e ${nonce}`, ".=", "="), nonce);
    expect([...entries.keys()]).toEqual(["a"]);
  });

  it("counts a file whose end did not come as unreadable", () => {
    expect(parseAnswer(body("f a", ".half", "f b", "="), nonce).entries.get("a")).toEqual({ kind: "unreadable" });
  });

  it("reads what find says of closed directories, quoted or not", () => {
    const { entries } = parseAnswer(body("v find-errors", ".find: '/opt/a b': Permission denied", ".find: /srv/c: Permission denied", ".find: '/../x': Permission denied", ".awk: warning"), nonce);
    expect([...entries]).toEqual([["opt/a b", { kind: "closed" }], ["srv/c", { kind: "closed" }]]);
  });

  it.each([
    ["no end", Buffer.from("v node\n.web01\n"), "truncated-answer"],
    ["an end without its line break", Buffer.from(`e ${nonce}`), "truncated-answer"],
    ["nothing", Buffer.alloc(0), "truncated-answer"],
    ["an end of another answer", Buffer.from(`e ${other}\n`), "malformed-answer"],
    ["an unknown frame", body("q x"), "malformed-answer"],
    ["content of nothing", body(".x"), "malformed-answer"],
    ["an end of nothing", body("="), "malformed-answer"],
    ["a path that leads out", body("f ../etc/passwd"), "malformed-answer"],
    ["an absolute path", body("f /etc/passwd"), "malformed-answer"],
    ["an empty path", body("f "), "malformed-answer"],
    ["a control character in a path", body("x a\u0007"), "malformed-answer"],
    ["a path too deep", body(`x ${"a/".repeat(200)}a`), "malformed-answer"],
    ["a path too long", body(`x ${"a".repeat(5_000)}`), "malformed-answer"],
    ["a line too long", body(`x ${"a".repeat(50_000)}`), "malformed-answer"],
    ["a link without a target", body("l a"), "malformed-answer"],
    ["a count that is none", body("s many"), "malformed-answer"],
    ["too many frames", body("p a", "p b", "p c", "p d"), "malformed-answer"],
  ])("refuses %s", (_, content, code) => {
    const limits = { frames: 3, pathBytes: 4_096, pathSegments: 128 };
    expect(() => parseAnswer(content, nonce, limits)).toThrow(expect.objectContaining({ code }));
  });
});

describe("hostOf", () => {
  it("reads a host with the parsers of a root file system, through its links", async () => {
    const found = await host(body(...alpine));
    expect(found).toMatchObject({ name: "web01", source: "ssh", os: { id: "alpine", versionId: "3.22.1" }, notes: [] });
    expect(found.components.map(({ name, version }) => `${name} ${version}`)).toEqual(["musl 1.2.5-r10", "left-pad 1.3.0"]);
  });

  it("notes what was seen and not read", async () => {
    const { notes } = await host(body(...alpine, "p var/lib/rpm/rpmdb.sqlite", "c srv", "x usr/local/node_modules/a/package.json", "s 300000"));
    expect(notes.map(({ kind, path }) => [kind, path])).toEqual([
      ["unread-package-database", "var/lib/rpm/rpmdb.sqlite"], ["not-searched", "srv"], ["unreadable-file", "usr/local/node_modules/a/package.json"], ["not-searched", undefined],
    ]);
  });

  it.each([
    ["without awk", ["m awk"], { code: "tool-missing", message: "web01 has no awk, which the scan needs." }],
    ["of another system", ["v sysname", ".FreeBSD"], { code: "unsupported-system" }],
    ["whose database may not be read", ["v sysname", ".Linux", "x var/lib/dpkg/status"], { code: "no-permission", location: { path: "web01:/var/lib/dpkg/status" } }],
    ["behind a closed directory", ["v sysname", ".Linux", "c var/lib/dpkg"], { code: "no-permission" }],
    ["with a damaged database", ["v sysname", ".Linux", "f var/lib/dpkg/status", ".hello", "="], { code: "malformed", location: { path: "web01:/var/lib/dpkg/status" } }],
  ])("refuses a host %s", async (_, lines, error) => {
    await expect(host(body(...lines))).rejects.toMatchObject(error);
  });

  it("given links in a circle and entries that contradict each other, then it still ends", async () => {
    const found = await host(body(...alpine, "l srv\t/usr/local", "l usr/local\t/srv", "p etc", "x lib/apk", "c opt"));
    expect(found.os?.id).toBe("alpine");
  });
});

describe("bodyOf", () => {
  const header = (format: string) => Buffer.from(`welcome\r\nqinfra-answer ${nonce} ${format}\n`);
  const content = body(...alpine);

  it.each([["plain", content], ["gzip", gzipSync(content)]])("reads a %s body after what the login prints", async (format, sent) => {
    expect(await bodyOf(Buffer.concat([header(format), sent]), nonce, 10_000)).toEqual(content);
  });

  it("is undefined where something else answers", async () => {
    expect(await bodyOf(Buffer.from(`qinfra-answer ${other} plain\n`), nonce, 10_000)).toBeUndefined();
  });

  it.each([
    ["a cut body", gzipSync(content).subarray(0, 40), 10_000, "truncated-answer"],
    ["no body", Buffer.alloc(0), 10_000, "truncated-answer"],
    ["a body that is no gzip", Buffer.from("hello, world, this is text"), 10_000, "malformed-answer"],
    ["a body that inflates beyond the limit", gzipSync(Buffer.alloc(1_000_000)), 10_000, "too-large"],
  ])("refuses %s", async (_, sent, limit, code) => {
    await expect(bodyOf(Buffer.concat([header("gzip"), sent]), nonce, limit)).rejects.toMatchObject({ code });
  });
});

describe("an answer that is not to be trusted", () => {
  /** mulberry32: small, and the same everywhere. */
  function randomFrom(seed: number): (below: number) => number {
    let state = seed;
    return (below) => {
      state = (state + 0x6d2b79f5) | 0;
      let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
      mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
      return ((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below) | 0;
    };
  }

  async function outcome(content: Buffer): Promise<unknown> {
    try {
      await host(content);
      return "read";
    } catch (error) {
      return error instanceof CollectError || error instanceof InputError ? "refused" : error;
    }
  }

  it("given bytes changed, lines moved or the end cut, then it is read or refused, and nothing else happens", async () => {
    const random = randomFrom(20261121);
    const whole = body(...alpine, "c srv", "x usr/local/a.egg-info", "v meminfo", ".MemTotal: 12 kB", "s 5");
    const seen = new Map<unknown, number>();
    for (let run = 0; run < 3_000; run += 1) {
      let content = Buffer.from(whole);
      if (run % 3 === 0) content = content.subarray(0, random(content.length));
      else if (run % 3 === 1) for (let flips = 1 + random(6); flips > 0; flips -= 1) content[random(content.length)] = random(256);
      else {
        const lines = content.toString().split("\n");
        for (let moves = 1 + random(4); moves > 0; moves -= 1) lines.splice(random(lines.length), 0, ...lines.splice(random(lines.length), 1 + random(3)));
        content = Buffer.from(lines.join("\n"));
      }
      const result = await outcome(content);
      seen.set(result, (seen.get(result) ?? 0) + 1);
    }
    expect([...seen.keys()].toSorted()).toEqual(["read", "refused"]);
  });
});
