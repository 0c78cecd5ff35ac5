import { describe, expect, it } from "vitest";
import { InvalidInput } from "../../../errors.ts";
import { kafkaBrokers } from "./url.ts";

describe("the address of Kafka", () => {
  it.each([
    ["kafka://broker:9093", [{ host: "broker", port: 9093 }]],
    ["kafka://one:9092,two:9094/", [{ host: "one", port: 9092 }, { host: "two", port: 9094 }]],
    ["kafka://broker", [{ host: "broker", port: 9092 }]],
    ["kafka://[::1]:9093,10.0.0.7", [{ host: "::1", port: 9093 }, { host: "10.0.0.7", port: 9092 }]],
  ])("names brokers: %s", (url, brokers) => {
    expect(kafkaBrokers(url)).toEqual(brokers);
  });

  it.each(["broker:9092", "http://broker:9092", "kafka://", "kafka://broker:99999", "kafka://broker:0", "kafka://a:1,,b:2", "kafka://broker:port", "kafka://broker/path", "kafka://broker?x=1"])("refuses %s", (url) => {
    expect(() => kafkaBrokers(url)).toThrow(expect.objectContaining({ type: InvalidInput, message: expect.stringContaining("kafka://host:port") as string }) as Error);
  });

  it("refuses a password without repeating it", () => {
    expect(() => kafkaBrokers("kafka://me:hunter2@broker:9092")).toThrow(expect.objectContaining({ type: InvalidInput, message: expect.not.stringContaining("hunter2") as string }) as Error);
  });
});
