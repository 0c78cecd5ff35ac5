/** What authenticator apps and passkey prompts call the platform. */
export const issuerName = "QL-RF";
export const totpName = "Authenticator app";
