import { Type, type Static } from "typebox";
import { fail, InvalidInput } from "../../../platform/errors.ts";
import { OneLine, Time } from "../schemas.ts";
import { ApplicationId } from "../ids.ts";
import type { ApplicationPayload } from "./application-store.ts";

export const Application = Type.Object({
  id: ApplicationId,
  name: OneLine,
  redirectUris: Type.Array(Type.String({ minLength: 1, maxLength: 500 }), { minItems: 1, maxItems: 10, description: "Where answers may go: https, http on the person's own machine, or a scheme of the application's own such as com.example.app:/done" }),
  createdAt: Time,
});

export function showApplication(payload: ApplicationPayload): Static<typeof Application> {
  return { id: payload.client_id, name: payload.client_name, redirectUris: payload.redirect_uris, createdAt: new Date(payload.client_id_issued_at * 1000).toISOString() };
}

const ownMachine: ReadonlySet<string> = new Set(["127.0.0.1", "[::1]", "localhost"]);

/**
 * Whether it is a web application, or one on the person's own machine (RFC 8252). Refuses addresses by which an answer
 * could be read on the way, or by somebody else.
 */
export function applicationType(redirectUris: readonly string[]): "web" | "native" {
  const native = redirectUris.map((uri, i) => {
    const refuse = (why: string): never => fail(InvalidInput, `/redirectUris/${i}: ${why}`);
    if (!URL.canParse(uri)) return refuse("is not an absolute address");
    const { protocol, hostname, hash, username, password } = new URL(uri);
    if (hash !== "" || uri.includes("#")) return refuse("must have no fragment");
    if (username !== "" || password !== "") return refuse("must hold no user name or password");
    if (protocol === "https:") return false;
    if (protocol === "http:") return ownMachine.has(hostname) || refuse("http goes to the person's own machine only: 127.0.0.1, [::1] or localhost; use https");
    return protocol.includes(".") || refuse("a scheme of an application's own has a dot in it, as com.example.app: has (RFC 8252, 7.1)");
  });
  return native.includes(true) ? "native" : "web";
}
