import { createHash } from "node:crypto";
import { InputError } from "../input-error.ts";
import { type ImageArchive, readSmall } from "./image-archive.ts";
import { isObject, listAt, objectAt, textAt } from "./json-shape.ts";
import { type JsonObject, parseJson } from "./json-text.ts";

export interface ImageChoice {
  /** `os/architecture[/variant]`; linux/amd64 where there are several and none is given. */
  platform?: string;
  /** A tag or digest, where the archive holds several images. */
  image?: string;
}

/** One image of an archive: where its configuration and layers lie, and what their bytes must hash to. */
export interface ImageManifest {
  /** Of the manifest; `docker save` archives without an OCI index have none. */
  digest?: string;
  tags: string[];
  config: Blob;
  layers: Blob[];
}

export interface Blob {
  /** Its name in the archive. */
  name: string;
  /** `sha256:...` of the bytes as stored; a `docker save` archive may give none. */
  digest?: string;
}

const documentLimit = 16 * 1024 * 1024;
const maxNesting = 4;

/**
 * The image that an OCI image layout (`index.json`) or a `docker save` archive (`manifest.json`) holds.
 * Throws InputError `ambiguous-image`, listing what there is, where the choice does not name one.
 */
export async function chooseImage(archive: ImageArchive, choice: ImageChoice): Promise<ImageManifest> {
  const index = await readSmall(archive, "index.json", documentLimit);
  if (index) return ociImage(archive, parseDocument(index, "index.json"), choice);
  const list = await readSmall(archive, "manifest.json", documentLimit);
  if (list) return dockerImage(list, choice);
  throw new InputError("not-this-format", "this is no image: it has neither index.json (OCI layout) nor manifest.json (docker save)");
}

/** Reads a JSON document of the archive and checks its digest. */
export async function readDocument(archive: ImageArchive, { name, digest }: Blob): Promise<JsonObject> {
  const content = await readSmall(archive, name, documentLimit);
  if (!content) throw new InputError("not-found", "the image archive has no such file; it is incomplete", { path: name });
  if (digest !== undefined) checkDigest(digest, createHash(algorithmOf(digest)).update(content).digest("hex"), name);
  return parseDocument(content, name);
}

