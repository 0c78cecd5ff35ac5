import { createHash } from "node:crypto";

/** The stream of all topics, and the one of what groups gave up on. */
export const stream = "QINFRA";
export const deadStream = "QINFRA_DEAD";

/** The one priority group of each durable consumer: its pinned client is the member that works. */
export const members = "members";

export const headerOf = { key: "Qinfra-Key", offset: "Qinfra-Offset", attempts: "Qinfra-Attempts", reason: "Qinfra-Reason", at: "Qinfra-At", group: "Qinfra-Group" } as const;

const shards = 64;

/** A name as one token of a subject, which may hold neither `.`, `*`, `>` nor white space: those are written %XX. */
export function token(name: string): string {
  return encodeURIComponent(name).replace(/[.*!'()~]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

export function nameOf(token: string): string {
  return decodeURIComponent(token);
}

/** `qinfra.<topic>.<shard>`: messages of a key have one shard, so that others can divide a topic and keep its order. */
export function subjectOf(topic: string, key: string): string {
  const shard = (createHash("sha256").update(key).digest()[0] ?? 0) % shards;
  return `qinfra.${token(topic)}.${shard}`;
}

/** As a document writes it, which is to stand for each shard. */
export function subjectTemplate(topic: string): string {
  return `qinfra.${token(topic)}.{shard}`;
}

export function subjectsOf(topic: string): string {
  return `qinfra.${token(topic)}.*`;
}

/** Where a dead letter goes once more: its group's consumer reads it beside the topic. */
export function redriveSubject(topic: string, group: string): string {
  return `qinfra-redrive.${token(topic)}.${token(group)}`;
}

/** One subject a dead letter, which keeps its last message only: what is put aside again takes the place of what was. */
export function deadSubject(topic: string, group: string, id: string): string {
  return `qinfra-dead.${token(topic)}.${token(group)}.${token(id)}`;
}

export function deadSubjects(topic: string, group: string): string {
  return `qinfra-dead.${token(topic)}.${token(group)}.*`;
}

/** `+` is in no token, so that two pairs never have one name. */
export function durableOf(topic: string, group: string): string {
  return `${token(group)}+${token(topic)}`;
}
