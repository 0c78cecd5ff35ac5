import type { Db } from "../../../platform/database/database.ts";
import { sql } from "../../../platform/database/sql.ts";

/** Client metadata (RFC 7591, 2), as the provider reads it. */
export interface ApplicationPayload {
  client_id: string;
  client_name: string;
  redirect_uris: string[];
  application_type: "web" | "native";
  /** Seconds since 1970. */
  client_id_issued_at: number;
}

export async function insertApplication(db: Db, id: Buffer, payload: ApplicationPayload): Promise<void> {
  await db.run(sql`insert into organizations.oidc_payloads (model, id, payload) values ('Client', ${id}, ${JSON.stringify(payload)})`);
}

/** By client id, after `after`. */
export async function applications(db: Db, page: { after: string; limit: number }): Promise<ApplicationPayload[]> {
  const rows = await db.many<{ payload: ApplicationPayload }>(sql`
    select payload from organizations.oidc_payloads where model = 'Client' and payload ->> 'client_id' > ${page.after}
    order by payload ->> 'client_id' limit ${page.limit}`);
  return rows.map((row) => row.payload);
}

/** Takes it away with everything that was given to it; undefined where there is none. */
export async function deleteApplication(db: Db, id: Buffer, clientId: string): Promise<ApplicationPayload | undefined> {
  const gone = await db.maybe<{ payload: ApplicationPayload }>(sql`delete from organizations.oidc_payloads where model = 'Client' and id = ${id} returning payload`);
  if (gone === undefined) return undefined;
  await db.run(sql`delete from organizations.oidc_payloads where payload ->> 'clientId' = ${clientId}`);
  return gone.payload;
}
