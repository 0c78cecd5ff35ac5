import { Type, type TSchema } from "typebox";
import { Compile, type Validator } from "typebox/compile";
import type { EventType } from "./declare.ts";

const validators = new WeakMap<EventType, Validator>();

/**
 * Throws where the data is not what the type declares, or holds more than that: a fault of the program, which rolls back
 * the change. The log is for ever and others read it, so that nothing may get in that its schema does not say.
 */
export function checkData(type: EventType, data: unknown): void {
  let validator = validators.get(type);
  if (validator === undefined) validators.set(type, (validator = Compile(closed(type.data))));
  if (validator.Check(data)) return;
  const faults = validator.Errors(data).slice(0, 5).map(({ instancePath, message }) => `data${instancePath} ${message}`);
  throw new TypeError(`an event ${type.type} is not as declared: ${faults.join("; ")}`);
}

/** The schema without room for members that it does not name. Readers get the open one, because members may be added. */
function closed(schema: TSchema): TSchema {
  return Type.Unsafe(close(schema) as TSchema);
}

function close(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(close);
  if (typeof value !== "object" || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, close(member)]));
  return "properties" in copy && !("additionalProperties" in copy) ? { ...copy, additionalProperties: false } : copy;
}
