import { expect, it } from "vitest";
import { join, sql } from "./sql.ts";

it("writes values as parameters, never into the text, and names the statement", () => {
  const query = (id: string) => sql`select * from t where id = ${id} and n > ${3}`;
  expect(query("x'; drop table t")).toMatchObject({ text: "select * from t where id = $1 and n > $2", values: ["x'; drop table t", 3] });
  expect(query("a").name).toBe(query("b").name);
  expect(sql`select 1`.name).not.toBe(sql`select 2`.name);
});

it("puts fragments in and renumbers the parameters", () => {
  const filters = [sql`state = ${"live"}`, sql`created_at > ${5}`];
  expect(sql`select * from t where org = ${1} and ${join(filters, " and ")} limit ${9}`).toMatchObject({
    text: "select * from t where org = $1 and state = $2 and created_at > $3 limit $4",
    values: [1, "live", 5, 9],
  });
});

it("gives a text that is put together from fragments one name, whatever its values", () => {
  const query = (state: string, limit: number) => sql`select * from t where ${sql`state = ${state}`} limit ${limit}`;
  expect(query("live", 1)).toMatchObject({ text: "select * from t where state = $1 limit $2", values: ["live", 1] });
  expect(query("live", 1).name).toBe(query("dead", 2).name);
  expect(query("live", 1).name).not.toBe(sql`select * from t where ${sql`state <> ${"live"}`} limit ${1}`.name);
});
