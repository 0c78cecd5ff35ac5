import { describe, expect, it } from "vitest";
import type { Problem } from "../../platform/errors.ts";
import { errorText, problemError } from "./errors.ts";

function refused(faults: unknown): Problem {
  return { type: "urn:qinfra:problem:invalid-input", title: "The input is not valid", status: 400, code: "invalid-input", detail: "as the server says it", data: { faults } };
}

const notAnId = (prefix: string) => `must be an id, which begins with ${prefix}_`;

describe("a refusal of the input", () => {
  it.each([
    ["a name where an id belongs", [{ path: "/image", message: notAnId("img") }], "error: image has to be an id, which begins with img_.\n  next: qinfra images list shows ids"],
    ["a name where the id of a run belongs", [{ path: "/id", message: notAnId("run") }], "error: id has to be an id, which begins with run_.\n  next: qinfra workflows list shows ids"],
    ["an id that nothing lists", [{ path: "/id", message: notAnId("set") }], "error: id has to be an id, which begins with set_."],
    ["another pattern", [{ path: "/name", message: 'must match pattern "^[a-z]+$"' }], "error: as the server says it"],
    ["several faults", [{ path: "/image", message: notAnId("img") }, { path: "/limit", message: "must be <= 1000" }], "error: as the server says it"],
    ["no list of faults", "nonsense", "error: as the server says it"],
    ["an empty fault", [null], "error: as the server says it"],
  ])("%s", (_name, faults, text) => {
    expect(errorText(problemError(refused(faults)))).toBe(`${text}\n  code: invalid-input (400)`);
  });
});
