import type { Static, TObject, TProperties, TSchema } from "typebox";
import type { CliSpec, Door, Method, Operation } from "./operation.ts";
import type { ErrorType } from "../errors.ts";
import { operation } from "./operation.ts";

/** An operation without state: its answer depends on its input alone. */
export interface PureOperationSpec<I extends TProperties, O extends TSchema> {
  id: string;
  http: `${Method} /${string}`;
  cli?: CliSpec;
  summary: string;
  description?: string;
  permission: `${string}:${string}` | "self";
  reason?: string;
  without?: Partial<Record<Door, string>>;
  input: TObject<I>;
  output: O;
  errors?: readonly ErrorType[];
  examples: readonly { input: Static<TObject<I>>; summary?: string }[];
  compute(input: Static<TObject<I>>): Static<O>;
}

/** A pure operation, with its function for a program that runs it in its own process, as the CLI does. */
export type PureOperation = Operation & { compute(input: Record<string, unknown>): unknown };

export function pureOperation<I extends TProperties, O extends TSchema>(spec: PureOperationSpec<I, O>): PureOperation {
  const { compute, ...rest } = spec;
  const declared = operation<I, O>({ ...rest, effect: "pure", handle: async (_context, input) => compute(input) });
  return { ...declared, compute: compute as (input: Record<string, unknown>) => unknown };
}

export function isPure(operation: Operation): operation is PureOperation {
  return operation.effect === "pure" && "compute" in operation;
}
