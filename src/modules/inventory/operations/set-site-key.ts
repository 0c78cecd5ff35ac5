import { Type } from "typebox";
import { fail, InvalidInput, TooLarge } from "../../../platform/errors.ts";
import { uuidOf } from "../../../platform/ids.ts";
import { operation } from "../../../platform/operation/index.ts";
import { SiteNotFound } from "../errors.ts";
import { SiteId } from "../schemas.ts";
import { SiteKeySet } from "../site-events.ts";
import { setSiteKey as store, siteKeyFor } from "../site-store.ts";
import { siteOf } from "./sites.ts";
import { mostKeyBytes, readPrivateKey } from "../sites/private-key.ts";

export const setSiteKey = operation({
  id: "inventory.set-site-key",
  http: "PUT /api/v1/sites/{id}/key",
  cli: { name: "sites set-key", positional: ["id"] },
  summary: "Give a site the private key with which its hosts are scanned",
  description: "The body is the key in OpenSSH's format, without a passphrase. It is kept encrypted, used for scans alone, and never shown; its fingerprint is.",
  permission: "assets:write",
  effect: "change",
  without: { mcp: "a private key must not pass through a conversation; a person or a program that has the file sends it" },
  input: Type.Object({ id: SiteId }),
  body: { contentTypes: ["application/octet-stream"], description: "The private key" },
  output: Type.Object({ id: SiteId, keyFingerprint: Type.String({ description: "SHA256:..., as ssh-keygen -l shows it" }) }),
  errors: [SiteNotFound],
  examples: [{ input: { id: "sit_01jd0000000000000000000000" } }],
  async prepare({ body, secrets, orgId, transaction }, { id }) {
    await transaction((db) => siteOf(db, id));
    if (body === undefined) fail(InvalidInput, "The body is missing; send the private key.");
    const chunks: Buffer[] = [];
    let bytes = 0;
    for await (const chunk of body) {
      chunks.push(chunk as Buffer);
      bytes += (chunk as Buffer).length;
      if (bytes > mostKeyBytes) fail(TooLarge, `A private key has at most ${mostKeyBytes} bytes; this is another file.`);
    }
    const { text, fingerprint } = readPrivateKey(Buffer.concat(chunks).toString("latin1"));
    return { fingerprint, sealed: await secrets.seal(Buffer.from(text), siteKeyFor(orgId)) };
  },
  async handle({ db, events }, { id }, key) {
    if (!(await store(db, uuidOf("sit", id), key))) fail(SiteNotFound, `There is no site ${id} in this organization; qinfra sites list shows what there is.`);
    await events.append({ type: SiteKeySet, subject: id, data: {} });
    return { id, keyFingerprint: key.fingerprint };
  },
});
