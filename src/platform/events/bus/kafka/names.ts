import { InvalidInput, fail } from "../../../errors.ts";

/** What Kafka calls the parts of one topic and group of the bus. */
export interface GroupNames {
  /** The events. */
  events: string;
  /** Dead letters that the group is to get once more; the group reads it beside the events. */
  redrive: string;
  /** Dead letters of the group, compacted: the last record of a key counts, and none where it is empty. */
  dead: string;
  /** Groups are named within a topic of the bus, but within the whole cluster in Kafka. */
  group: string;
}

export function eventsTopic(topic: string): string {
  check("topic", topic);
  // Else `qinfra.a.dead.b` were both the topic `a.dead.b` and the dead letters of `b` in topic `a`.
  if (topic.split(".").some((part) => part === "dead" || part === "redrive")) fail(InvalidInput, `The topic ${JSON.stringify(topic)} has a part named dead or redrive, which the bus keeps for itself: name it otherwise.`);
  return short(`qinfra.${topic}`);
}

export function groupNames(topic: string, group: string): GroupNames {
  check("group", group);
  const events = eventsTopic(topic);
  return { events, redrive: short(`${events}.redrive.${group}`), dead: short(`${events}.dead.${group}`), group: `${events}.${group}` };
}

export interface At {
  partition: number;
  offset: bigint;
}

/** `3:1042`: partition 3, offset 1042. */
export const offsetText = ({ partition, offset }: At): string => `${partition}:${offset}`;

export function parseOffset(text: string): At {
  const match = /^(\d{1,6}):(\d{1,18})$/.exec(text);
  if (match === null) fail(InvalidInput, `${JSON.stringify(text)} is no offset of a Kafka topic: write partition:offset, such as 3:1042.`);
  return { partition: Number(match[1]), offset: BigInt(match[2] ?? 0) };
}

function check(what: string, name: string): void {
  if (!/^[a-zA-Z0-9._-]+$/.test(name)) fail(InvalidInput, `The ${what} ${JSON.stringify(name)} cannot be named so in Kafka: use letters, digits, dots, hyphens and underscores.`);
}

function short(name: string): string {
  if (name.length > 249) fail(InvalidInput, `${name} is longer than 249 characters, which is the most for the name of a topic in Kafka: shorten the topic or the group.`);
  return name;
}
