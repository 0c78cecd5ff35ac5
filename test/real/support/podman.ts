import { execFile } from "node:child_process";
import { cp, mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { program } from "./peer.ts";
import { temporaryFolder } from "./process.ts";

const exec = promisify(execFile);

export interface Outcome {
  code: number;
  stdout: string;
  stderr: string;
}

/** Podman over a storage of its own, so that nothing of the machine's containers is seen or left. */
export interface Podman {
  folder: string;
  /** Output of a command that succeeds; rejects with its errors otherwise. */
  run(...args: string[]): Promise<string>;
  /** Whatever comes of it. */
  ask(...args: string[]): Promise<Outcome>;
  remove(): Promise<void>;
}

export async function openPodman(): Promise<Podman> {
  const { path: folder, remove } = await temporaryFolder("podman");
  const flags = ["--root", join(folder, "storage"), "--runroot", join(folder, "run"), "--runtime", program("podman", "runc"), "--cgroup-manager", "cgroupfs", "--storage-driver", "vfs", "--events-backend", "file"];
  const podman = (args: readonly string[]) => exec(program("podman"), [...flags, ...args], { timeout: 400_000, maxBuffer: 16 * 1024 * 1024 });
  return {
    folder,
    async run(...args) {
      try {
        return (await podman(args)).stdout.trim();
      } catch (error) {
        const { stdout, stderr, message } = error as Error & Partial<Outcome>;
        throw new Error(`podman ${args[0]}: ${stderr === undefined || stderr === "" ? message : stderr}\n${stdout ?? ""}`, { cause: error });
      }
    },
    async ask(...args) {
      try {
        return { code: 0, ...(await podman(args)) };
      } catch (error) {
        const { code, stdout = "", stderr = "" } = error as { code: unknown; stdout?: string; stderr?: string };
        if (typeof code !== "number") throw error;
        return { code, stdout, stderr };
      }
    },
    async remove() {
      await podman(["rm", "--all", "--force", "--time", "0"]);
      await remove();
    },
  };
}

/**
 * An image with a C library and nothing else, made of this machine's files: what a base such as distroless/cc is, where
 * no registry can be asked. With `files`, paths in the image by where they lie here.
 */
export async function importBase(podman: Podman, name: string, ofProgram: string, files: Readonly<Record<string, string>> = {}): Promise<void> {
  const rootfs = join(podman.folder, `rootfs-${name}`);
  const { stdout } = await exec("ldd", [ofProgram], { timeout: 20_000 });
  const libraries = [...stdout.matchAll(/(\/\S+) \(0x/g)].map(([, path]) => path as string);
  for (const [from, to] of [...libraries.map((path) => [path, path] as const), ...Object.entries(files)]) {
    await mkdir(dirname(join(rootfs, to)), { recursive: true });
    await cp(from, join(rootfs, to), { dereference: true, recursive: true });
  }
  for (const folder of ["tmp", "proc", "sys", "dev", "etc"]) await mkdir(join(rootfs, folder), { recursive: true });
  const tar = join(podman.folder, `${name}.tar`);
  await exec("tar", ["--create", "--file", tar, "--owner=0", "--group=0", "--numeric-owner", "--directory", rootfs, "."], { timeout: 120_000 });
  await podman.run("import", "--quiet", tar, `localhost/${name}:1`);
}
