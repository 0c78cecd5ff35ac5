import { Type } from "typebox";
import { timestamp } from "../../../platform/clock.ts";
import { fail } from "../../../platform/errors.ts";
import { toTypeId } from "../../../platform/ids.ts";
import { operation, QuotaExceeded, TagsInput } from "../../../platform/operation/index.ts";
import { ComponentsInput, componentsMaxBytes, internComponents, OperatingSystemInput, SoftwareRecorded } from "../../software/index.ts";
import { FamilyName, imageSources, ImageVersion, RegisteredImage } from "../schemas.ts";
import { ImageVersionTaken } from "../errors.ts";
import { ImageRegistered } from "../events.ts";
import { ensureFamily, insertImage, replaceTags } from "../store.ts";
import { imageById } from "../views.ts";

export const registerImage = operation({
  id: "images.register",
  http: "POST /api/v1/images",
  cli: { name: "images register", positional: ["family", "version"] },
  summary: "Register a version of a golden image with what it holds",
  description: "The components come from a parser: `qinfra scan --rootfs DIR --as-image FAMILY:VERSION` reads and registers in one go. Waits until the image's findings are known, and says so where they are not.",
  permission: "images:build",
  effect: "change",
  creates: true,
  maxInputBytes: componentsMaxBytes,
  input: Type.Object({
    family: FamilyName,
    version: ImageVersion,
    source: Type.Enum([...imageSources], { description: "What the components were read from" }),
    digest: Type.Optional(Type.String({ pattern: "^sha256:[0-9a-f]{64}$", description: "Digest of the image itself" })),
    os: Type.Optional(OperatingSystemInput),
    components: ComponentsInput,
    tags: Type.Optional(TagsInput),
  }),
  output: RegisteredImage,
  errors: [ImageVersionTaken, QuotaExceeded],
  awaits: { event: SoftwareRecorded, subscription: "vulnerabilities.match" },
  examples: [{
    summary: "An image with one package",
    input: {
      family: "debian-server", version: "2026.11.1", source: "dpkg-status", os: { id: "debian", versionId: "12" },
      components: [{ name: "openssl", version: "3.0.17-1~deb12u2", purl: "pkg:deb/debian/openssl@3.0.17-1~deb12u2?arch=amd64&distro=debian-12" }],
    },
  }],
  prepare: async (context, input) => ({ componentSetId: await internComponents(context, input.components) }),
  async handle({ db, orgId, ids, clock, events: log, quotas }, input, { componentSetId }) {
    const now = timestamp(clock);
    const familyId = await ensureFamily(db, { orgId, id: ids.uuid(), name: input.family, now });
    const id = ids.uuid();
    const inserted = await insertImage(db, {
      orgId, id, familyId, version: input.version, source: input.source, digest: input.digest ?? null, os: input.os ?? null, componentSetId, now,
    });
    if (!inserted) fail(ImageVersionTaken, `${input.family}:${input.version} is registered already. A registered image does not change; register another version.`);
    await quotas.take("images", 1);
    await quotas.take("scans", 1);
    if (input.tags !== undefined) await replaceTags(db, orgId, id, input.tags);
    const subject = toTypeId("img", id);
    await log.append({ type: ImageRegistered, subject, data: { source: input.source } });
    await log.append({ type: SoftwareRecorded, subject, data: { kind: "image", componentSet: toTypeId("set", componentSetId) } });
    const image = await imageById(db, id);
    if (image === undefined) throw new Error("the image that was just registered is not there");
    const { componentSetId: _, ...shown } = image;
    return { image: shown };
  },
});
