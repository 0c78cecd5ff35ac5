import { expect, it } from "vitest";
import { until } from "../../../events/testing.ts";
import { endOrganization } from "../../dispatch.ts";
import { engineConformance } from "../../testing/conformance.ts";
import { workflowsUnderTest, type OpenEngine } from "../../testing/harness.ts";
import * as flows from "../../testing/workflows.ts";
import { createDbosEngine } from "./engine.ts";

const entries = { today: new URL("../../testing/thread.ts", import.meta.url), before: new URL("../../testing/thread-before.ts", import.meta.url) };
const open: OpenEngine = (fixture, ports, code) => createDbosEngine({ ...ports, entry: entries[code], connection: fixture.config("qinfra_system") });

engineConformance("DBOS", open);

it("given an organization that is erased, then the engine keeps nothing of what it ran or runs", async () => {
  const test = await workflowsUnderTest(open);
  const server = await test.server();
  await test.ended(await test.ask((workflows) => workflows.start(flows.plain, { word: "w" })));
  const waiting = await test.ask((workflows) => workflows.start(flows.waiting, { signals: 1 }));
  await until(async () => (await test.steps(waiting)).length === 1);
  const superuser = await test.connect("superuser");
  const kept = async (): Promise<unknown[]> => (await superuser.query("select workflow_uuid from dbos.workflow_status union all select workflow_uuid from dbos.operation_outputs")).rows;
  expect((await kept()).length).toBeGreaterThan(1);
  await endOrganization({ database: test.database, engine: server.engine }, test.orgId);
  expect(await kept()).toEqual([]);
  await superuser.end();
  await test.close();
});

it("given a run that waits at the engine, then code with a patch before that wait goes on by the old one", async () => {
  const test = await workflowsUnderTest(open);
  const old = await test.server("before");
  const begun = await test.ask((workflows) => workflows.start(flows.patched, {}));
  const superuser = await test.connect("superuser");
  // How long it waits is what DBOS writes down first, and numbers.
  await until(async () => (await superuser.query("select from dbos.operation_outputs")).rowCount === 1);
  await superuser.end();
  await old.stop();
  const server = await test.server();
  await server.engine.takeOver(old.executor);
  await test.ask((workflows) => workflows.signal(begun, flows.go, { word: "go" }));
  expect(await test.ended(begun)).toMatchObject({ state: "succeeded" });
  expect(await test.words(begun)).toEqual(["first", "later", "last"]);
  await test.close();
});
