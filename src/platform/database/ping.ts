import type pg from "pg";

/**
 * A connection that only listens never learns that the other side is gone without a word. It is asked now and then, and
 * ended where no answer comes; its owner hears `end`. `answerMs` is longer than any statement may take, because the
 * question waits for those before it.
 */
export function pinged(client: pg.Client, { everyMs, answerMs }: { everyMs: number; answerMs: number }): pg.Client {
  let asking = false;
  const timer = setInterval(() => {
    if (asking) return;
    asking = true;
    client.query({ text: "select 1", query_timeout: answerMs } as pg.QueryConfig).then(() => (asking = false), () => cut(client));
  }, everyMs);
  timer.unref();
  client.once("end", () => clearInterval(timer));
  return client;
}

function cut(client: pg.Client): void {
  (client as unknown as { connection: { stream: { destroy(error: Error): void } } }).connection.stream.destroy(new Error("the connection does not answer any more"));
}
