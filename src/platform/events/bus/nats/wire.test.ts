import { headers } from "@nats-io/transport-node";
import { expect, it } from "vitest";
import { newTopic } from "../testing/messages.ts";
import { headerOf, subjectOf } from "./names.ts";
import { decode, headersOf, payloadOf, read } from "./wire.ts";

const [message] = newTopic().messages(["ä\n€"], { words: "\u{1F600}" });
if (message === undefined) throw new Error("no message");
const data = Buffer.from(payloadOf(message));
const subject = subjectOf(message.topic, message.key);

it("reads what it writes, in structured mode of CloudEvents", () => {
  const written = headersOf(message, { [headerOf.reason]: "line 1\nline 2 \u{D800}" });
  expect(written.get("content-type")).toBe("application/cloudevents+json");
  expect(read(written, headerOf.reason)).toBe("line 1\nline 2 \u{FFFD}");
  expect(decode({ subject, headers: written, data })).toEqual(message);
});

it.each([
  ["no key", headers(), data],
  ["a payload that is not JSON", headersOf(message), Buffer.from("not JSON")],
  ["JSON that is no event", headersOf(message), Buffer.from('{"specversion":"1.0"}')],
  ["null", headersOf(message), Buffer.from("null")],
])("takes nothing with %s", (_what, written, payload) => {
  expect(decode({ subject, headers: written, data: payload })).toBeUndefined();
});
