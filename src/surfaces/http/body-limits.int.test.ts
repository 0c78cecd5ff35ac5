import { createServer, type IncomingMessage } from "node:http";
import { connect, type AddressInfo, type Socket } from "node:net";
import { afterEach, expect, it } from "vitest";
import { limitBody } from "./body-limits.ts";

const closing: (() => void)[] = [];
afterEach(() => {
  for (const close of closing.splice(0)) close();
});

async function given(options: { streamed: boolean; idleMs: number; wholeMs: number }): Promise<{ socket: Socket; bodies: string[]; ended: Promise<void>; answered: Promise<string> }> {
  const bodies: string[] = [];
  const server = createServer({ requestTimeout: 0 }, (request: IncomingMessage, response) => {
    limitBody(request, options);
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("error", () => undefined);
    request.on("end", () => {
      bodies.push(body);
      response.end("done");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect((server.address() as AddressInfo).port, "127.0.0.1");
  closing.push(() => {
    socket.destroy();
    server.close();
    server.closeAllConnections();
  });
  const ended = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const answered = new Promise<string>((resolve) => socket.on("data", (data) => resolve(data.toString())));
  socket.on("error", () => undefined);
  socket.write("POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 10\r\n\r\nabc");
  return { socket, bodies, ended, answered };
}

it.each([true, false])("ends the connection of a body that stops coming (streamed: %s)", async (streamed) => {
  const { ended, bodies } = await given({ streamed, idleMs: 50, wholeMs: 60_000 });
  await ended;
  expect(bodies).toEqual([]);
});

it("ends the connection of a body that comes a byte at a time, but not of a streamed one", async () => {
  const drip = (socket: Socket): void => {
    const timer = setInterval(() => socket.writable && socket.write("x"), 100);
    closing.push(() => clearInterval(timer));
  };
  const short = await given({ streamed: false, idleMs: 60_000, wholeMs: 150 });
  drip(short.socket);
  await short.ended;
  expect(short.bodies).toEqual([]);

  const streamed = await given({ streamed: true, idleMs: 60_000, wholeMs: 150 });
  drip(streamed.socket);
  expect(await streamed.answered).toContain("200 OK");
  expect(streamed.bodies).toEqual(["abcxxxxxxx"]);
});

it("leaves the connection alone once the body is there", async () => {
  const { socket, answered, bodies } = await given({ streamed: false, idleMs: 50, wholeMs: 50 });
  socket.write("defghij");
  expect(await answered).toContain("200 OK");
  expect(bodies).toEqual(["abcdefghij"]);
  expect(socket.destroyed).toBe(false);
});
