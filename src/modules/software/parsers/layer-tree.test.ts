import { describe, expect, it } from "vitest";
import { memoryTree } from "../testing/memory-tree.ts";
import { type FileTree, listDirectory, readFile } from "./file-tree.ts";

const read = async (tree: FileTree, path: string) => (await readFile(tree, path, 1024))?.toString();
const names = async (tree: FileTree, path: string) => (await listDirectory(tree, path))?.map(({ name }) => name);

describe("layers over one another", () => {
  it("take the last file", async () => {
    const tree = await memoryTree([{ "a/x": "1", "a/y": "1" }, { "./a/x": "2" }]);
    expect([await read(tree, "a/x"), await read(tree, "a/y")]).toEqual(["2", "1"]);
  });

  it("remove what a whiteout names, and keep what the same layer puts there", async () => {
    const below = { "a/x": "1", "b/x": "1", "b/y": "1", "c": "1" };
    const tree = await memoryTree([below, { "b/z": "2", ".wh.b": "", ".wh.a": "", ".wh.nothing": "" }]);
    expect([await names(tree, "a"), await names(tree, "b"), await read(tree, "c")]).toEqual([undefined, ["z"], "1"]);
  });

  it("empty a directory that is opaque, whatever the order", async () => {
    const tree = await memoryTree([{ "a/x": "1", "a/b/y": "1" }, { "a/new": "2", "a/.wh..wh..opq": "", "a/b/z": "2" }]);
    expect([await names(tree, "a"), await names(tree, "a/b")]).toEqual([["b", "new"], ["z"]]);
  });

  it.each([
    ["a file replaces a directory", { "a/x": "1" }, { a: "2" }, "a", "2"],
    ["a directory replaces a link", { "b/x": "1", a: { symlink: "b" } }, { "a/": "", "a/x": "2" }, "b/x", "1"],
    ["a file below a link lands where it leads", { "usr/lib/": "", "usr/lib/k": "1", lib: { symlink: "usr/lib" } }, { "lib/x": "2" }, "usr/lib/x", "2"],
    ["a hard link has the file's content", { "a": "1" }, { b: { hardlink: "a" } }, "b", "1"],
    ["a link out of the root stays in it", { "etc/x": "in" }, { "a": { symlink: "../../../etc" } }, "a/x", "in"],
  ])("%s", async (_, below, above, path, content) => {
    expect(await read(await memoryTree([below, above]), path)).toBe(content);
  });

  it("ends at links in a circle", async () => {
    const tree = await memoryTree([{ a: { symlink: "b" }, b: { symlink: "a" } }, { "a/x": "1" }]);
    expect(await read(tree, "b")).toBeUndefined();
  });

  it("forgets a file that a later layer replaces with one that is not needed", async () => {
    const tree = await memoryTree([{ "a/keep": "1" }, { a: "2" }], (path) => (path === "a/keep" ? "content" : undefined));
    expect(await names(tree, "")).toEqual([]);
  });

  it("says which hard links lead to files that were not kept", async () => {
    const tree = await memoryTree([{ store: "1", keep: { hardlink: "store" } }], (path) => (path === "keep" ? "content" : undefined));
    expect(tree.lostLinks()).toEqual(["keep"]);
  });

  it.each([
    ["a path that leads out", { "a/../../x": "1" }, "malformed"],
    ["a file over the limit", { x: "1".repeat(1025) }, "too-large"],
    ["too much in all", Object.fromEntries(Array.from({ length: 9 }, (_, index) => [`f${index}`, "1".repeat(1000)])), "too-large"],
    ["too many entries", Object.fromEntries(Array.from({ length: 101 }, (_, index) => [`f${index}`, ""])), "too-large"],
  ])("refuse %s", async (_, layer, code) => {
    await expect(memoryTree([layer])).rejects.toMatchObject({ code });
  });
});
