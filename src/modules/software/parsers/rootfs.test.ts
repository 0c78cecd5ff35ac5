import { describe, expect, it } from "vitest";
import { apkInstalled, debian, dpkgStatus, osRelease } from "../testing/fixtures.ts";
import type { LayerFile } from "../testing/image-fixture.ts";
import { memoryTree } from "../testing/memory-tree.ts";
import { neededFile, parseRootfs } from "./rootfs.ts";

const parse = async (files: Record<string, LayerFile>, options: Partial<Parameters<typeof parseRootfs>[1]> = {}) =>
  parseRootfs(await memoryTree([files], neededFile), { scope: "image", ...options });
const base = { "usr/lib/os-release": osRelease, "etc/os-release": { symlink: "/usr/lib/os-release" } };
const packageJson = (name: string, version?: string) => JSON.stringify({ name, version });

describe("parseRootfs", () => {
  it("reads os-release through a link and the database of dpkg", async () => {
    const parsed = await parse({ ...base, "var/lib/dpkg/status": dpkgStatus });
    expect(parsed).toMatchObject({ os: debian, notes: [] });
    expect(parsed.components.map(({ name }) => name)).toEqual(["libstdc++6", "bash"]);
  });

  it("reads status.d beside an empty database", async () => {
    const control = "Package: tzdata\nVersion: 2024a-0\nArchitecture: all\n";
    const parsed = await parse({ ...base, "var/lib/dpkg/status": "", "var/lib/dpkg/status.d/tzdata": control, "var/lib/dpkg/status.d/tzdata.md5sums": "0 x\n" });
    expect(parsed.components).toEqual([{ name: "tzdata", version: "2024a-0", purl: "pkg:deb/debian/tzdata@2024a-0?arch=all&distro=debian-12" }]);
  });

  it("reads the database of apk, also below a link", async () => {
    const parsed = await parse({ "etc/os-release": "ID=alpine\nVERSION_ID=3.22\n", "usr/lib/apk/db/installed": apkInstalled, lib: { symlink: "usr/lib" } });
    expect(parsed.components.map(({ purl }) => purl?.split("?")[0])).toEqual(["pkg:apk/alpine/musl-utils@1.2.4-r2", "pkg:apk/alpine/zlib@1.3-r0"]);
  });

  it("finds npm and Python packages, each once, and not those of the distribution", async () => {
    const parsed = await parse({
      "etc/os-release": "ID=alpine\nVERSION_ID=3.18\n",
      "lib/apk/db/installed": apkInstalled,
      "app/node_modules/left-pad/package.json": packageJson("left-pad", "1.3.0"),
      "opt/x/node_modules/left-pad/package.json": packageJson("left-pad", "1.3.0"),
      "app/node_modules/@babel/core/package.json": packageJson("@babel/core", "7.0.0"),
      "app/node_modules/@babel/core/lib/package.json": packageJson("inner", "1.0.0"),
      "app/node_modules/no-version/package.json": packageJson("no-version"),
      "app/package.json": packageJson("own", "1.0.0"),
      "tmp/node_modules/skipped/package.json": packageJson("skipped", "1.0.0"),
      "usr/lib/python3.11/site-packages/owned.dist-info/METADATA": "Name: owned\nVersion: 1\n\n",
      "usr/lib/python3.11/site-packages/Foo_Bar-2.dist-info/METADATA": "Metadata-Version: 2.1\nName: Foo_Bar\nVersion: 2.0\n\nVersion: 9\n",
    });
    expect(parsed.components.slice(2).map(({ purl }) => purl)).toEqual([
      "pkg:npm/left-pad@1.3.0",
      "pkg:pypi/foo-bar@2.0",
      "pkg:npm/%40babel/core@7.0.0",
    ]);
  });

  it("leaves out what dpkg owns", async () => {
    const parsed = await parse({
      ...base,
      "var/lib/dpkg/info/python3-x.list": "/.\n/usr/lib/python3/dist-packages/x.egg-info/PKG-INFO\n",
      "usr/lib/python3/dist-packages/x.egg-info/PKG-INFO": "Name: x\nVersion: 1\n",
      "usr/lib/python3/dist-packages/y.egg-info": "Name: y\nVersion: 1\n",
    });
    expect(parsed.components).toEqual([{ name: "y", version: "1", purl: "pkg:pypi/y@1" }]);
  });

  it("searches no homes and projects on a machine", async () => {
    const files = { ...base, "home/a/node_modules/a/package.json": packageJson("a", "1"), "usr/local/lib/node_modules/b/package.json": packageJson("b", "1") };
    expect((await parse(files, { scope: "machine" })).components.map(({ name }) => name)).toEqual(["b"]);
  });

  it.each([
    ["a database that is not read", { ...base, "var/lib/dpkg/status": dpkgStatus, "var/lib/rpm/rpmdb.sqlite": "x" }, { kind: "unread-package-database", path: "var/lib/rpm/rpmdb.sqlite" }],
    ["no packages", base, { kind: "no-packages" }],
    ["no operating system", { "var/lib/dpkg/status": dpkgStatus }, { kind: "no-operating-system" }],
    ["broken metadata", { ...base, "var/lib/dpkg/status": dpkgStatus, "app/node_modules/a/package.json": "{" }, { kind: "unreadable-file", count: 1, path: "app/node_modules/a/package.json" }],
  ])("notes %s", async (_, files, note) => {
    expect((await parse(files)).notes).toEqual([expect.objectContaining(note)]);
  });

  it("notes where the search stopped", async () => {
    const files = { ...base, "app/a/x.egg-info": "Name: x\n", "app/b/y.egg-info": "Name: y\n", "app/c/z.egg-info": "Name: z\n" };
    expect((await parse(files, { entryLimit: 3 })).notes).toEqual([expect.objectContaining({ kind: "not-searched", count: 2 })]);
  });

  it("takes the given system instead", async () => {
    const parsed = await parse({ ...base, "var/lib/dpkg/status": dpkgStatus }, { os: { id: "ubuntu", versionId: "22.04" } });
    expect(parsed.components[1]?.purl).toBe("pkg:deb/ubuntu/bash@1:5.2~rc1-2%2Bb13?arch=amd64&distro=ubuntu-22.04");
  });

  it.each([
    ["a damaged database", { ...base, "var/lib/dpkg/status": "hello\n" }, { code: "malformed", location: { path: "var/lib/dpkg/status", line: 1 } }],
    ["a damaged os-release", { "etc/os-release": "hello\n" }, { code: "malformed", location: { path: "etc/os-release", line: 1 } }],
    ["what is no root file system", { "a/b": "x" }, { code: "not-this-format" }],
  ])("refuses %s", async (_, files, error) => {
    await expect(parse(files)).rejects.toMatchObject(error);
  });
});
