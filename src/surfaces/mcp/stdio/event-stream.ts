/** The `data` of each event of a stream of server-sent events (HTML standard, 9.2.6). Throws where one has more than `mostCharacters`. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>, mostCharacters: number): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let rest = "";
  let data: string[] = [];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be the first half of a line end.
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line[5] === " " ? 6 : 5));
      if (line !== "" || data.length === 0) continue;
      yield data.join("\n");
      data = [];
    }
    if (rest.length + data.reduce((sum, line) => sum + line.length, 0) > mostCharacters) throw new Error(`a message has more than ${mostCharacters} characters`);
  }
}
