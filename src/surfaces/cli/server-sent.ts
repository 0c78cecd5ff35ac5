import { CliError } from "./errors.ts";

/** One server-sent event (WHATWG HTML, 9.2.6). */
export interface ServerSent {
  type: string;
  data: string;
}

export interface ServerSentReader {
  /** The whole events that end in this piece of the stream. */
  push(text: string): ServerSent[];
  /** Of the last block that was received whole; undefined before the first that has one. */
  lastId(): string | undefined;
  /** Milliseconds that the server asks to wait before connecting again. */
  retry(): number | undefined;
}

const mostChars = 1024 * 1024; // an event of the log has at most 64 KiB

export function createServerSentReader(): ServerSentReader {
  let rest = "";
  let [type, id, data]: [string, string | undefined, string[]] = ["", undefined, []];
  let lastId: string | undefined;
  let retry: number | undefined;

  function field(line: string): void {
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") type = value;
    if (name === "data") data.push(value);
    if (name === "id" && !value.includes("\0")) id = value;
    if (name === "retry" && /^\d{1,6}$/.test(value)) retry = Number(value);
  }

  return {
    push(text) {
      rest += text;
      // A carriage return at the end may be the first half of a line end.
      const lines = rest.split(/\r\n|\n|\r(?!$)/);
      rest = lines.pop() ?? "";
      const found: ServerSent[] = [];
      for (const line of lines) {
        if (line !== "") {
          field(line);
          continue;
        }
        lastId = id ?? lastId;
        if (data.length > 0) found.push({ type: type === "" ? "message" : type, data: data.join("\n") });
        [type, data] = ["", []];
      }
      if (rest.length + data.reduce((sum, one) => sum + one.length, 0) > mostChars) throw new CliError("An event is larger than any event of QL-RF is.", { next: "check the address; a proxy may stand in between" });
      return found;
    },
    lastId: () => lastId,
    retry: () => retry,
  };
}
