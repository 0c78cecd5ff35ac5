import { expect, it } from "vitest";
import { createLog } from "./log.ts";

function logged(write: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  write(createLog("info", { write: (line: string) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it("writes one JSON value a line, with time, level and service", () => {
  const [line] = logged((log) => log.info({ requestId: "r-1" }, "request"));
  expect(line).toMatchObject({ level: "info", service: "qinfra", requestId: "r-1", msg: "request", time: expect.stringMatching(/^\d{4}-.*Z$/) });
});

it.each(["password", "token", "authorization", "cookie", "secret"])("cuts out %s, also one level down", (field) => {
  const text = JSON.stringify(logged((log) => log.info({ [field]: "geheim", input: { [field]: "geheim" } }, "call")));
  expect(text).not.toContain("geheim");
});

it("describes an error with its cause, without what the library hung on it", () => {
  const error = Object.assign(new Error("lost", { cause: new Error("reset") }), { code: "57P01", client: { password: "geheim" } });
  const [line] = logged((log) => log.warn({ err: error }, "connection"));
  expect(line).toMatchObject({ err: { type: "Error", message: "lost", code: "57P01", cause: { message: "reset" } } });
  expect(JSON.stringify(line)).not.toContain("geheim");
});
