import { DeclaredError, PermissionMissing, PolicyDenied } from "../../../platform/errors.ts";
import type { Me, PageOf } from "./answers.ts";
import type { Visitor } from "./visitor.ts";

export interface SecondFactorItem {
  id: string;
  kind: "totp" | "passkey";
  name: string;
  addedAt: string;
  lastUsedAt?: string;
}

export interface SessionItem {
  id: string;
  door: "browser" | "cli";
  current: boolean;
  createdAt: string;
  expiresAt: string;
  lastSeenAt: string;
}

export interface ApiKeyItem {
  id: string;
  name: string;
  prefix: string;
  state: "active" | "expired" | "revoked";
  agent: boolean;
  createdBy: string;
  expiresAt: string;
  lastUsedAt?: string;
}

export interface AccountData {
  me: Me;
  factors: readonly SecondFactorItem[];
  recoveryCodes: number;
  sessions: readonly SessionItem[];
  moreSessions: boolean;
  /** The person's own; undefined where their role shows none. */
  apiKeys: readonly ApiKeyItem[] | undefined;
}

const most = 100;
const mostKeys = 1_000;

export async function accountData(visitor: Visitor): Promise<AccountData> {
  const me = await visitor.call<Me>("users.me", {});
  const [factors, sessions, keys] = await Promise.all([
    visitor.call<{ items: SecondFactorItem[]; recoveryCodes: number }>("second-factors.list", {}),
    visitor.call<PageOf<SessionItem>>("sessions.list", { limit: most }),
    (await visitor.refusal("api-keys.list")) === undefined ? visitor.call<PageOf<ApiKeyItem>>("api-keys.list", { limit: mostKeys }).catch(nothingToShow) : undefined,
  ]);
  return {
    me, factors: factors.items, recoveryCodes: factors.recoveryCodes, sessions: sessions.items, moreSessions: sessions.next !== undefined,
    apiKeys: keys?.items.filter(({ createdBy, state }) => createdBy === me.user.id && state !== "revoked"),
  };
}

function nothingToShow(error: unknown): undefined {
  if (error instanceof DeclaredError && (error.type.code === PermissionMissing.code || error.type.code === PolicyDenied.code)) return undefined;
  throw error;
}
