import { Type } from "typebox";
import { operation } from "../../../platform/operation/index.ts";
import { tokenHash } from "../../../platform/identity/tokens.ts";
import { ApplicationCreated } from "../sign-in-events.ts";
import { applicationTypeId } from "../ids.ts";
import { Application, applicationType, showApplication } from "../provider/applications.ts";
import { insertApplication, type ApplicationPayload } from "../provider/application-store.ts";

export const createApplication = operation({
  id: "applications.create",
  http: "POST /api/v1/applications",
  cli: { name: "applications create", positional: ["name"] },
  summary: "Register an application for which people may sign in here",
  description: "A public OAuth client of the embedded provider, for example an MCP client: authorization code with PKCE, its own consent page, and tokens that do no more than the person who allowed it.",
  permission: "platform:applications",
  effect: "change",
  database: "system",
  input: Type.Object({ name: Application.properties.name, redirectUris: Application.properties.redirectUris }),
  output: Application,
  creates: true,
  examples: [{ input: { name: "Editor", redirectUris: ["http://127.0.0.1/callback"] } }],
  async handle({ db, clock, ids, events }, { name, redirectUris }) {
    const payload: ApplicationPayload = {
      client_id: applicationTypeId(ids.uuid()), client_name: name, redirect_uris: redirectUris, application_type: applicationType(redirectUris),
      client_id_issued_at: Math.floor(clock.now() / 1000),
    };
    await insertApplication(db, tokenHash(payload.client_id), payload);
    await events.append({ type: ApplicationCreated, subject: payload.client_id, data: { redirectUris: redirectUris.length } });
    return showApplication(payload);
  },
});
