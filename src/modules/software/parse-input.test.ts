import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { parseInput } from "./parse-input.ts";
import { cycloneDx, debian, dpkgStatus, osRelease } from "./testing/fixtures.ts";
import { ociLayout, sha256, tarOf, writeFiles } from "./testing/image-fixture.ts";

let folder = "";
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "qinfra-test-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const file = async (name: string, content: Buffer | string) => {
  await writeFiles(folder, new Map([[name, content]]));
  return join(folder, name);
};

describe("a dpkg status file", () => {
  it.each([
    ["plain", (text: string) => Buffer.from(text)],
    ["gzip", gzipSync],
    ["zstd", zstdCompressSync],
  ])("is read %s, from a file and from standard input", async (_, pack) => {
    const path = await file("status", pack(dpkgStatus));
    const fromFile = await parseInput({ kind: "dpkg-status", path, os: debian });
    const stdin = Readable.from([...pack(dpkgStatus)].map((byte) => Buffer.from([byte])));
    const fromStdin = await parseInput({ kind: "dpkg-status", path: "-", os: debian }, { stdin });
    expect(fromFile.components).toHaveLength(2);
    expect(fromStdin).toEqual(fromFile);
  });

  it("is refused where it cannot be read, saying why", async () => {
    const parse = (path: string) => parseInput({ kind: "dpkg-status", path, os: debian });
    const cut = await file("cut.gz", gzipSync(dpkgStatus).subarray(0, 60));
    const bent = await file("bent", "hello\n");
    await expect(parse(join(folder, "none"))).rejects.toMatchObject({ code: "not-found", location: { path: join(folder, "none") } });
    await expect(parse(folder)).rejects.toMatchObject({ code: "is-a-directory" });
    await expect(parse(cut)).rejects.toMatchObject({ code: "truncated", location: { path: cut } });
    await expect(parse(bent)).rejects.toMatchObject({ code: "malformed", location: { path: bent, line: 1 } });
  });

  it.skipIf(process.getuid?.() === 0)("is refused without permission (skipped for root, who may read all)", async () => {
    const path = await file("closed", dpkgStatus);
    await chmod(path, 0);
    await expect(parseInput({ kind: "dpkg-status", path, os: debian })).rejects.toMatchObject({ code: "no-permission" });
  });
});

it("reads an SBOM", async () => {
  const path = await file("bom.json", JSON.stringify(cycloneDx));
  expect(await parseInput({ kind: "sbom", path })).toMatchObject({ os: debian, components: { length: 3 }, notes: [] });
});

describe("a root file system", () => {
  it("is read without ever leaving it", async () => {
    const outside = await file("outside/var/lib/dpkg/status", dpkgStatus);
    const root = join(folder, "root");
    await writeFiles(root, new Map([["usr/lib/os-release", osRelease], ["state/status", "Package: inside\nStatus: install ok installed\nVersion: 1\n"]]));
    await mkdir(join(root, "etc"));
    await symlink("/usr/lib/os-release", join(root, "etc/os-release"));
    await mkdir(join(root, "var/lib/dpkg"), { recursive: true });
    await symlink("../../../../../../../state/status", join(root, "var/lib/dpkg/status"));
    await symlink(join(folder, "outside"), join(root, "opt"));
    const parsed = await parseInput({ kind: "rootfs", path: root });
    expect(parsed.components.map(({ name }) => name)).toEqual(["inside"]);

    await rm(join(root, "var/lib/dpkg/status"));
    await symlink(outside, join(root, "var/lib/dpkg/status"));
    expect((await parseInput({ kind: "rootfs", path: root })).components).toEqual([]);
  });

  it("is refused where it is none", async () => {
    await writeFiles(folder, new Map([["etc/os-release", "hello\n"]]));
    const broken = { code: "malformed", location: { path: join(folder, "etc/os-release"), line: 1 } };
    await expect(parseInput({ kind: "rootfs", path: folder })).rejects.toMatchObject(broken);
    await expect(parseInput({ kind: "rootfs", path: join(folder, "etc/os-release") })).rejects.toMatchObject({ code: "not-a-directory" });
    await expect(parseInput({ kind: "rootfs", path: join(folder, "none") })).rejects.toMatchObject({ code: "not-found" });
  });
});

