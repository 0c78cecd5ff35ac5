import { timestamp, type Clock } from "../../../platform/clock.ts";
import type { Database } from "../../../platform/database/database.ts";
import { isSessionToken, tokenHash } from "../../../platform/identity/tokens.ts";
import { fromTypeId } from "../../../platform/ids.ts";
import { userTypeId } from "../ids.ts";
import { accountOf, browserSessionOf } from "./account-views.ts";
import type { ConfigurationPorts } from "./configuration.ts";

/** Who people are to the provider: its account ids are TypeIDs of users. */
export function createAccounts({ database, clock }: { database: Database; clock: Clock }): Pick<ConfigurationPorts, "account" | "sessionOf"> {
  return {
    async account(accountId) {
      const userId = fromTypeId("usr", accountId);
      const found = userId === undefined ? undefined : await database.lookup((db) => accountOf(db, userId));
      return found && { name: found.name, displayName: found.display_name, ...(found.email !== null && { email: found.email }) };
    },
    async sessionOf(token) {
      if (!isSessionToken(token)) return undefined;
      const found = await database.lookup((db) => browserSessionOf(db, tokenHash(token), timestamp(clock)));
      if (found === undefined) return undefined;
      const at = found.second_factor ? (found.confirmed_at ?? found.created_at) : found.created_at;
      return { id: found.id, accountId: userTypeId(found.user_id), secondFactor: found.second_factor, at: Math.floor(at.getTime() / 1000) };
    },
  };
}
