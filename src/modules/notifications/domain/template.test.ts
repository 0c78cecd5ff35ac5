import { describe, expect, it } from "vitest";
import { slackEscape } from "./formats.ts";
import { render, wrongPlaceholder, type TemplateValues } from "./template.ts";

const values: TemplateValues = {
  event: { id: "e-1", type: "images.registered", subject: "img_1", time: "2026-11-21T10:00:00Z", actor: "usr_1", data: { source: "sbom", counts: { critical: 3 }, text: "{{event.id}} <!channel>", list: [1, 2], none: null } },
  summary: "A golden image was registered", name: "debian-server 1", rule: "new-images",
};

describe("a template", () => {
  it.each([
    ["{{summary}}: {{ name }}", "A golden image was registered: debian-server 1"],
    ["{{event.data.source}}/{{event.data.counts.critical}}", "sbom/3"],
    ["{{event.type}} {{event.subject}} {{event.time}} {{event.actor}} {{event.id}} {{rule}}", "images.registered img_1 2026-11-21T10:00:00Z usr_1 e-1 new-images"],
    ["{{event.data.nothing}}.{{event.data.none}}.{{event.data.source.length}}", ".."],
    ["{{event.data.list}} {{event.data.counts}}", '[1,2] {"critical":3}'],
    ["{{{event.data.source}}}", "{sbom}"],
    ["{{event.data.text}}", "{{event.id}} <!channel>"],
    ["no placeholder { at } all {{", "no placeholder { at } all {{"],
    ["$& $1 {{name}} $'", "$& $1 debian-server 1 $'"],
  ])("%s", (template, text) => {
    expect(render(template, values)).toBe(text);
  });

  it.each([
    "{{constructor}}", "{{event.constructor}}", "{{event.data.constructor}}", "{{event.data.__proto__}}", "{{event.data.__proto__.polluted}}", "{{event.data.toString}}", "{{event.data.list.length}}",
    "{{summary.constructor}}", "{{#each event.data}}x{{/each}}", "{{= 1 + 1}}", "{{event.data['source']}}", "{{event['data']}}", "{{> file}}", "{{process.env.HOME}}",
  ])("given %s, then it gives nothing away and runs nothing", (template) => {
    expect(render(template, values)).not.toMatch(/function|native|object Object|sbom|polluted|\/root|\b2\b/);
  });

  it("given a value with marks of the channel, then it is escaped and the template itself is not", () => {
    expect(render("<!here> {{event.data.text}}", values, slackEscape)).toBe("<!here> {{event.id}} &lt;!channel&gt;");
  });

  it("given control characters in a value, then none is left", () => {
    const forged = { ...values, name: "a\r\nBcc: x@y\u0000\u202eb" };
    expect(render("{{name}}", forged)).toBe("a Bcc: x@y b");
  });

  it("given a value of any size, then the text has an end", () => {
    expect(render("{{name}}".repeat(500), { ...values, name: "x".repeat(100_000) }).length).toBeLessThanOrEqual(8_000);
  });

  it.each([
    ["{{event.secret}}", "{{event.secret}}"], ["{{summary}} {{event.data}} {{subject}}", "{{event.data}}"], ["{{}}", "{{}}"], ["{{event.data.}}", "{{event.data.}}"], ["{{ event.data.a.b-c_d }} {{name}}", undefined],
  ])("given %s, then what means nothing in it is %s", (template, wrong) => {
    expect(wrongPlaceholder(template)).toBe(wrong);
  });
});
