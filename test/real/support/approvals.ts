import type { Client } from "./client.ts";
import { claim } from "./platform.ts";

/** Tokens of the first administrator, of an agent of theirs, and of an administrator who may decide on what it asks for. */
export interface Deciders {
  asking: string;
  agent: string;
  deciding: string;
}

/** Makes them on a new platform. */
export async function makeDeciders(address: string, oneTimePassword: string): Promise<Deciders> {
  const asking = await claim(address, "admin", oneTimePassword, "a password of who asks");
  const second = await asking.call<{ oneTimePassword: string }>("POST", "/api/v1/members", { name: "second", role: "admin" });
  const deciding = await claim(address, "second", second.oneTimePassword, "a password of who decides");
  const { key } = await asking.call<{ key: string }>("POST", "/api/v1/api-keys", { name: "agent", agent: true, scopes: ["images:read", "images:delete"] });
  await Promise.all([asking.close(), deciding.close()]);
  return { asking: asking.token as string, deciding: deciding.token as string, agent: key };
}

export interface Asked {
  image: string;
  approval: string;
  hash: string;
}

/** A new image that the agent asks to delete, which waits for an approval. */
export async function askToDelete({ asking, agent }: { asking: Client; agent: Client }, version: string): Promise<Asked> {
  const { image } = await asking.call<{ image: { id: string } }>("POST", "/api/v1/images", {
    family: "approved", version, source: "sbom", components: [{ name: "openssl", version: "3.0.17-1", purl: "pkg:deb/debian/openssl@3.0.17-1?distro=debian-12" }],
  });
  const { status, body } = await agent.ask<{ approval: string; hash: string }>("DELETE", `/api/v1/images/${image.id}`);
  if (status !== 202) throw new Error(`the deletion did not wait: ${status} ${JSON.stringify(body)}`);
  return { image: image.id, approval: body.approval, hash: body.hash };
}

export function approve(deciding: Client, { approval, hash }: Asked): Promise<{ state: string }> {
  return deciding.call("POST", `/api/v1/approvals/${approval}/approve`, { hash });
}

/** Neither waiting nor about to run. */
export async function approvalEnded(client: Client, { approval }: Asked): Promise<{ state: string } | undefined> {
  const shown = await client.call<{ state: string }>("GET", `/api/v1/approvals/${approval}`);
  return shown.state === "pending" || shown.state === "approved" ? undefined : shown;
}
