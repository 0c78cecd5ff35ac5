import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net";
import { pino } from "pino";
import { afterAll, beforeAll, expect, it } from "vitest";
import { DatabaseUnavailable } from "../errors.ts";
import { testDatabase, type TestDatabase } from "../testing/database.ts";
import { openDatabase } from "./database.ts";
import { sql } from "./sql.ts";

let test: TestDatabase;
let way: Server;
const sockets = new Set<Socket>();
let frozen = false;
beforeAll(async () => {
  test = await testDatabase();
  const { host, port } = test.config("qinfra_app") as { host: string; port: number };
  way = createServer((client) => {
    const server = host.startsWith("/") ? connect(`${host}/.s.PGSQL.${port}`) : connect(port, host);
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => undefined);
    }
    client.on("data", (data) => void (frozen || server.write(data)));
    server.on("data", (data) => void (frozen || client.write(data)));
  });
  await new Promise<void>((resolve) => way.listen(0, "127.0.0.1", resolve));
});
afterAll(async () => {
  for (const socket of sockets) socket.destroy();
  way.close();
  await test.close();
});

it("given a database that is reached no more and says nothing, then requests are told so, and it is reached again later", async () => {
  const there = { host: "127.0.0.1", port: (way.address() as AddressInfo).port };
  const database = openDatabase({ app: { ...test.config("qinfra_app"), ...there }, system: { ...test.config("qinfra_system"), ...there } }, {
    poolSize: 1, log: pino({ level: "silent" }), preparedStatements: true, answerMs: 300,
  });
  const orgId = "01900000-0000-7000-8000-000000000001";
  const doors = [
    () => database.tenant(orgId, (db) => db.one(sql`select 1 as one`)),
    () => database.read(orgId, (db) => db.one(sql`select 1 as one`)),
    () => database.system((db) => db.one(sql`select 1 as one`)),
    () => database.lookup((db) => db.one(sql`select 1 as one`)),
  ];
  for (const door of doors) {
    expect(await door()).toEqual({ one: 1 });
    frozen = true;
    await expect(door()).rejects.toMatchObject({ type: DatabaseUnavailable });
    frozen = false;
    expect(await door()).toEqual({ one: 1 });
  }
  await database.close();
});

it("given a connection that only listens, when the other side says nothing any more, then it ends, so that its owner makes another", async () => {
  const there = { host: "127.0.0.1", port: (way.address() as AddressInfo).port };
  const database = openDatabase({ app: { ...test.config("qinfra_app"), ...there }, system: { ...test.config("qinfra_system"), ...there } }, {
    poolSize: 1, log: pino({ level: "silent" }), preparedStatements: true, answerMs: 300, pingMs: 20,
  });
  const client = await database.direct();
  const errors: Error[] = [];
  client.on("error", (error) => errors.push(error));
  const ended = new Promise<void>((resolve) => client.once("end", resolve));
  await client.query("listen events_appended");
  frozen = true;
  await ended;
  expect(errors[0]?.message).toContain("does not answer any more");
  frozen = false;
  const another = await database.direct();
  expect((await another.query<{ one: number }>("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await another.end();
  await database.close();
});
