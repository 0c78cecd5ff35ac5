import { Type } from "typebox";
import { signal } from "../workflow/declare.ts";

/** Tells what waits for an approval to look at it again. */
export const changed = signal({ name: "approvals.changed", summary: "The request was decided on, changed or taken back", body: Type.Object({}) });
