import { describe, expect, it } from "vitest";
import type { OperationRecord } from "../manifest.ts";
import { answerTable } from "./answer-table.ts";

function operation(columns: string[], output: OperationRecord["output"] = { type: "object" }): OperationRecord {
  return {
    id: "a.b", http: { method: "GET", path: "/a" }, places: {}, cli: { name: "a b", positional: [], columns }, summary: "", permission: "public",
    effect: "read", doors: [], input: {}, output, errors: [], examples: [], list: true,
  };
}

describe("answerTable", () => {
  it("shows the columns of the operation, inner fields by their path", () => {
    const items = [{ id: "1", os: { id: "debian" }, tags: { a: "b", c: "d" }, on: true, list: ["x", "y"], none: null }];
    expect(answerTable(operation(["id", "os.id", "tags", "on", "list", "none"]), { items }, {})).toBe("ID  OS ID   TAGS     ON   LIST  NONE\n1   debian  a=b c=d  yes  x, y  -\n");
  });

  it("without columns shows the plain fields that the schema declares", () => {
    const output = { type: "object", properties: { items: { type: "array", items: { type: "object", properties: { id: { type: "string" }, os: { type: "object", properties: {} }, size: { type: "integer" } } } } } };
    expect(answerTable(operation([], output), { items: [{ id: "1", os: {}, size: 2 }] }, {})).toBe("ID  SIZE\n1   2\n");
  });

  it("keeps the heading of an empty list", () => {
    expect(answerTable(operation(["id"]), { items: [] }, {})).toBe("ID\n");
  });

  it("shows one thing as names and values, and a list in it as a table", () => {
    const answer = { name: "CVE-1", event: { id: "e", state: "handled" }, assets: [{ id: "1", name: "a" }], none: [], settings: {} };
    expect(answerTable(operation([]), answer, {})).toBe("name         CVE-1\nevent id     e\nevent state  handled\nnone         -\nsettings     -\n\nassets\nID  NAME\n1   a\n");
  });

  it("shows a list in an inner object as a table too", () => {
    const answer = { id: "run_1", output: { hosts: 2, failures: [{ host: "a", code: "timeout" }, { host: "b", code: "refused" }] } };
    expect(answerTable(operation([]), answer, {})).toBe("id            run_1\noutput hosts  2\n\noutput failures\nHOST  CODE\na     timeout\nb     refused\n");
  });

  it("shows alone what was asked for, where it is there", () => {
    const whoami: OperationRecord = { ...operation(["user"]), cli: { name: "whoami", positional: [], columns: ["user"], alone: "can" } };
    expect(answerTable(whoami, { user: "ada", can: { permission: "images:build", allowed: true, because: ["a", "b"] } }, {})).toBe("permission  images:build\nallowed     yes\nbecause     a, b\n");
    expect(answerTable(whoami, { user: "ada" }, {})).toBe("user  ada\n");
  });

  it("shows a list of plain values one a line", () => {
    const codes: OperationRecord = { ...operation([]), cli: { name: "codes", positional: [], columns: [], alone: "codes" } };
    expect(answerTable(codes, { codes: ["a", "b"] }, {})).toBe("a\nb\n");
    expect(answerTable(operation([]), ["a", "b"], {})).toBe("a\nb\n");
  });
});
