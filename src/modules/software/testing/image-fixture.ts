import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pack } from "tar-stream";

/** An entry of a layer: a file's text, or a link. A name that ends in `/` is a directory. */
export type LayerFile = string | { symlink: string } | { hardlink: string };

/** A tar archive with these entries, in this order. */
export async function tarOf(files: readonly (readonly [name: string, file: LayerFile | Buffer])[]): Promise<Buffer> {
  const archive = pack();
  for (const [name, file] of files) {
    if (name.endsWith("/")) archive.entry({ name, type: "directory" });
    else if (typeof file === "string" || Buffer.isBuffer(file)) archive.entry({ name }, file);
    else if ("symlink" in file) archive.entry({ name, type: "symlink", linkname: file.symlink });
    else archive.entry({ name, type: "link", linkname: file.hardlink });
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

export function sha256(content: Buffer | string): string {
  return createHash("sha256").update(content).digest("hex");
}

export interface FixtureImage {
  layers: readonly Buffer[];
  /** What each layer is before compression, for `diff_ids`. */
  plainLayers?: readonly Buffer[];
  platform?: { os: string; architecture: string; variant?: string };
  tag?: string;
  labels?: Record<string, string>;
}

/** The files of an OCI image layout that holds these images. */
export function ociLayout(images: readonly FixtureImage[]): Map<string, Buffer> {
  const files = new Map<string, Buffer>([["oci-layout", Buffer.from('{"imageLayoutVersion":"1.0.0"}')]]);
  const store = (content: Buffer) => {
    const digest = sha256(content);
    files.set(`blobs/sha256/${digest}`, content);
    return { digest: `sha256:${digest}`, size: content.length };
  };
  const manifests = images.map(({ layers, plainLayers, platform = { os: "linux", architecture: "amd64" }, tag, labels }) => {
    const diffIds = (plainLayers ?? layers).map((layer) => `sha256:${sha256(layer)}`);
    const config = store(Buffer.from(JSON.stringify({ ...platform, config: { Labels: labels }, rootfs: { type: "layers", diff_ids: diffIds } })));
    const manifest = store(Buffer.from(JSON.stringify({ schemaVersion: 2, config, layers: layers.map(store) })));
    const annotations = tag === undefined ? undefined : { "org.opencontainers.image.ref.name": tag };
    return { mediaType: "application/vnd.oci.image.manifest.v1+json", ...manifest, platform, annotations };
  });
  files.set("index.json", Buffer.from(JSON.stringify({ schemaVersion: 2, manifests })));
  return files;
}

export async function writeFiles(directory: string, files: ReadonlyMap<string, Buffer | string>): Promise<void> {
  for (const [name, content] of files) {
    await mkdir(dirname(join(directory, name)), { recursive: true });
    await writeFile(join(directory, name), content);
  }
}
