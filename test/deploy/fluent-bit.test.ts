import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createLog } from "../../src/platform/telemetry/log.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const read = (path: string): string => readFileSync(join(deploy, path), "utf8");

interface Section {
  kind: string;
  values: Record<string, string>;
}

/** Fluent Bit's classic format: sections in square brackets, a name and its value on each line. */
function sectionsOf(text: string): Section[] {
  const sections: Section[] = [];
  for (const line of text.split("\n").map((each) => each.trim()).filter((each) => each !== "" && !each.startsWith("#"))) {
    const [, kind] = /^\[(\w+)\]$/.exec(line) ?? [];
    const [, name = "", value = ""] = /^(\S+)\s+(.+)$/.exec(line) ?? [];
    if (kind !== undefined) sections.push({ kind, values: {} });
    else Object.assign(sections.at(-1)?.values ?? {}, { [name]: value });
  }
  return sections;
}

const parsers = sectionsOf(read("observability/parsers.conf"));
const parserOf = (name: string): Record<string, string> => parsers.find(({ values }) => values["Name"] === name)?.values ?? {};

/** What strptime takes by that format: %L is Fluent Bit's for fractions of a second, %z an offset or Z. */
function patternOf(format: string): RegExp {
  const parts: Record<string, string> = { Y: "\\d{4}", m: "(0[1-9]|1[0-2])", d: "([0-2]\\d|3[01])", H: "([01]\\d|2[0-3])", M: "[0-5]\\d", S: "[0-5]\\d", L: "\\d{3}", z: "(Z|[+-]\\d{2}:\\d{2})" };
  return new RegExp(`^${format.replaceAll(".", "\\.").replaceAll(/%(\w)/g, (_, letter: string) => parts[letter] ?? "(?!)")}$`);
}

function logged(write: (log: ReturnType<typeof createLog>) => void): string[] {
  const chunks: string[] = [];
  write(createLog("trace", { write: (chunk: string) => void chunks.push(chunk) }));
  return chunks;
}

const lost = Object.assign(new Error("lost\nits connection", { cause: new Error("reset") }), { client: { password: "geheim" }, config: { headers: { authorization: "geheim" } } });

describe("the log of the platform", () => {
  const parser = parserOf("qinfra");

  it.each<[string, (log: ReturnType<typeof createLog>) => void]>([
    ["a request", (log) => log.info({ requestId: "0199f0c2", method: "GET", route: "/api/v1/images/:id", status: 200, ms: 1.5 }, "request")],
    ["an error", (log) => log.error({ err: lost, requestId: "0199f0c2" }, "request failed")],
    ["text of several lines", (log) => log.warn({ orgId: "org_1" }, "first\nsecond\r\nthird \u2028 \u0000")],
    ["what holds secrets", (log) => log.info({ input: { password: "geheim", token: "geheim", apiKey: "geheim" }, authorization: "geheim", cookie: "geheim" }, "call")],
    ["a fatal end", (log) => log.fatal({ err: lost }, "the platform could not start")],
    ["a trace", (log) => log.trace("step")],
  ])("given %s, then it is one line that Fluent Bit's parser takes", (_, write) => {
    const [line = "", ...more] = logged(write);
    expect(more).toEqual([]);
    expect(line.indexOf("\n")).toBe(line.length - 1);
    expect(parser["Format"]).toBe("json");
    const record = JSON.parse(line) as Record<string, unknown>;
    const time = record[parser["Time_Key"] ?? ""];
    expect(time).toMatch(patternOf(parser["Time_Format"] ?? ""));
    expect(record).toMatchObject({ service: "qinfra", level: expect.stringMatching(/^(fatal|error|warn|info|debug|trace)$/) as string, msg: expect.any(String) as string });
    expect(line).not.toContain("geheim");
    // A field that is there twice would be lost in one of the two.
    const names = [...line.matchAll(/(?<=[{,])"(time|level|service|msg)":/g)].map(([, name]) => name);
    expect(names.length).toBe(new Set(names).size);
  });
});

describe("the log of nginx", () => {
  it("is a JSON value a line by its format, with the time that its parser takes", () => {
    const format = [.../log_format lines escape=json\s+([^;]+);/.exec(read("nginx/nginx.conf"))?.[1]?.matchAll(/'([^']*)'/g) ?? []].map(([, text]) => text).join("");
    const values: Record<string, string> = { status: "200", bytes_sent: "10", request_time: "0.004", time_iso8601: "2026-11-21T18:00:00+00:00" };
    const record = JSON.parse(format.replaceAll(/\$(\w+)/g, (_, name: string) => values[name] ?? "x")) as Record<string, unknown>;
    const parser = parserOf("qinfra_nginx");
    expect(record[parser["Time_Key"] ?? ""]).toMatch(patternOf(parser["Time_Format"] ?? ""));
    expect(format).not.toMatch(/\$(request|request_uri|args|query_string|http_authorization|http_cookie|http_referer)\b/);
  });
});

it("the configuration reads parsers.conf, and each input has one of its parsers and a place to remember", () => {
  const sections = sectionsOf(read("observability/fluent-bit.conf"));
  const inputs = sections.filter(({ kind }) => kind === "INPUT");
  expect(sections.find(({ kind }) => kind === "SERVICE")?.values["Parsers_File"]).toBe("parsers.conf");
  expect(inputs.map(({ values }) => values["Parser"])).toEqual(parsers.map(({ values }) => values["Name"]));
  expect(new Set(inputs.map(({ values }) => values["DB"])).size).toBe(inputs.length);
  expect(sections.filter(({ kind }) => kind === "OUTPUT")).toHaveLength(1);
});
