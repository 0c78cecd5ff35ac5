import { Agent, get } from "node:http";
import Fastify from "fastify";
import { expect, it } from "vitest";
import { closeHttp } from "./close-http.ts";

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
