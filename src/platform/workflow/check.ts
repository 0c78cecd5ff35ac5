import { Compile, type Validator } from "typebox/compile";
import type { TSchema } from "typebox";
import { fail, InvalidInput } from "../errors.ts";

const compiled = new WeakMap<object, Validator>();

/** InvalidInput that names what is wrong and where. */
export function checkValue(schema: TSchema, value: unknown, what: string): void {
  let validator = compiled.get(schema);
  if (validator === undefined) compiled.set(schema, (validator = Compile(schema)));
  if (validator.Check(value)) return;
  const faults = validator.Errors(value).slice(0, 5).map(({ instancePath, message }) => `${instancePath || "/"} ${message}`);
  fail(InvalidInput, `The ${what} is not as declared: ${faults.join("; ")}.`);
}
