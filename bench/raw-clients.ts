import { Admin, Consumer, MessagesStreamModes, Producer } from "@platformatic/kafka";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport-node";
import pg from "pg";
import { uniqueName } from "../src/platform/events/bus/testing/messages.ts";

export interface RawMessage {
  key: string;
  payload: string;
}

/** A broker by its own client, as one would write it by hand: nothing but what it takes to lose no message. */
export interface RawClient {
  /** Comes back when the broker has acknowledged all of them. */
  publish(messages: readonly RawMessage[]): Promise<void>;
  /** From the start of what was published here, each message acknowledged; the answer ends it. */
  consume(took: () => void): Promise<() => Promise<void>>;
  close(): Promise<void>;
}

const partitions = 6;

export async function rawNats(url: string): Promise<RawClient> {
  const connection = await connect({ servers: url.slice("nats://".length) });
  const [js, manager] = [jetstream(connection), await jetstreamManager(connection)];
  const stream = uniqueName("raw");
  await manager.streams.add({ name: stream, subjects: [`${stream}.>`], storage: "file" });
  return {
    publish: async (messages) => void (await Promise.all(messages.map(({ key, payload }) => js.publish(`${stream}.${key}`, payload)))),
    async consume(took) {
      const name = uniqueName("reader");
      await manager.consumers.add(stream, { durable_name: name, ack_policy: "explicit", deliver_policy: "all" });
      const consumer = await js.consumers.get(stream, name);
      const messages = await consumer.consume({ max_messages: 256 });
      const running = (async () => {
        for await (const message of messages) {
          JSON.parse(message.string());
          message.ack();
          took();
        }
      })();
      return async () => {
        await messages.close();
        await running;
      };
    },
    close: () => connection.close(),
  };
}

export async function rawKafka(url: string): Promise<RawClient> {
  const options = { clientId: "raw", bootstrapBrokers: [url.slice("kafka://".length)] };
  const topic = uniqueName("raw");
  const admin = new Admin(options);
  await admin.createTopics({ topics: [topic], partitions });
  await admin.close();
  const producer = new Producer({ ...options, acks: -1, idempotent: true });
  const groups: string[] = [];
  return {
    publish: async (messages) => void (await producer.send({ messages: messages.map(({ key, payload }) => ({ topic, key: Buffer.from(key), value: Buffer.from(payload) })) })),
    async consume(took) {
      const group = uniqueName("reader");
      groups.push(group);
      const consumer = new Consumer({ ...options, groupId: group });
      const stream = await consumer.consume({ topics: [topic], mode: MessagesStreamModes.EARLIEST, autocommit: 250 });
      stream.on("data", (message) => {
        JSON.parse(message.value.toString());
        took();
      });
      return async () => {
        await stream.close();
        await consumer.close(true);
      };
    },
    close: () => producer.close(),
  };
}

const pageSize = 200;

/** The log read by its position, and the checkpoint written after each page. */
export async function rawPostgres(connection: pg.ClientConfig): Promise<RawClient> {
  const client = new pg.Client(connection);
  await client.connect();
  await client.query("create table if not exists public.reader (name text primary key, position bigint not null)");
  return {
    publish: () => Promise.reject(new Error("what is appended to the log is published by that")),
    async consume(took) {
      const name = uniqueName("reader");
      await client.query("insert into public.reader values ($1, 0)", [name]);
      let over = false;
      const running = (async () => {
        for (let position = 0; !over;) {
          const { rows } = await client.query<{ position: string; body: string }>({ name: "page", text: "select position, body from events.log where position > $1 order by position limit $2", values: [position, pageSize] });
          if (rows.length === 0) return;
          for (const { body } of rows) {
            JSON.parse(body);
            took();
          }
          position = Number(rows.at(-1)?.position);
          await client.query({ name: "checkpoint", text: "update public.reader set position = $2 where name = $1", values: [name, position] });
        }
      })();
      return async () => {
        over = true;
        await running;
      };
    },
    close: () => client.end(),
  };
}
