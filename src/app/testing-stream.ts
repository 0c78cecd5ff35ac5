import { createServerSentReader } from "../surfaces/cli/server-sent.ts";

export interface Listener {
  status: number;
  headers: Headers;
  /** Of a refusal. */
  problem: unknown;
  /** What came so far. */
  events: { id: string | undefined; type: string; data: { subject: string; type: string; id: string } }[];
  lastId(): string | undefined;
  /** Text that came, comments and all. */
  text(): string;
  /** True once the server ended it. */
  ended(): boolean;
  close(): void;
}

/** Listens to a stream of server-sent events as a client would. */
export async function listenTo(url: string, headers: Record<string, string>, fetch: typeof globalThis.fetch = globalThis.fetch): Promise<Listener> {
  const leaving = new AbortController();
  const response = await fetch(url, { headers: { accept: "text/event-stream", ...headers }, signal: leaving.signal });
  const reader = createServerSentReader();
  const events: Listener["events"] = [];
  let [text, ended] = ["", false];
  const listening = response.headers.get("content-type")?.startsWith("text/event-stream") === true;
  const problem = listening ? undefined : await response.json() as unknown;
  if (listening && response.body !== null) void read(response.body).catch(() => undefined).finally(() => (ended = true));

  async function read(body: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const piece of body) {
      const more = decoder.decode(piece, { stream: true });
      text += more;
      // Event by event, so that each has its own id.
      for (const line of more.split(/(?<=\n)/)) {
        for (const { type, data } of reader.push(line)) events.push({ id: reader.lastId(), type, data: JSON.parse(data) as Listener["events"][number]["data"] });
      }
    }
  }

  return { status: response.status, headers: response.headers, problem, events, lastId: reader.lastId, text: () => text, ended: () => ended, close: () => leaving.abort() };
}
