import { expect, it } from "vitest";
import { elsewhere } from "./database.ts";

const role = { host: "pooler", port: 6432, user: "qinfra_app", password: "secret", database: "fabric" };

it.each([
  { title: "no other place", url: undefined, is: role },
  { title: "another host, with the role and password as they are", url: "postgres://nobody:nothing@db:5433/second", is: { host: "db", port: 5433, user: "qinfra_app", password: "secret", database: "second" } },
  { title: "no role in the URL", url: "postgres://db/fabric", is: { host: "db", port: 5432, user: "qinfra_app", password: "secret", database: "fabric" } },
  { title: "a checked certificate", url: "postgres://db/fabric?sslmode=verify-full", is: { host: "db", port: 5432, user: "qinfra_app", password: "secret", database: "fabric", ssl: { rejectUnauthorized: true } } },
  { title: "a socket", url: "postgres:///fabric?host=/run/postgresql", is: { host: "/run/postgresql", port: 5432, user: "qinfra_app", password: "secret", database: "fabric" } },
])("a role at another place: $title", ({ url, is }) => {
  expect(elsewhere(role, url)).toEqual(is);
});
