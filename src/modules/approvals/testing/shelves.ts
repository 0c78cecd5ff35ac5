import { Type } from "typebox";
import type { Answer, TestCall, TestPlatform } from "../../../app/testing.ts";
import { toTypeId } from "../../../platform/ids.ts";
import { operation, type Module } from "../../../platform/operation/index.ts";

/** What the operations below read and change. */
export const world = { shelf: "full", removed: [] as string[] };

const remove = operation({
  id: "shelves.remove", http: "DELETE /api/v1/shelves/{name}", summary: "Remove a shelf as it is", permission: "images:delete", effect: "destructive",
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }), environment: Type.Optional(Type.String({ maxLength: 20 })) }),
  output: Type.Object({ removed: Type.String(), by: Type.String() }), examples: [{ input: { name: "a" } }],
  prepare: async () => ({ shelf: world.shelf }),
  plan: ({ shelf }, { name, environment }) => ({ remove: name, shelf, ...(environment === undefined ? {} : { environment }) }),
  async handle({ actor }, { name }) {
    world.removed.push(name);
    return { removed: name, by: toTypeId("usr", actor.userId ?? "") };
  },
});

const label = operation({
  id: "shelves.label", http: "POST /api/v1/shelves/{name}/labels", summary: "Label a shelf", permission: "images:build", effect: "change",
  approvers: [{ role: "operator", count: 1 }],
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }) }), output: Type.Object({ labelled: Type.String() }), examples: [{ input: { name: "a" } }],
  async handle(_context, { name }) {
    world.removed.push(`label ${name}`);
    return { labelled: name };
  },
});

const pair = operation({
  id: "shelves.pair", http: "POST /api/v1/shelves/{name}/pairs", summary: "Do what two administrators approve and an operator may do", permission: "images:build", effect: "destructive",
  approvers: [{ role: "admin", count: 2 }],
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }) }), output: Type.Object({ paired: Type.String() }), examples: [{ input: { name: "a" } }],
  prepare: async () => undefined,
  plan: () => ({ environment: "production" }),
  async handle(_context, { name }) {
    world.removed.push(`pair ${name}`);
    return { paired: name };
  },
});

const badge = operation({
  id: "shelves.badge", http: "POST /api/v1/shelves/{name}/badges", summary: "Do what no agent may ask for", permission: "members:write", effect: "destructive",
  input: Type.Object({ name: Type.String({ pattern: "^[a-z]{1,20}$" }) }), output: Type.Object({ badged: Type.String() }), examples: [{ input: { name: "a" } }],
  prepare: async () => undefined,
  plan: () => ({ environment: "production" }),
  async handle(_context, { name }) {
    world.removed.push(`badge ${name}`);
    return { badged: name };
  },
});

/** Operations that wait for people. */
export const shelves: Module = { name: "shelves", operations: [remove, label, pair, badge] };

export interface Request {
  id: string;
  hash: string;
  state: string;
}

let serial = 0;
/** A name that no other test asks about. */
export function freshName(): string {
  serial += 1;
  return `s${[...String(serial)].map((digit) => "abcdefghij"[Number(digit)]).join("")}`;
}

/** An agent asks to remove a shelf. */
export async function askToRemove(platform: TestPlatform, name = freshName(), call: TestCall = { as: "agent-key" }): Promise<Request> {
  const answer = await platform.call("shelves.remove", { ...call, input: { name, ...call.input } });
  if (answer.status !== 202) throw new Error(`it did not wait: ${answer.text}`);
  const { approval, hash, state } = answer.body as { approval: string; hash: string; state: string };
  if (answer.headers["location"] !== `/api/v1/approvals/${approval}`) throw new Error("the answer does not say where the request is");
  return { id: approval, hash, state };
}

export function decide(platform: TestPlatform, verb: "approve" | "reject", { id, hash }: Request, call: TestCall, input: object = {}): Promise<Answer> {
  return platform.call(`approvals.${verb}`, { ...call, input: { id, hash, ...(verb === "reject" ? { reason: "no" } : {}), ...input } });
}
