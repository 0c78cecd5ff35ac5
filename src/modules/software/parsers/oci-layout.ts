import { createHash, type Hash } from "node:crypto";
import type { Readable } from "node:stream";
import type { OperatingSystem } from "../component.ts";
import { InputError, namingContainer } from "../input-error.ts";
import { decompressed, limited } from "./decompress.ts";
import { type ImageArchive, openImageArchive } from "./image-archive.ts";
import { algorithmOf, type Blob, checkDigest, chooseImage, type ImageChoice, type ImageManifest, platformOf, readDocument } from "./image-manifest.ts";
import { isObject, listAt } from "./json-shape.ts";
import type { JsonObject } from "./json-text.ts";
import { createLayerTree, type LayerTree } from "./layer-tree.ts";
import type { ParsedInput } from "./notes.ts";
import { inputName, readError } from "./read-input.ts";
import { neededFile, parseRootfs } from "./rootfs.ts";
import { tarEntries } from "./tar-entries.ts";

/** What an image archive says of the image itself. */
export interface ImageFacts {
  /** Digest of the manifest; `docker save` archives without an OCI index have none. */
  digest?: string;
  /** Digest of the configuration: the image id. */
  configDigest: string;
  platform?: string;
  tags: string[];
  labels: Record<string, string>;
}

export interface OciOptions extends ImageChoice {
  /** Instead of what os-release says. */
  os?: OperatingSystem;
  /** What `-` reads. */
  stdin?: Readable;
}

const limits = {
  /** Uncompressed bytes of one layer. */
  layerBytes: 32 * 1024 ** 3,
  layers: 1000,
  fileBytes: 64 * 1024 ** 2,
  keptBytes: 1024 ** 3,
  entries: 5_000_000,
} as const;

/**
 * Reads the packages of an image from an OCI image layout or a `docker save` archive: a directory, or a tar archive
 * of it, compressed or not. The digest of every blob that is read is checked. Throws InputError.
 */
export async function parseOciLayout(path: string, options: OciOptions = {}): Promise<ParsedInput & { image: ImageFacts }> {
  return namingContainer(inputName(path), async () => {
    const archive = await openImageArchive(path, options);
    try {
      return await parseImage(archive, options);
    } finally {
      await archive.close();
    }
  });
}

async function parseImage(archive: ImageArchive, options: OciOptions): Promise<ParsedInput & { image: ImageFacts }> {
  const manifest = await chooseImage(archive, options);
  const config = await readDocument(archive, manifest.config);
  const platform = platformOf(config);
  if (options.platform !== undefined && platform !== undefined && !`${platform}/`.startsWith(`${options.platform}/`)) {
    throw new InputError("ambiguous-image", `the image is for ${platform}, not for ${options.platform}`);
  }
  if (manifest.layers.length > limits.layers) throw new InputError("too-large", `the image has more than ${limits.layers} layers`);
  const tree = createLayerTree(neededFile, limits);
  const diffIds = diffIdsOf(config);
  for (const [index, layer] of manifest.layers.entries()) await addLayer(tree, archive, layer, diffIds[index]);
  const parsed = await parseRootfs(tree, { scope: "image", ...(options.os && { os: options.os }) });
  const [lost] = tree.lostLinks();
  if (lost !== undefined) {
    const what = "hard links to files outside of package folders were not followed";
    parsed.notes.push({ kind: "unreadable-file", what, path: lost, count: tree.lostLinks().length });
  }
  return { ...parsed, image: await factsOf(archive, manifest, config, platform) };
}

/**
 * A blob's digest is checked as it is stored; where an archive gives none (`docker save` with names that are no
 * digests), the uncompressed bytes are checked against the configuration, which lists them as `rootfs.diff_ids`.
 */
async function addLayer(tree: LayerTree, archive: ImageArchive, layer: Blob, diffId: string | undefined): Promise<void> {
  if (!(await archive.has(layer.name))) {
    throw new InputError("not-found", "the layer is not in the archive; save the image again with all of its layers", { path: layer.name });
  }
  const stored = layer.digest === undefined ? undefined : createHash(algorithmOf(layer.digest));
  const unpacked = stored === undefined && diffId !== undefined ? createHash(algorithmOf(diffId)) : undefined;
  try {
    const bytes = decompressed(hashed(archive.read(layer.name), stored));
    await tree.addLayer(tarEntries(hashed(limited(bytes, limits.layerBytes, "the layer"), unpacked)));
  } catch (error) {
    throw readError(error, layer.name);
  }
  if (stored && layer.digest !== undefined) checkDigest(layer.digest, stored.digest("hex"), layer.name);
  if (unpacked && diffId !== undefined) checkDigest(diffId, unpacked.digest("hex"), layer.name);
}

async function* hashed(source: AsyncIterable<Buffer>, hash: Hash | undefined): AsyncGenerator<Buffer> {
  for await (const chunk of source) {
    hash?.update(chunk);
    yield chunk;
  }
}

function diffIdsOf(config: JsonObject): string[] {
  const rootfs = config["rootfs"];
  return isObject(rootfs) ? listAt(rootfs, "diff_ids", "$.rootfs").map(String) : [];
}

async function factsOf(archive: ImageArchive, manifest: ImageManifest, config: JsonObject, platform: string | undefined): Promise<ImageFacts> {
  const settings = isObject(config["config"]) ? config["config"] : {};
  const labels = isObject(settings["Labels"]) ? Object.entries(settings["Labels"]) : [];
  return {
    ...(manifest.digest !== undefined && { digest: manifest.digest }),
    configDigest: manifest.config.digest ?? (await digestOf(archive, manifest.config)),
    ...(platform !== undefined && { platform }),
    tags: manifest.tags,
    labels: Object.fromEntries(labels.flatMap(([key, value]) => (typeof value === "string" ? [[key, value]] : []))),
  };
}

async function digestOf(archive: ImageArchive, { name }: Blob): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of archive.read(name)) hash.update(chunk);
  return `sha256:${hash.digest("hex")}`;
}
