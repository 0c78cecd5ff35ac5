import type { ClientMetadata } from "oidc-provider";

/** The server's own pages, as an OIDC client. */
export const browserClient = "qinfra-browser";
/** `qinfra login`: a public client, which can keep no secret. */
export const cliClient = "qinfra-cli";

const ours: ReadonlySet<string> = new Set([browserClient, cliClient]);

/** A client of the platform itself, to which nobody needs to consent. */
export function isOurs(clientId: string | undefined): boolean {
  return clientId !== undefined && ours.has(clientId);
}

const ownMachine = ["127.0.0.1", "localhost", "[::1]"];

/** Where the platform is this machine, each name of it is the platform's. */
export function namesOf(origin: string): string[] {
  const { protocol, hostname, port } = new URL(origin);
  if (!ownMachine.includes(hostname)) return [origin];
  return ownMachine.map((name) => new URL(`${protocol}//${name}:${port}`).origin);
}

export function ownClients(origin: string, browserSecret: string): ClientMetadata[] {
  return [
    {
      client_id: browserClient, client_name: "QL-RF", client_secret: browserSecret, token_endpoint_auth_method: "client_secret_post",
      redirect_uris: namesOf(origin).map((name) => `${name}/auth/callback`), grant_types: ["authorization_code"], response_types: ["code"], require_auth_time: true,
    },
    {
      client_id: cliClient, client_name: "The qinfra command line", token_endpoint_auth_method: "none",
      redirect_uris: [], grant_types: ["urn:ietf:params:oauth:grant-type:device_code"], response_types: [], require_auth_time: true,
    },
  ];
}
