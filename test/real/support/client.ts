import { Pool } from "undici";

export interface Answer<T = unknown> {
  status: number;
  body: T;
}

/** Calls of one caller over keep-alive connections. */
export interface Client {
  address: string;
  token: string | undefined;
  /** The answer, whatever its status. Rejects only where there is none, as when the server dies. */
  ask<T = unknown>(method: Method, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<Answer<T>>;
  /** The body of a successful answer; throws with the problem otherwise. */
  call<T = unknown>(method: Method, path: string, body?: unknown, headers?: Readonly<Record<string, string>>): Promise<T>;
  close(): Promise<void>;
}

export type Method = "GET" | "POST" | "PUT" | "PATCH" | "DELETE";

const timeoutMs = 60_000;

/** A string or Buffer is sent as JSON lines, anything else as JSON. */
export function openClient(address: string, token?: string, connections = 32): Client {
  const pool = new Pool(address, { connections, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });

  async function ask<T>(method: Method, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer<T>> {
    const raw = typeof body === "string" || Buffer.isBuffer(body);
    const answer = await pool.request({
      method, path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined ? {} : { "content-type": raw ? "application/x-ndjson" : "application/json" }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: raw ? body : JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    return { status: answer.statusCode, body: (text.startsWith("{") ? JSON.parse(text) : text) as T };
  }

  return {
    address, token, ask,
    async call<T>(method: Method, path: string, body?: unknown, headers?: Readonly<Record<string, string>>) {
      const answer = await ask<T>(method, path, body, headers);
      if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body;
    },
    close: () => pool.destroy(),
  };
}
