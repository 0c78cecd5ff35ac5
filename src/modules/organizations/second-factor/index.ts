export { secondFactorsOf } from "../second-factor-views.ts";
export type { SecondFactors } from "../second-factor-views.ts";
export { verifyCode } from "./verify-code.ts";
export type { CodePorts } from "./verify-code.ts";
