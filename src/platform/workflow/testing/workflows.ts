import { Type } from "typebox";
import { signal, step, workflow, type Workflow } from "../declare.ts";

// Workflows that use everything that `flow` has, for the conformance suite of the engines.

const Word = Type.Object({ word: Type.String() });
const soon = { attempts: 3, firstSeconds: 0.01, factor: 1, mostSeconds: 0.01, never: ["not-found"] };

/** Writes a row; its effect in the database must happen once. */
export const write = step({ id: "test.write", summary: "Write a row", input: Word, output: Type.Object({ rows: Type.Integer() }), retry: soon });
/** Tells the counterpart outside, which must see each key once. */
export const tell = step({ id: "test.tell", summary: "Tell somebody outside", input: Word, output: Type.Null(), retry: soon });
/** Takes a row away again. */
export const undo = step({ id: "test.undo", summary: "Undo a row", input: Word, output: Type.Null(), retry: soon });
/** Fails as often as it is told to, then writes. */
export const flaky = step({ id: "test.flaky", summary: "Fail, then write", input: Type.Object({ word: Type.String(), times: Type.Integer(), code: Type.Optional(Type.String()) }), output: Type.Integer(), retry: soon });

export const go = signal({ name: "go", summary: "Go on", body: Word });

export const plain = workflow({
  id: "test.plain", summary: "Three steps", permission: "test:run", input: Word, output: Type.Array(Type.Integer()),
  async run(flow, { word }) {
    const first = await flow.step(write, { word: `${word} 1` });
    await flow.step(tell, { word: `${word} told` });
    const second = await flow.step(write, { word: `${word} 2` });
    return [first.rows, second.rows];
  },
});

export const twoSteps = workflow({
  id: "test.two-steps", summary: "Two steps", permission: "test:run", input: Word, output: Type.Integer(),
  async run(flow, { word }) {
    const first = await flow.step(write, { word: `${word} 1` });
    const second = await flow.step(write, { word: `${word} 2` });
    return first.rows + second.rows;
  },
});

export const retrying = workflow({
  id: "test.retrying", summary: "A step that fails", permission: "test:run", input: Type.Object({ times: Type.Integer(), code: Type.Optional(Type.String()) }), output: Type.Integer(),
  run: (flow, { times, code }) => flow.step(flaky, { word: "flaky", times, ...(code === undefined ? {} : { code }) }),
});

export const sleeping = workflow({
  id: "test.sleeping", summary: "A step, a sleep, a step", permission: "test:run", input: Type.Object({ seconds: Type.Number() }), output: Type.Null(),
  async run(flow, { seconds }) {
    await flow.step(write, { word: "before" });
    await flow.sleep(seconds);
    await flow.step(write, { word: "after" });
    return null;
  },
});

export const waiting = workflow({
  id: "test.waiting", summary: "Wait for signals", permission: "test:run", signals: [go],
  input: Type.Object({ signals: Type.Integer(), timeoutSeconds: Type.Optional(Type.Number()) }), output: Type.Array(Type.Union([Type.String(), Type.Null()])),
  async run(flow, { signals, timeoutSeconds }) {
    const heard: (string | null)[] = [];
    while (heard.length < signals) {
      const found = await flow.waitFor(go, timeoutSeconds === undefined ? {} : { timeoutSeconds });
      heard.push(found?.word ?? null);
      await flow.step(write, { word: found?.word ?? "nothing" });
    }
    return heard;
  },
});

export const undoing = workflow({
  id: "test.undoing", summary: "Two steps with compensations, then a wait", permission: "test:run", signals: [go], input: Type.Object({ fail: Type.Boolean() }), output: Type.Null(),
  async run(flow, { fail }) {
    for (const word of ["a", "b"]) {
      flow.compensate(undo, { word });
      await flow.step(write, { word });
    }
    if (fail) await flow.step(flaky, { word: "c", times: 99 });
    else await flow.waitFor(go);
    return null;
  },
});

