import { describe, expect, it } from "vitest";
import { createIds, fromTypeId, toTypeId } from "./ids.ts";

describe("ids", () => {
  it("are UUIDv7 in the order in which they were made, also within one millisecond", () => {
    const ids = createIds({ now: () => 1_700_000_000_000 });
    const made = Array.from({ length: 10_000 }, () => ids.uuid());
    expect(made.toSorted()).toEqual(made);
    expect(new Set(made).size).toBe(10_000);
    expect(made[0]).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it("keep their order when the clock steps back", () => {
    let now = 2_000;
    const ids = createIds({ now: () => now });
    const first = ids.uuid();
    now = 1_000;
    expect(ids.uuid() > first).toBe(true);
  });

  it.each([
    ["img", "00000000-0000-0000-0000-000000000000", "img_00000000000000000000000000"],
    ["prefix", "01890a5d-ac96-774b-bcce-b302099a8057", "prefix_01h455vb4pex5vsknk084sn02q"], // from the TypeID specification
    ["max", "ffffffff-ffff-ffff-ffff-ffffffffffff", "max_7zzzzzzzzzzzzzzzzzzzzzzzzz"],
  ])("are TypeIDs outside: %s %s", (prefix, uuid, typeId) => {
    expect(toTypeId(prefix, uuid)).toBe(typeId);
    expect(fromTypeId(prefix, typeId)).toBe(uuid);
  });

  it.each(["img_", "img_01h455vb4pex5vsknk084sn02", "img_81h455vb4pex5vsknk084sn02q", "ast_01h455vb4pex5vsknk084sn02q", "img_01H455VB4PEX5VSKNK084SN02Q", ""])(
    "refuse what is not a TypeID of that prefix: %j", (id) => {
      expect(fromTypeId("img", id)).toBeUndefined();
    });
});
