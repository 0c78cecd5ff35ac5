import { sql } from "../../database/sql.ts";
import { DeclaredError, NotFound } from "../../errors.ts";
import { stepHandler, type StepHandler } from "../steps.ts";
import { flaky, tell, undo, write } from "./workflows.ts";

/** Where the steps of the tests have their effect. */
export const effectsTable = `create table public.effects (id bigint generated always as identity, run_id uuid, word text);
  grant select, insert, delete on public.effects to qinfra_app`;

/** What the steps of the tests do. `outside.tell` reaches a counterpart that must recognise a key that comes twice. */
export function testSteps(outside: { tell(key: string, word: string): Promise<void> }): StepHandler[] {
  return [
    stepHandler(write, {
      async handle({ db, runId }, { word }) {
        return { rows: await db.run(sql`insert into public.effects (run_id, word) values (${runId}, ${word})`) };
      },
    }),
    stepHandler(tell, {
      prepare: ({ idempotencyKey }, { word }) => outside.tell(idempotencyKey, word),
      handle: async () => null,
    }),
    stepHandler(undo, {
      async handle({ db, runId }, { word }) {
        await db.run(sql`insert into public.effects (run_id, word) values (${runId}, ${`undone ${word}`})`);
        return null;
      },
    }),
    stepHandler(flaky, {
      async prepare({ attempt }, { times, code }) {
        if (attempt > times) return;
        if (code === "not-found") throw new DeclaredError(NotFound, "There is none.");
        throw new Error(`attempt ${attempt} failed`);
      },
      async handle({ db, runId }, { word }) {
        return db.run(sql`insert into public.effects (run_id, word) values (${runId}, ${word})`);
      },
    }),
  ];
}