/** Everything that a server can die in: calls 1 to 5, and 6 and 7 where it fails. */
export const journey = workflow({
  id: "test.journey", summary: "Steps, a sleep, a signal, and a failure", permission: "test:run", signals: [go], input: Type.Object({ fail: Type.Boolean() }), output: Type.Null(),
  async run(flow, { fail }) {
    flow.compensate(undo, { word: "a" });
    await flow.step(write, { word: "a" });
    await flow.step(tell, { word: "b" });
    await flow.sleep(1);
    await flow.waitFor(go);
    await flow.step(write, { word: "c" });
    if (fail) await flow.step(flaky, { word: "d", times: 99 });
    return null;
  },
});

export const branching = workflow({
  id: "test.branching", summary: "Branches and children at once", permission: "test:run", input: Type.Object({ branches: Type.Integer(), atOnce: Type.Integer() }), output: Type.Array(Type.Integer()),
  async run(flow, { branches, atOnce }) {
    const words = Array.from({ length: branches }, (_, i) => `branch ${i}`);
    await flow.progress("branching", 0, branches);
    const children = flow.parallel(words.map((word) => () => flow.child(plain, { word })), { atOnce });
    const done = await children;
    await flow.parallel(words.map((word) => () => flow.step(write, { word })), { atOnce });
    await flow.progress("branching", branches, branches);
    return done.map((rows) => rows.length);
  },
});

export const parent = workflow({
  id: "test.parent", summary: "A child that fails", permission: "test:run", input: Type.Object({ times: Type.Integer() }), output: Type.String(),
  async run(flow, { times }) {
    await flow.step(write, { word: "parent" });
    return String(await flow.child(retrying, { times }));
  },
});

/** One at a time of each key, and two at once in all. */
export const queued = workflow({
  id: "test.queued", summary: "Limited", permission: "test:run", signals: [go], input: Type.Object({ key: Type.String(), word: Type.String() }), output: Type.Null(),
  concurrencyKey: ({ key }) => key, atOnce: 2,
  async run(flow, { word }) {
    await flow.step(write, { word });
    await flow.waitFor(go);
    return null;
  },
});

const patchedSpec = {
  id: "test.patched", summary: "Steps that came later", permission: "test:run" as const, signals: [go], input: Type.Object({}), output: Type.String(),
};

export const patched = workflow({
  ...patchedSpec,
  async run(flow) {
    await flow.step(write, { word: "first" });
    if (await flow.patch("test.sooner")) await flow.step(write, { word: "sooner" });
    await flow.waitFor(go);
    if (await flow.patch("test.later")) await flow.step(write, { word: "later" });
    await flow.step(write, { word: "last" });
    return "done";
  },
});

/** The code of `patched` before its two steps came. */
export const beforePatches = workflow({
  ...patchedSpec,
  async run(flow) {
    await flow.step(write, { word: "first" });
    await flow.waitFor(go);
    await flow.step(write, { word: "last" });
    return "done";
  },
});

export const wrongBranches = workflow({
  id: "test.wrong-branches", summary: "A branch with two calls", permission: "test:run", input: Type.Object({}), output: Type.Null(),
  async run(flow) {
    await flow.parallel([async () => {
      await flow.step(write, { word: "one" });
      await flow.step(write, { word: "two" });
    }]);
    return null;
  },
});

export const tooLarge = workflow({
  id: "test.too-large", summary: "A result that fits into no history", permission: "test:run", input: Type.Object({}), output: Type.String(),
  run: () => Promise.resolve("x".repeat(70_000)),
});

export const testWorkflows = [
  plain, twoSteps, retrying, sleeping, waiting, undoing, journey, branching, parent, queued, patched, wrongBranches, tooLarge,
] as unknown as readonly Workflow[];

/** What a server knows that was not brought up to date yet. */
export const workflowsBefore: readonly Workflow[] = testWorkflows.map((one) => (one.id === patched.id ? (beforePatches as unknown as Workflow) : one));
