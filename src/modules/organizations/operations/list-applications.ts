import { Type } from "typebox";
import { operation, Page, paging } from "../../../platform/operation/index.ts";
import { pageWith } from "../paging.ts";
import { Application, showApplication } from "../provider/applications.ts";
import { applications } from "../provider/application-store.ts";

export const listApplications = operation({
  id: "applications.list",
  http: "GET /api/v1/applications",
  cli: { name: "applications list", columns: ["id", "name", "redirectUris", "createdAt"] },
  summary: "Applications for which people may sign in here",
  permission: "platform:applications",
  effect: "read",
  database: "system",
  input: Type.Object({ ...paging }),
  output: Page(Application),
  examples: [{ input: {} }],
  async handle({ db }, { limit = 100, cursor = "" }) {
    const rows = await applications(db, { after: cursor, limit: limit + 1 });
    return pageWith(rows.map(showApplication), limit + 1, (application) => application.id);
  },
});
