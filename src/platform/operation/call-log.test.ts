import { pino, type Logger } from "pino";
import { Type } from "typebox";
import { describe, expect, it } from "vitest";
import { anonymous } from "../actor.ts";
import { logCall } from "./call-log.ts";
import { operation, type Operation } from "./operation.ts";
import type { Call } from "./services.ts";

const signIn = (more: Partial<Operation> = {}) => ({
  ...operation({
    id: "sessions.create", http: "POST /api/v1/sessions", summary: "s", permission: "public", reason: "r", effect: "change",
    input: Type.Object({ name: Type.String(), password: Type.String({ writeOnly: true }) }), output: Type.Object({}), examples: [], handle: async () => ({}),
  }), ...more,
});

function logged(level: string, logIt: (log: Logger) => void): Record<string, unknown>[] {
  const lines: Record<string, unknown>[] = [];
  logIt(pino({ level }, { write: (line: string) => void lines.push(JSON.parse(line) as Record<string, unknown>) }));
  return lines;
}

const call = { door: "http", requestId: "request-1", input: { name: "ada", password: "hunter2" } } as unknown as Call;
const actor = { ...anonymous, kind: "user" as const, userId: "ada", orgId: "org" };
const common = { call, actor, status: 201, ms: 12.345, output: { token: "qis_secret", user: "usr_1" } };

describe("a call in the log", () => {
  it("is not there at level info", () => {
    expect(logged("info", (log) => logCall(log, { ...common, operation: signIn() }))).toEqual([]);
  });

  it("shows at debug who asked for what, without what is declared as secret", () => {
    const [line] = logged("debug", (log) => logCall(log, { ...common, operation: signIn() }));
    expect(line).toMatchObject({ msg: "call", operation: "sessions.create", door: "http", requestId: "request-1", actor: "ada", org: "org", status: 201, ms: 12.3, input: { name: "ada" } });
    expect(JSON.stringify(line)).not.toMatch(/hunter2|qis_secret/);
  });

  it("shows at trace also what was answered, and never an answer that holds a secret", () => {
    const [open] = logged("trace", (log) => logCall(log, { ...common, operation: signIn(), output: { user: "usr_1" } }));
    expect(open).toMatchObject({ output: { user: "usr_1" } });
    const [secret] = logged("trace", (log) => logCall(log, { ...common, operation: signIn({ answersSecret: true }) }));
    expect(secret).toMatchObject({ output: "[redacted]" });
    expect(JSON.stringify(secret)).not.toContain("qis_secret");
  });

  it("cuts what is long", () => {
    const [line] = logged("debug", (log) => logCall(log, { ...common, operation: signIn(), call: { ...call, input: { name: "a".repeat(10_000) } } }));
    expect(String(line?.["input"])).toMatch(/\.\.\. \(10011 bytes\)$/);
    expect(JSON.stringify(line).length).toBeLessThan(5_000);
  });
});
