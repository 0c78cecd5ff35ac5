import { createServer, type Socket } from "node:net";
import type { AddressInfo } from "node:net";

export interface ReceivedMail {
  to: string[];
  data: string;
}

/** A simulated mail server: as much of RFC 5321 as a client needs to hand over a message in the clear. */
export interface SimulatedSmtp {
  port: number;
  received: ReceivedMail[];
  /** What it answers to MAIL FROM from now on. */
  answer: string;
  close(): Promise<void>;
}

export async function startSimulatedSmtp(): Promise<SimulatedSmtp> {
  const simulated: SimulatedSmtp = {
    port: 0, received: [], answer: "250 OK",
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  const server = createServer((socket) => converse(socket, simulated));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  simulated.port = (server.address() as AddressInfo).port;
  return simulated;
}

function converse(socket: Socket, simulated: SimulatedSmtp): void {
  let pending = "";
  let mail: ReceivedMail = { to: [], data: "" };
  let inData = false;
  const say = (line: string): void => void socket.write(`${line}\r\n`);
  say("220 simulated.example ESMTP");
  socket.on("error", () => undefined);
  socket.on("data", (chunk) => {
    pending += chunk.toString();
    for (let end = pending.indexOf("\r\n"); end >= 0; end = pending.indexOf("\r\n")) {
      const line = pending.slice(0, end);
      pending = pending.slice(end + 2);
      if (inData) {
        inData = line !== ".";
        if (inData) mail.data += `${line}\n`;
        else {
          simulated.received.push(mail);
          mail = { to: [], data: "" };
          say("250 queued as 1");
        }
      } else if (/^(EHLO|HELO|RSET)/i.test(line)) say("250 simulated.example");
      else if (/^MAIL FROM/i.test(line)) say(simulated.answer);
      else if (/^RCPT TO:<(.*)>/i.test(line)) {
        mail.to.push(/<(.*)>/.exec(line)?.[1] ?? "");
        say("250 OK");
      } else if (/^DATA/i.test(line)) {
        inData = true;
        say("354 go on");
      } else if (/^QUIT/i.test(line)) {
        say("221 bye");
        socket.end();
      } else say("502 not known");
    }
  });
}
