import { expect, it } from "vitest";
import { serversOf } from "./connection.ts";

it.each([
  ["nats://127.0.0.1:4222", { servers: ["127.0.0.1:4222"] }],
  ["nats://one:4222,two:4223/", { servers: ["one:4222", "two:4223"] }],
  ["nats://qinfra:to%20p%3A%40@[::1]:4222", { servers: ["[::1]:4222"], user: "qinfra", pass: "to p:@" }],
  ["nats://only@host", { servers: ["host"], user: "only" }],
])("reads %s", (url, expected) => {
  expect(serversOf(url)).toEqual(expected);
});

it.each(["kafka://host:9092", "nats://", "nats://a:s3cret@host:port", "nats://a:s3cret@one:1,,two:2", "nats://a:s3cret@host:1/path", "nats://a:%zz@host:1"])("refuses %s, and does not repeat the password", (url) => {
  expect(() => serversOf(url)).toThrow("The URL of NATS is not nats://[user:password@]host:port[,host:port].");
});
