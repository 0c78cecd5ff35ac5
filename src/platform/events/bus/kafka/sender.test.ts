import type { Producer } from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { TooLarge } from "../../../errors.ts";
import { BusUnavailable } from "../types.ts";
import type { OutRecord } from "./records.ts";
import { kafkaSender } from "./sender.ts";

/** A producer that notes requests and answers each when told; simulated, because a broker cannot be made to fail at one request. */
function senderOf() {
  const requests: { keys: string[]; bytes: number; answer(error?: Error): void }[] = [];
  const missing: string[][] = [];
  const producer = {
    send: ({ messages }: { messages: OutRecord[] }) => new Promise<void>((resolve, reject) => {
      const keys = messages.map(({ key }) => key?.toString() ?? "");
      requests.push({ keys, bytes: messages.reduce((sum, { value }) => sum + (value?.length ?? 0), 0), answer: (error) => (error === undefined ? resolve() : reject(error)) });
    }),
  } as unknown as Producer;
  return { requests, missing, sender: kafkaSender(producer, async (names) => void missing.push(names)) };
}

const record = (key: string, bytes = 10): OutRecord => ({ topic: "t", key: Buffer.from(key), value: Buffer.alloc(bytes) });
const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe("sending to Kafka", () => {
  it("sends one request at a time, and with the next all that waits", async () => {
    const { sender, requests } = senderOf();
    const first = sender.send([record("a")]);
    const others = [sender.send([record("b"), record("c")]), sender.send([record("d")])];
    expect(requests.map(({ keys }) => keys)).toEqual([["a"]]);
    requests[0]?.answer();
    await first;
    await settle();
    expect(requests.map(({ keys }) => keys)).toEqual([["a"], ["b", "c", "d"]]);
    requests[1]?.answer();
    await Promise.all(others);
  });

  it("cuts a call into requests that a broker takes", async () => {
    const { sender, requests } = senderOf();
    const sent = sender.send(Array.from({ length: 40 }, (_, n) => record(`k${n}`, 65_536)));
    for (let answered = 0; requests.length > answered; answered += 1) {
      requests[answered]?.answer();
      await settle();
    }
    await sent;
    expect(requests.flatMap(({ keys }) => keys)).toEqual(Array.from({ length: 40 }, (_, n) => `k${n}`));
    expect(requests.length).toBeGreaterThan(1);
    for (const { bytes } of requests) expect(bytes).toBeLessThan(1_048_576);
  });

  it("sends nothing more of a call that has failed, and goes on with others", async () => {
    const { sender, requests } = senderOf();
    const failing = sender.send(Array.from({ length: 20 }, (_, n) => record(`a${n}`, 65_536)));
    const other = sender.send([record("b")]);
    requests[0]?.answer(new Error("no leader."));
    await expect(failing).rejects.toMatchObject({ type: BusUnavailable, message: "Kafka did not take messages: no leader. Try again when the brokers answer." });
    await settle();
    expect(requests.slice(1).map(({ keys }) => keys)).toEqual([["b"]]);
    requests[1]?.answer();
    await other;
  });

  it("makes a topic again that is not there any more", async () => {
    const { sender, requests, missing } = senderOf();
    const sent = sender.send([record("a")]);
    requests[0]?.answer(new Error("Unknown topic t."));
    await settle();
    requests[1]?.answer();
    await sent;
    expect(missing).toEqual([["t"]]);
  });

  it("refuses a message that no broker takes", () => {
    const { sender, requests } = senderOf();
    expect(() => sender.send([record("a", 1_000_000)])).toThrow(expect.objectContaining({ type: TooLarge }) as Error);
    expect(requests).toEqual([]);
  });
});
