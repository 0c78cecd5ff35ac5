import { Agent, get } from "node:http";
import Fastify from "fastify";
import { connect } from "node:net";
import { expect, it, vi } from "vitest";
import { closeHttp, goOnServing } from "./close-http.ts";

it("lets a request end, and does not wait for the connection that its client keeps alive", async () => {
  const http = Fastify();
  let begun: () => void = () => undefined;
  let answer: () => void = () => undefined;
  const beginning = new Promise<void>((resolve) => (begun = resolve));
  const answering = new Promise<void>((resolve) => (answer = resolve));
  http.get("/", async () => {
    begun();
    await answering;
    return "whole";
  });
  const address = await http.listen({ port: 0, host: "127.0.0.1" });
  const agent = new Agent({ keepAlive: true });
  const text = new Promise<string>((resolve, reject) => {
    get(address, { agent }, (response) => {
      let got = "";
      response.on("data", (chunk: Buffer) => (got += chunk.toString()));
      response.on("end", () => resolve(got));
    }).on("error", reject);
  });
  await beginning;
  const closed = closeHttp(http, 60_000);
  answer();
  expect(await text).toBe("whole");
  await closed; // the test's time limit is far below the minute that a kept connection would have
  agent.destroy();
});

it("goes on serving before it refuses connections, and then serves those that are open", async () => {
  const http = Fastify();
  http.get("/", async (_request, reply) => reply.header("connection", "close").send("whole"));
  const address = new URL(await http.listen({ port: 0, host: "127.0.0.1" }));
  const ask = () => new Promise<string>((resolve, reject) => get(address, { agent: false }, (response) => response.resume().on("end", () => resolve("served"))).on("error", (error: NodeJS.ErrnoException) => (error.code === undefined ? reject(error) : resolve(error.code))));
  const slept: { ms: number; wake(): void }[] = [];
  let refusing = false;
  const sleep = (ms: number, signal?: AbortSignal) => new Promise<void>((resolve) => {
    slept.push({ ms, wake: resolve });
    signal?.addEventListener("abort", () => resolve(), { once: true });
  });
  const kept = connect(Number(address.port), "127.0.0.1");
  await new Promise((resolve) => kept.once("connect", resolve));
  await vi.waitFor(async () => expect(await new Promise((resolve) => http.server.getConnections((_error, count) => resolve(count)))).toBe(1));
  const gone = goOnServing(http, { servingMs: 1_234, sleep, refusing: () => (refusing = true) });
  expect([slept.map(({ ms }) => ms), await ask(), refusing]).toEqual([[1_234], "served", false]);
  slept[0]?.wake();
  await vi.waitFor(() => expect(slept.length).toBe(2));
  expect([await ask(), refusing]).toEqual(["ECONNREFUSED", true]);
  const answer = new Promise<string>((resolve) => kept.once("data", (data) => resolve(data.toString())));
  kept.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  expect(await answer).toMatch(/^HTTP\/1.1 200 /);
  // With the last connection nothing is left to wait for.
  await gone;
  await closeHttp(http, 60_000);
});