describe("an image", () => {
  const lower = () => tarOf([["etc/os-release", osRelease], ["var/lib/dpkg/status", "Package: a\nStatus: install ok installed\nVersion: 1\n\n"], ["app/node_modules/x/package.json", '{"name":"x","version":"1.0.0"}']]);
  const upper = () => tarOf([["./var/lib/dpkg/status", dpkgStatus], ["app/.wh.node_modules", ""]]);
  const asTar = (files: ReadonlyMap<string, Buffer | string>) => tarOf([...files].map(([name, content]) => [name, content] as const));
  const names = async (path: string, choice: { platform?: string; image?: string } = {}) =>
    (await parseInput({ kind: "oci-layout", path, ...choice })).components.map(({ name }) => name);

  it("is read from a directory, with what it says of itself", async () => {
    const plainLayers = [await lower(), await upper()];
    const layers = [gzipSync(plainLayers[0] ?? ""), zstdCompressSync(plainLayers[1] ?? "")];
    await writeFiles(folder, ociLayout([{ layers, plainLayers, tag: "web:1", labels: { team: "a" } }]));
    const parsed = await parseInput({ kind: "oci-layout", path: folder });
    expect(parsed).toMatchObject({
      os: debian,
      components: [{ name: "libstdc++6" }, { name: "bash" }],
      notes: [],
      image: { platform: "linux/amd64", tags: ["web:1"], labels: { team: "a" }, digest: expect.stringMatching(/^sha256:[0-9a-f]{64}$/) },
    });
  });

  it.each([["a tar archive", (tar: Buffer) => tar], ["a compressed tar archive", gzipSync]])("is read from %s, leaving nothing behind", async (_, pack) => {
    const path = await file("image.tar", pack(await asTar(ociLayout([{ layers: [await lower(), await upper()] }]))));
    const unpacked = await mkdtemp(join(tmpdir(), "qinfra-unpacked-"));
    vi.stubEnv("TMPDIR", unpacked);
    expect(await names(path)).toEqual(["libstdc++6", "bash"]);
    vi.unstubAllEnvs();
    expect(await readdir(unpacked)).toEqual([]);
    await rm(unpacked, { recursive: true });
  });

  it("is read from an old docker save archive, whose layers are checked by diff_ids", async () => {
    const layers = [await lower(), await upper()];
    const config = JSON.stringify({ os: "linux", architecture: "amd64", rootfs: { diff_ids: layers.map((layer) => `sha256:${sha256(layer)}`) } });
    const manifest = JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: ["web:1"], Layers: ["one/layer.tar", "two/layer.tar"] }]);
    const files = new Map<string, Buffer | string>([["one/layer.tar", layers[0] ?? ""], ["two/layer.tar", layers[1] ?? ""], [`${sha256(config)}.json`, config], ["manifest.json", manifest]]);
    expect(await names(await file("image.tar", await asTar(files)))).toEqual(["libstdc++6", "bash"]);
    files.set("two/layer.tar", layers[0] ?? "");
    await expect(names(await file("bad.tar", await asTar(files)))).rejects.toMatchObject({ code: "digest-mismatch" });
  });

  it("is chosen by platform and tag", async () => {
    const [one, two, three] = [await lower(), await upper(), await tarOf([["etc/os-release", osRelease]])];
    const arm = { os: "linux", architecture: "arm64", variant: "v8" };
    await writeFiles(folder, ociLayout([{ layers: [one], tag: "a" }, { layers: [three, two], tag: "a", platform: arm }]));
    expect(await names(folder)).toEqual(["a", "x"]);
    expect(await names(folder, { platform: "linux/arm64" })).toEqual(["libstdc++6", "bash"]);
    const offered = expect.stringContaining("linux/amd64 (a), linux/arm64/v8 (a)");
    await expect(names(folder, { platform: "linux/s390x" })).rejects.toMatchObject({ code: "ambiguous-image", message: offered });
    await writeFiles(folder, ociLayout([{ layers: [one], tag: "a" }, { layers: [three, two], tag: "b" }]));
    await expect(names(folder)).rejects.toMatchObject({ code: "ambiguous-image" });
    expect(await names(folder, { image: "b" })).toEqual(["libstdc++6", "bash"]);
  });

  it("is refused where it is damaged", async () => {
    const layer = await lower();
    const layerName = `blobs/sha256/${sha256(layer)}`;
    const files = ociLayout([{ layers: [layer] }]);
    await writeFiles(folder, files);
    await writeFile(join(folder, layerName), await upper());
    await expect(names(folder)).rejects.toMatchObject({ code: "digest-mismatch", location: { path: join(folder, layerName) } });
    await writeFile(join(folder, layerName), layer.subarray(0, 700));
    await expect(names(folder)).rejects.toMatchObject({ code: "truncated" });
    await rm(join(folder, layerName));
    await expect(names(folder)).rejects.toMatchObject({ code: "not-found", location: { path: join(folder, layerName) } });
    const tar = await asTar(files);
    await expect(names(await file("cut.tar", tar.subarray(0, tar.length - 4000)))).rejects.toMatchObject({ code: expect.stringMatching(/truncated|not-found|not-this-format/) });
    await expect(names(await file("no.tar", "hello"))).rejects.toMatchObject({ code: expect.stringMatching(/malformed|truncated/) });
    await expect(names(await file("empty/x", ""))).rejects.toMatchObject({ code: expect.stringMatching(/./) });
  });
});
