import { describe, expect, it } from "vitest";
import { InvalidInput } from "../../../errors.ts";
import { eventsTopic, groupNames, offsetText, parseOffset } from "./names.ts";

const refusal = expect.objectContaining({ type: InvalidInput }) as Error;

describe("names in Kafka", () => {
  it("gives topics and the group one name each", () => {
    expect(groupNames("inventory.assets", "analytics")).toEqual({
      events: "qinfra.inventory.assets", redrive: "qinfra.inventory.assets.redrive.analytics", dead: "qinfra.inventory.assets.dead.analytics", group: "qinfra.inventory.assets.analytics",
    });
  });

  it.each(["a b", "", "ä", "a/b", "a.dead.b", "redrive", "x".repeat(250)])("refuses the topic %j", (topic) => {
    expect(() => eventsTopic(topic)).toThrow(refusal);
  });

  it.each(["a b", "", "g".repeat(240)])("refuses the group %j", (group) => {
    expect(() => groupNames("topic", group)).toThrow(refusal);
  });

  it("writes an offset so that it can read it", () => {
    const at = { partition: 3, offset: 9_007_199_254_740_993n };
    expect(offsetText(at)).toBe("3:9007199254740993");
    expect(parseOffset(offsetText(at))).toEqual(at);
  });

  it.each(["", "3", "3:", ":1", "3:-1", "3:1:2", "nothing"])("refuses the offset %j", (text) => {
    expect(() => parseOffset(text)).toThrow(refusal);
  });
});
