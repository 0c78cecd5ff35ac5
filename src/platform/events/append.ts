import type { TObject } from "typebox";
import { sql } from "../database/sql.ts";
import type { Db } from "../database/database.ts";
import { timestamp, type Clock } from "../clock.ts";
import { Conflict, DeclaredError } from "../errors.ts";
import type { Ids } from "../ids.ts";
import { checkData } from "./check-data.ts";
import { headOf, sourceOf } from "./cloud-event.ts";
import type { EventType } from "./declare.ts";
import type { PrivateBodies } from "./private.ts";
import type { EventAppender, NewEvent } from "./types.ts";

/** Who appends, and on whose behalf. */
export interface AppendOrigin {
  orgId: string;
  /** TypeID of the user or key, or `system`. */
  actor: string;
  operation: string;
  requestId: string;
  /** `http`, `cli`, `mcp`, `browser`, or `subscription` for what a subscriber appends. */
  door: string;
  ai: boolean;
}

export interface AppendPorts {
  clock: Clock;
  ids: Ids;
  privateBodies: PrivateBodies;
  /** What may be appended, where that is known. */
  types?: ReadonlyMap<string, EventType>;
}

/**
 * Appends in the transaction of `db`; one statement an event. Errors: Conflict, when the stream is not at the expected
 * version; TypeError, when the event is not as its type is declared. Events of one transaction keep their order because
 * their ids come from one `ids`.
 */
export function appender(db: Db, options: AppendOrigin & AppendPorts): EventAppender {
  const { actor, operation, requestId, door, ai, clock, ids, privateBodies, types } = options;
  return {
    async append<Data extends TObject>(event: NewEvent<Data>) {
      const { type: { type }, subject, data } = event;
      if (types !== undefined && types.get(type) !== event.type) throw new TypeError(`no module lists the type ${type} among its events`);
      checkData(event.type, data);
      const id = ids.uuid();
      const orgId = event.orgId ?? options.orgId;
      const time = timestamp(clock);
      const stream = event.stream ?? event.subject;
      const secret = event.private === undefined ? undefined : await privateBodies.seal(db, orgId, id, event.private.subjectId, event.private.body);
      const head = headOf({
        specversion: "1.0", id, source: sourceOf(type), type, subject, time,
        datacontenttype: "application/json", data, orgid: orgId, actor, operation, requestid: requestId, door, ai,
        ...(secret === undefined ? {} : { privatehash: secret.hash }),
        stream,
      });
      try {
        await db.one(sql`select events.append(${id}, ${orgId}, ${stream}, ${event.expectedVersion ?? null}, ${type}, ${subject}, ${actor},
          ${operation}, ${requestId}, ${door}, ${ai}, ${time}, ${head})`);
      } catch (error) {
        if ((error as { code?: string }).code !== "QE409") throw error;
        throw new DeclaredError(Conflict, `${stream} was changed by somebody else meanwhile; read it again and repeat the change.`,
          { stream, expectedVersion: event.expectedVersion }, error);
      }
      if (secret !== undefined && event.private !== undefined) {
        await db.run(sql`insert into events.private (org_id, event_id, subject_id, body) values (${orgId}, ${id}, ${event.private.subjectId}, ${secret.envelope})`);
      }
      return id;
    },
  };
}
