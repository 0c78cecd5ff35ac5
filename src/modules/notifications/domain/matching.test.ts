import { describe, expect, it } from "vitest";
import { holdAll, isOfTypes, isOwnEcho, memberOf, passes, type Condition, type Filter } from "./matching.ts";

const event = { subject: "img_01jd", data: { severity: "critical", counts: { critical: 2 }, fresh: true, "odd": "2" } };

describe("types of events", () => {
  it.each([
    ["images.registered", ["images.registered"], true], ["images.registered", ["images.*"], true], ["images.registered", ["assets.*", "images.tagged"], false],
    ["images-more.registered", ["images.*"], false], ["images.registered", ["images"], false], ["images.registered", ["*"], false], ["images.registered", [], false],
  ])("%s of %j", (type, named, is) => {
    expect(isOfTypes(type, named)).toBe(is);
  });
});

describe("filters", () => {
  it.each<[Filter, boolean]>([
    [{}, true], [{ subjectBegins: "img_" }, true], [{ subjectBegins: "ast_" }, false], [{ subjectBegins: "img_01jd" }, true],
    [{ data: [{ member: "severity", is: ["critical", "high"] }] }, true], [{ data: [{ member: "severity", is: ["low"] }] }, false],
    [{ data: [{ member: "counts.critical", atLeast: 2 }] }, true], [{ data: [{ member: "counts.critical", atLeast: 3 }] }, false],
    [{ data: [{ member: "fresh", is: [true] }] }, true], [{ data: [{ member: "fresh", is: ["true"] }] }, false],
    [{ data: [{ member: "odd", atLeast: 1 }] }, false], [{ data: [{ member: "nothing", atLeast: 0 }] }, false], [{ data: [{ member: "nothing" }] }, false],
    [{ subjectBegins: "img_", data: [{ member: "severity", is: ["critical"] }, { member: "fresh", is: [false] }] }, false],
    [{ data: [{ member: "__proto__" }] }, false], [{ data: [{ member: "constructor.name", is: ["Object"] }] }, false],
  ])("%j", (filter, is) => {
    expect(passes(event, filter)).toBe(is);
  });

  it("given no conditions, then all of them hold", () => {
    expect(holdAll({}, [] satisfies Condition[])).toBe(true);
  });

  it("given members of a prototype or of a text, then there is nothing", () => {
    expect([memberOf({}, "toString"), memberOf("text", "length"), memberOf(null, "a"), memberOf([1], "length")]).toEqual([undefined, undefined, undefined, undefined]);
  });
});

describe("what sending brings about itself", () => {
  it.each([
    ["workflows.started", { workflow: "notifications.deliver" }, true], ["workflows.ended", { workflow: "vulnerabilities.sync-feeds" }, false],
    ["notifications.channel-disabled", { kind: "slack" }, false], ["images.registered", { workflow: "notifications.deliver" }, false],
  ])("%s %j", (type, data, is) => {
    expect(isOwnEcho({ type, data })).toBe(is);
  });
});
