import { Type } from "typebox";
import { operation, type Operation } from "../../../platform/operation/index.ts";

async function notHere(): Promise<never> {
  throw new Error("the CLI calls the server; it never runs a handler");
}

const common = { permission: "public" as const, reason: "a test", output: Type.Object({}), handle: notHere };

/** The operations that local commands call by id, with the paths and inputs of the platform. */
export const platformOperations: Operation[] = [
  operation({ ...common, id: "sessions.create", http: "POST /api/v1/sessions", summary: "Sign in", effect: "change", without: { cli: "login" }, examples: [], input: Type.Object({ name: Type.String(), password: Type.String(), door: Type.String(), organization: Type.Optional(Type.String()), code: Type.Optional(Type.String()) }) }),
  operation({ ...common, id: "sessions.exchange", http: "POST /api/v1/sessions/exchange", summary: "Sign in", effect: "change", without: { cli: "login" }, examples: [], input: Type.Object({ idToken: Type.String(), door: Type.String(), organization: Type.Optional(Type.String()) }) }),
  operation({ ...common, id: "sessions.sign-in-options", http: "GET /api/v1/sign-in", summary: "Where", effect: "read", without: { cli: "login" }, examples: [], input: Type.Object({}) }),
  operation({ ...common, id: "users.me", http: "GET /api/v1/users/me", cli: { name: "whoami", alone: "can", failsWhen: { field: "can.allowed", is: false } }, summary: "Who", effect: "read", examples: [], input: Type.Object({ can: Type.Optional(Type.String()) }) }),
  operation({ ...common, id: "sessions.delete", http: "DELETE /api/v1/sessions/{id}", summary: "Sign out", effect: "change", examples: [], input: Type.Object({ id: Type.String() }) }),
  operation({ ...common, id: "users.set-password", http: "PUT /api/v1/users/me/password", summary: "Set password", effect: "change", without: { cli: "login" }, examples: [], input: Type.Object({ currentPassword: Type.String(), newPassword: Type.String() }) }),
  operation({ ...common, id: "sessions.confirm", http: "POST /api/v1/sessions/current/confirm", summary: "Confirm", effect: "change", without: { cli: "confirm" }, examples: [], input: Type.Object({ code: Type.String() }) }),
  operation({ ...common, id: "second-factors.add-totp", http: "POST /api/v1/second-factors/totp", summary: "Begin", effect: "change", without: { cli: "add" }, examples: [], input: Type.Object({ currentPassword: Type.Optional(Type.String()) }) }),
  operation({ ...common, id: "second-factors.confirm-totp", http: "POST /api/v1/second-factors/totp/confirm", summary: "Confirm", effect: "change", without: { cli: "add" }, examples: [], input: Type.Object({ code: Type.String() }) }),
  operation({ ...common, id: "vulnerabilities.scan", http: "POST /api/v1/scan", summary: "Scan", effect: "read", without: { cli: "scan" }, examples: [], input: Type.Object({ components: Type.Array(Type.Object({})) }) }),
  operation({ ...common, id: "inventory.record-scan", http: "POST /api/v1/assets/scans", summary: "Record", effect: "change", without: { cli: "scan" }, examples: [], input: Type.Object({ name: Type.String(), source: Type.String(), os: Type.Optional(Type.Object({})), facts: Type.Optional(Type.Object({})), components: Type.Array(Type.Object({})) }) }),
  operation({ ...common, id: "images.register", http: "POST /api/v1/images", summary: "Register", effect: "change", without: { cli: "scan" }, examples: [], input: Type.Object({ family: Type.String(), version: Type.String(), source: Type.String(), digest: Type.Optional(Type.String()), os: Type.Optional(Type.Object({})), components: Type.Array(Type.Object({})) }) }),
  operation({ ...common, id: "vulnerabilities.get-image-report", http: "GET /api/v1/images/{id}/scan", cli: { name: "images report", positional: ["id"] }, summary: "Report", effect: "read", examples: [], input: Type.Object({ id: Type.String() }) }),
  operation({ ...common, id: "vulnerabilities.get-asset-report", http: "GET /api/v1/assets/{id}/scan", cli: { name: "assets report", positional: ["id"] }, summary: "Report", effect: "read", examples: [], input: Type.Object({ id: Type.String() }) }),
  operation({ ...common, id: "feeds.import", http: "POST /api/v1/feeds/{name}/import", summary: "Import", effect: "change", without: { cli: "feeds import" }, examples: [], body: { contentTypes: ["application/x-ndjson"], description: "Records" }, input: Type.Object({ name: Type.String() }) }),
  operation({ ...common, id: "feeds.sync", http: "POST /api/v1/feeds/sync", summary: "Sync", effect: "change", without: { cli: "feeds sync" }, examples: [], input: Type.Object({ ecosystem: Type.String() }) }),
];
