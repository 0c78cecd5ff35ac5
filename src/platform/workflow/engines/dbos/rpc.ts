import type { MessagePort, Worker } from "node:worker_threads";

type Handlers = Record<string, (argument: never) => Promise<unknown>>;
type Sent = { ask: number; method: string; argument: unknown } | { answer: number; value?: unknown; error?: string };

/** Calls in both directions over a port between two threads. */
export interface Rpc {
  call<T>(method: string, argument: unknown): Promise<T>;
  /** Calls that have no answer yet, and those to come, fail with this. */
  end(reason: Error): void;
}

export function openRpc(port: MessagePort | Worker, handlers: Handlers): Rpc {
  const open = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let last = 0;
  let ended: Error | undefined;

  port.on("message", async (sent: Sent) => {
    if ("answer" in sent) {
      const asked = open.get(sent.answer);
      open.delete(sent.answer);
      return sent.error === undefined ? asked?.resolve(sent.value) : asked?.reject(new Error(sent.error));
    }
    const answer = await answerTo(sent);
    if (ended === undefined) port.postMessage(answer);
  });

  async function answerTo({ ask, method, argument }: { ask: number; method: string; argument: unknown }): Promise<Sent> {
    try {
      const handler = handlers[method];
      if (handler === undefined) throw new Error(`there is no method ${method}`);
      return { answer: ask, value: await handler(argument as never) };
    } catch (error) {
      return { answer: ask, error: error instanceof Error ? error.message : String(error) };
    }
  }

  return {
    call<T>(method: string, argument: unknown) {
      if (ended !== undefined) return Promise.reject<T>(ended);
      return new Promise<T>((resolve, reject) => {
        open.set(last += 1, { resolve: resolve as (value: unknown) => void, reject });
        port.postMessage({ ask: last, method, argument } satisfies Sent);
      });
    },
    end(reason) {
      ended = reason;
      for (const { reject } of open.values()) reject(reason);
      open.clear();
    },
  };
}
