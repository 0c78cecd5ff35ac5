import { once } from "node:events";
import { createServer, type AddressInfo, type Socket } from "node:net";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createSmtpMailer } from "./smtp-mailer.ts";

// A server that never lets a client go: each line is answered by one more that says that there is more to come.
const sockets = new Set<Socket>();
const server = createServer((socket) => {
  sockets.add(socket);
  socket.on("error", () => undefined).write("220 slow.example ESMTP\r\n");
  const drip = setInterval(() => socket.write("250-still here\r\n"), 20);
  socket.on("close", () => clearInterval(drip));
});
beforeAll(async () => void (await once(server.listen(0, "127.0.0.1"), "listening")));
afterAll(() => {
  for (const socket of sockets) socket.destroy();
  server.close();
});

describe("given a mail server that goes on and on", () => {
  it("then the attempt ends when its time is over, and says so", async () => {
    const { port } = server.address() as AddressInfo;
    const mailer = createSmtpMailer({ server: { host: "127.0.0.1", port, tls: "none" }, from: "qinfra@example.org", timeoutMs: 300 });
    await expect(mailer.send({ to: ["a@example.org"], subject: "s", text: "t", id: "dlv_1" })).rejects.toMatchObject({
      type: { code: "mail-unreachable" }, message: expect.stringContaining("has not taken the message within 0.3 s") as string,
    });
  });
});
