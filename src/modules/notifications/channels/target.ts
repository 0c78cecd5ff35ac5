import { randomBytes } from "node:crypto";
import { DeclaredError, fail } from "../../../platform/errors.ts";
import { checkUrl } from "../../../platform/http-client/address-guard.ts";
import type { SecretContext, Secrets } from "../../../platform/secrets/types.ts";
import { secretBytes, writtenSecret } from "../domain/signature.ts";
import { ChannelInvalid } from "../errors.ts";
import type { ChannelKindName } from "../ids.ts";

/** What of a channel is sealed. */
export interface Target {
  url?: string;
  authorization?: string;
  /** Of a webhook: the secret that signs, and one that signs as well until that time, in milliseconds since 1970. */
  secret?: string;
  previous?: { secret: string; until: number };
}

/** As people give it. */
export interface TargetInput {
  endpoint?: string;
  authorization?: string;
  secret?: string;
  recipients?: readonly string[];
}

export function sealedFor(orgId: string): SecretContext {
  return { purpose: "notification-channel", org: orgId };
}

export async function sealTarget(secrets: Pick<Secrets, "seal">, orgId: string, target: Target): Promise<string> {
  return secrets.seal(Buffer.from(JSON.stringify(target)), sealedFor(orgId));
}

export async function openTarget(secrets: Pick<Secrets, "open">, orgId: string, sealed: string | null): Promise<Target> {
  if (sealed === null) return {};
  return JSON.parse((await secrets.open(sealed, sealedFor(orgId))).toString()) as Target;
}

/** What may be shown of a target: the host, because paths and queries are where others keep their keys. */
export function hintOf(target: Target): string | null {
  return target.url === undefined ? null : new URL(target.url).host;
}

export function newSecret(): string {
  return writtenSecret(randomBytes(32));
}

/** The target of a channel of that kind after a change. Errors: ChannelInvalid. */
export function changedTarget(kind: ChannelKindName, before: { target: Target; recipients: readonly string[] }, input: TargetInput): { target: Target; recipients: readonly string[] } {
  const wrong = (what: string): never => fail(ChannelInvalid, what);
  const recipients = input.recipients ?? before.recipients;
  if (kind === "email") {
    if (input.endpoint !== undefined || input.authorization !== undefined || input.secret !== undefined) wrong("An e-mail channel has recipients, and neither endpoint nor authorization nor secret.");
    if (recipients.length === 0) wrong("An e-mail channel needs at least one recipient.");
    return { target: {}, recipients };
  }
  if (recipients.length > 0) wrong(`A ${kind} channel has an endpoint and no recipients.`);
  if (kind !== "webhook" && input.secret !== undefined) wrong(`Only a webhook is signed; a ${kind} channel has no secret.`);
  if (kind === "slack" && input.authorization !== undefined) wrong("The endpoint of a slack channel is its credential; leave out authorization.");
  const url = input.endpoint ?? before.target.url ?? wrong(`A ${kind} channel needs an endpoint.`);
  checkedUrl(url);
  if (input.secret !== undefined && secretBytes(input.secret) === undefined) wrong("The secret has to be whsec_ and the base64 of 24 to 64 bytes; leave it out to have one made.");
  // What was made for one host is not shown to another.
  const moved = before.target.url !== undefined && new URL(before.target.url).origin !== new URL(url).origin;
  const authorization = input.authorization ?? (moved ? undefined : before.target.authorization);
  const secret = kind === "webhook" ? (input.secret ?? before.target.secret ?? newSecret()) : undefined;
  return {
    recipients,
    target: {
      url, ...(authorization === undefined ? {} : { authorization }), ...(secret === undefined ? {} : { secret }),
      ...(before.target.previous === undefined || input.secret !== undefined ? {} : { previous: before.target.previous }),
    },
  };
}

/** Private addresses are refused when something is sent, because a name may lead elsewhere by then. */
function checkedUrl(url: string): void {
  try {
    checkUrl(url, undefined);
  } catch (error) {
    throw error instanceof DeclaredError ? new DeclaredError(ChannelInvalid, `The endpoint cannot be used: ${error.message}`) : error;
  }
}
