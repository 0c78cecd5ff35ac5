import { describe, expect, it } from "vitest";
import { neededFile } from "../../software/parsers/rootfs.ts";
import { collectScript, notedFiles } from "./ssh-script.ts";

describe("collectScript", () => {
  it("notes the package databases that the reader of root file systems notes", () => {
    expect(notedFiles.filter((path) => neededFile(path) !== "presence")).toEqual([]);
  });

  it("holds its mark apart, so that a host that sends the script back is not taken for an answer", () => {
    const nonce = "a".repeat(32);
    expect(collectScript(nonce)).toContain(`nonce=${nonce}`);
    expect(collectScript(nonce)).not.toContain(`qinfra-answer ${nonce}`);
  });

  it("takes nothing as its nonce that a shell could run", () => {
    expect(() => collectScript("$(id)")).toThrow("32 hexadecimal digits");
  });
});
