export { openNatsBus, type NatsBusOptions } from "./bus.ts";
export type { NatsTls } from "./connection.ts";
