import { JetStreamError, type StoredMsg } from "@nats-io/jetstream";
import { fail, NotFound } from "../../../errors.ts";
import type { BusMessage, DeadLetter } from "../types.ts";
import { answerMs, within, type Connection } from "./connection.ts";
import { deadStream, deadSubject, deadSubjects, headerOf, redriveSubject } from "./names.ts";
import { decode, headersOf, payloadOf, read } from "./wire.ts";

/** A dead letter's id is its event's: put aside again, it takes the place of what was. */
export async function putAside({ js }: Connection, group: string, letter: { message: BusMessage; attempts: number; reason: string; at: string; offset: string }): Promise<void> {
  const { message, attempts, reason, at, offset } = letter;
  const headers = headersOf(message, {
    [headerOf.group]: group, [headerOf.attempts]: String(attempts), [headerOf.reason]: reason, [headerOf.at]: at, [headerOf.offset]: offset,
  });
  await js.publish(deadSubject(message.topic, group, message.event.id), payloadOf(message), { headers });
}

export async function listDeadLetters({ manager }: Connection, topic: string, group: string, limit: number): Promise<DeadLetter[]> {
  const letters: DeadLetter[] = [];
  if (limit < 1) return letters;
  const stored = await manager.direct.getBatch(deadStream, { seq: 1, next_by_subj: deadSubjects(topic, group), batch: limit });
  const all = (async () => {
    for await (const message of stored) letters.push(...letterOf(message));
  })();
  try {
    await within(answerMs, "a list of dead letters", all);
  } catch (error) {
    if (!isNoMessage(error)) throw error;
  } finally {
    stored.stop();
  }
  return letters.slice(0, limit);
}

/** Published where only this group reads; the letter stays until it is handled. Errors: NotFound. */
export async function redrive(connection: Connection, topic: string, group: string, id: string): Promise<void> {
  const stored = await find(connection, topic, group, id);
  const [letter] = stored === undefined ? [] : letterOf(stored);
  if (stored === undefined || letter === undefined) fail(NotFound, `There is no dead letter ${id} of ${group} in ${topic}; it may have been handled since.`);
  const headers = headersOf(letter.message, { [headerOf.attempts]: String(letter.attempts) });
  await connection.js.publish(redriveSubject(topic, group), payloadOf(letter.message), { headers, msgID: `redrive/${topic}/${group}/${id}/${stored.seq}` });
}

/** Once what was given again is handled. */
export async function forget(connection: Connection, topic: string, group: string, id: string): Promise<void> {
  const stored = await find(connection, topic, group, id);
  if (stored !== undefined) await connection.manager.streams.deleteMessage(deadStream, stored.seq, false);
}

async function find({ manager }: Connection, topic: string, group: string, id: string): Promise<StoredMsg | undefined> {
  return (await manager.direct.getMessage(deadStream, { last_by_subj: deadSubject(topic, group, id) })) ?? undefined;
}

/** How the library tells of a batch that would be empty. */
function isNoMessage(error: unknown): boolean {
  return error instanceof JetStreamError && (error as JetStreamError & { code?: number }).code === 404;
}

function letterOf({ subject, header, data }: StoredMsg): DeadLetter[] {
  const message = decode({ subject, headers: header, data });
  if (message === undefined) return [];
  return [{
    id: message.event.id, message, attempts: Number(read(header, headerOf.attempts) ?? 1), reason: read(header, headerOf.reason) ?? "", at: read(header, headerOf.at) ?? "",
  }];
}
