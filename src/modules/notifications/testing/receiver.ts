import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";

export interface Received {
  path: string;
  headers: IncomingHttpHeaders;
  body: string;
}

export interface Answered {
  status: number;
  headers?: Record<string, string>;
  body?: string;
}

/** A receiver of webhooks on this machine. It answers each request as `answer` says and keeps it. */
export interface Receiver {
  url: string;
  received: Received[];
  answer(request: Received): Answered;
  /** Closes it with its connections; the address stays the same when it is opened again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export async function startReceiver(): Promise<Receiver> {
  let port = 0;
  let server = made();
  const receiver: Receiver = {
    url: "", received: [],
    answer: () => ({ status: 204 }),
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
    async start() {
      server = made();
      await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
      port = (server.address() as AddressInfo).port;
      receiver.url = `http://127.0.0.1:${port}`;
    },
  };

  function made() {
    return createServer((request, response) => {
      void text(request).then((body) => {
        const received = { path: request.url ?? "", headers: request.headers, body };
        receiver.received.push(received);
        const { status, headers, body: said } = receiver.answer(received);
        response.writeHead(status, headers).end(said);
      });
    });
  }

  await receiver.start();
  return receiver;
}
