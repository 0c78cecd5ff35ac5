export { secondFactorsOf } from "../second-factor-views.ts";
export type { SecondFactors } from "../second-factor-views.ts";
export { passkeyRequest, verifyPasskey } from "./passkeys.ts";
export type { PasskeyPorts } from "./passkeys.ts";
export { verifyCode } from "./verify-code.ts";
export type { CodePorts } from "./verify-code.ts";
