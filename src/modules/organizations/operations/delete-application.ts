import { Type } from "typebox";
import { fail } from "../../../platform/errors.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import { operation } from "../../../platform/operation/index.ts";
import { ApplicationNotFound } from "../errors.ts";
import { ApplicationDeleted } from "../sign-in-events.ts";
import { ApplicationId } from "../ids.ts";
import { Application, showApplication } from "../provider/applications.ts";
import { deleteApplication as remove } from "../provider/application-store.ts";

export const deleteApplication = operation({
  id: "applications.delete",
  http: "DELETE /api/v1/applications/{id}",
  cli: { name: "applications delete", positional: ["id"] },
  summary: "Take an application away; everything that people allowed it ends at once",
  permission: "platform:applications",
  effect: "destructive",
  database: "system",
  input: Type.Object({ id: ApplicationId }),
  output: Application,
  errors: [ApplicationNotFound],
  examples: [{ input: { id: "app_01jd0000000000000000000000" } }],
  async handle({ db, events }, { id }) {
    const gone = (await remove(db, tokenHash(id), id)) ?? fail(ApplicationNotFound, `There is no application ${id}; qinfra applications list shows what there is.`);
    await events.append({ type: ApplicationDeleted, subject: id, data: {} });
    return showApplication(gone);
  },
});