export function algorithmOf(digest: string): "sha256" | "sha512" {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

export function checkDigest(digest: string, found: string, path: string): void {
  if (digest.slice(digest.indexOf(":") + 1) === found) return;
  const what = `the content is not what its digest ${digest} says (it hashes to ${found}); copy or download the image again`;
  throw new InputError("digest-mismatch", what, { path });
}

function parseDocument(content: Buffer, path: string): JsonObject {
  try {
    return objectAt(parseJson(content.toString("utf8"), { depth: 100, values: 1_000_000 }), "$");
  } catch (error) {
    throw error instanceof InputError ? error.in(path) : error;
  }
}

function blobOf(value: unknown, path: string, jsonPath: string): Blob & { digest: string } {
  const digest = isObject(value) ? value["digest"] : undefined;
  const match = typeof digest === "string" ? /^(sha256:[0-9a-f]{64}|sha512:[0-9a-f]{128})$/.exec(digest) : null;
  if (!match?.[1]) throw new InputError("wrong-structure", "a descriptor with a sha256 digest must stand here", { path, jsonPath });
  return { digest: match[1], name: `blobs/${match[1].replace(":", "/")}` };
}

interface Candidate extends Blob {
  digest: string;
  platform: string | undefined;
  tag: string | undefined;
}

async function ociImage(archive: ImageArchive, index: JsonObject, choice: ImageChoice): Promise<ImageManifest> {
  const candidates = await candidatesIn(archive, index, "index.json", undefined, 1);
  const named = candidates.filter(({ tag, digest }) => choice.image === undefined || tag === choice.image || digest === choice.image);
  const chosen = onePlatform(named, candidates, choice);
  const manifest = await readDocument(archive, chosen);
  const config = blobOf(manifest["config"], chosen.name, "$.config");
  const layers = listAt(manifest, "layers", "$").map((layer, at) => blobOf(layer, chosen.name, `$.layers[${at}]`));
  return { digest: chosen.digest, tags: chosen.tag === undefined ? [] : [chosen.tag], config, layers };
}

async function candidatesIn(archive: ImageArchive, index: JsonObject, path: string, tag: string | undefined, nesting: number): Promise<Candidate[]> {
  if (nesting > maxNesting) throw new InputError("too-large", `image indexes are nested deeper than ${maxNesting}`, { path });
  const found: Candidate[] = [];
  for (const [at, value] of listAt(index, "manifests", "$").entries()) {
    const jsonPath = `$.manifests[${at}]`;
    const item = objectAt(value, jsonPath);
    const blob = blobOf(item, path, jsonPath);
    const annotations = isObject(item["annotations"]) ? item["annotations"] : {};
    const ownTag = annotations["io.containerd.image.name"] ?? annotations["org.opencontainers.image.ref.name"];
    const itemTag = typeof ownTag === "string" ? ownTag : tag;
    const type = textAt(item, "mediaType", jsonPath) ?? "";
    if (type.endsWith(".image.index.v1+json") || type.endsWith(".manifest.list.v2+json")) {
      // A layout may leave out the images of other platforms; what is missing cannot be chosen.
      if (!(await archive.has(blob.name))) continue;
      found.push(...(await candidatesIn(archive, await readDocument(archive, blob), blob.name, itemTag, nesting + 1)));
      continue;
    }
    const platform = platformOf(item["platform"]);
    const isAttestation = platform === "unknown/unknown" || annotations["vnd.docker.reference.type"] !== undefined;
    if (!isAttestation && (await archive.has(blob.name))) found.push({ ...blob, platform, tag: itemTag });
  }
  return found;
}

export function platformOf(value: unknown): string | undefined {
  if (!isObject(value) || typeof value["os"] !== "string" || typeof value["architecture"] !== "string") return undefined;
  const variant = typeof value["variant"] === "string" && value["variant"] !== "" ? `/${value["variant"]}` : "";
  return `${value["os"]}/${value["architecture"]}${variant}`;
}

function onePlatform(named: readonly Candidate[], all: readonly Candidate[], choice: ImageChoice): Candidate {
  const matching = (wanted: string) => named.filter(({ platform }) => platform === wanted || platform?.startsWith(`${wanted}/`));
  const distinct = new Map(named.map((item) => [item.digest, item]));
  const [only] = distinct.values();
  if (choice.platform === undefined && distinct.size === 1 && only) return only;
  // A single image whose index names no platform has it in its configuration, which is checked later.
  if (distinct.size === 1 && only && only.platform === undefined) return only;
  const chosen = new Map(matching(choice.platform ?? "linux/amd64").map((item) => [item.digest, item]));
  const [first] = chosen.values();
  if (chosen.size === 1 && first) return first;
  if (all.length === 0) throw new InputError("not-this-format", "the image layout holds no image");
  const offered = [...new Set(all.map(({ platform, tag, digest }) => `${platform ?? "unknown platform"} (${tag ?? digest})`))].sort();
  const wanted = [choice.image, choice.platform].filter((part) => part !== undefined).join(" for ");
  const what = wanted === "" ? "several images are there and none was chosen" : `${chosen.size} images match ${wanted}`;
  throw new InputError("ambiguous-image", `${what}; there are: ${offered.join(", ")}`);
}

/** `docker save`: a list of {Config, RepoTags, Layers}, names in the archive. */
function dockerImage(content: Buffer, choice: ImageChoice): ImageManifest {
  const path = "manifest.json";
  const document = parseJson(content.toString("utf8"), { depth: 100, values: 1_000_000 });
  if (!Array.isArray(document)) throw new InputError("wrong-structure", "a list of images must stand here", { path, jsonPath: "$" });
  const images = document.map((value, at) => {
    const item = objectAt(value, `$[${at}]`);
    const texts = (key: string): string[] => listAt(item, key, `$[${at}]`).filter((text) => typeof text === "string");
    return { config: textAt(item, "Config", `$[${at}]`) ?? "", tags: texts("RepoTags"), layers: texts("Layers") };
  });
  const named = images.filter(({ tags, config }) => choice.image === undefined || tags.includes(choice.image) || config.includes(choice.image));
  const [image] = named;
  if (named.length !== 1 || !image) {
    const offered = images.map(({ tags, config }) => tags.join(" ") || config).join(", ");
    throw new InputError("ambiguous-image", `the archive holds ${images.length} images, ${named.length} of them chosen; there are: ${offered}`);
  }
  return { tags: image.tags, config: dockerBlob(image.config), layers: image.layers.map(dockerBlob) };
}

/** Names are `blobs/sha256/HEX`, or in older archives `HEX.json` for the configuration and `ID/layer.tar`. */
function dockerBlob(name: string): Blob {
  if (name.startsWith("/") || name.split("/").includes("..")) {
    throw new InputError("malformed", "a name in manifest.json leads out of the archive", { path: "manifest.json" });
  }
  const hex = /^(?:blobs\/sha256\/([0-9a-f]{64})|([0-9a-f]{64})\.json)$/.exec(name);
  const digest = hex?.[1] ?? hex?.[2];
  return { name, ...(digest !== undefined && { digest: `sha256:${digest}` }) };
}
