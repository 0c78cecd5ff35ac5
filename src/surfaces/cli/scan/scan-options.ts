import { CollectError } from "../../../modules/inventory/collectors/collect-error.ts";
import type { SshOptions } from "../../../modules/inventory/collectors/ssh.ts";
import { parseSshTarget } from "../../../modules/inventory/collectors/ssh-target.ts";
import type { OperatingSystem } from "../../../modules/software/component.ts";
import type { SoftwareInput } from "../../../modules/software/parse-input.ts";
import type { FailOn } from "../../../modules/vulnerabilities/domain/report.ts";
import { CliError } from "../errors.ts";
import type { ScanFormat } from "./formats.ts";

/** What is registered or recorded on the server beside the scan. */
export type Recording = { kind: "image"; family: string; version: string } | { kind: "asset"; name?: string };

/** A host is this machine, or one that ssh reaches. */
export type ScanInput = Exclude<SoftwareInput, { kind: "host" }> | { kind: "host"; ssh?: { target: string; options: SshOptions } };

export interface ScanOptions {
  input: ScanInput;
  /** Match in this process, with these feeds or with those of the cache. */
  local: boolean;
  advisories?: readonly string[];
  /** What the options ask for; that of a host depends on whether there is a server. */
  recording?: Recording;
  format: ScanFormat;
  failOn?: FailOn;
  strict: boolean;
  ignoreUnknownSeverity: boolean;
}

type Given = Record<string, unknown>;

/** The options of `qinfra scan`, checked against one another. Throws CliError. */
export function scanOptions(given: Given): ScanOptions {
  const input = inputOf(given);
  const advisories = given["advisories"] as string[] | undefined;
  const local = given["local"] === true || advisories !== undefined;
  const recording = recordingOf(given, input);
  if (local && recording !== undefined) {
    throw usage(`--${recording.kind === "image" ? "as-image" : "as-asset"} records on a server, and ${advisories === undefined ? "--local" : "--advisories"} means without one.`, "leave one of them out");
  }
  if ("path" in input && input.path === "-" && advisories?.includes("-") === true) throw usage("Standard input cannot be both the input and the advisories.", "give one of them as a file");
  return {
    input, local, format: given["output"] as ScanFormat,
    ...(advisories !== undefined && { advisories }),
    ...(recording !== undefined && { recording }),
    ...(given["failOn"] !== undefined && { failOn: given["failOn"] as FailOn }),
    strict: given["strict"] === true,
    ignoreUnknownSeverity: given["ignoreUnknownSeverity"] === true,
  };
}

const inputFlags = { host: "--host", rootfs: "--rootfs", ociLayout: "--oci-layout", dpkgStatus: "--dpkg-status", sbom: "--sbom" } as const;

function inputOf(given: Given): ScanInput {
  const chosen = (Object.keys(inputFlags) as (keyof typeof inputFlags)[]).filter((key) => given[key] !== undefined);
  const [key] = chosen;
  if (key === undefined || chosen.length > 1) {
    const all = Object.values(inputFlags).join(", ");
    throw usage(key === undefined ? "There is nothing to scan." : `${chosen.map((each) => inputFlags[each]).join(" and ")} are given together.`, `give exactly one of ${all}`);
  }
  const path = String(given[key]);
  const os = given["os"] === undefined ? {} : { os: operatingSystem(String(given["os"])) };
  const { platform, image } = given as { platform?: string; image?: string };
  if (key !== "ociLayout" && (platform !== undefined || image !== undefined)) throw usage("--platform and --image choose an image of --oci-layout.", "leave them out");
  if (path === "-" && key === "rootfs") throw usage("--rootfs needs a directory.", "pack it as an image and give --oci-layout -, or name the directory");
  const ssh = sshOptions(given);
  if (Object.keys(ssh).length > 0 && (key !== "host" || path === "local")) throw usage("--identity and --known-hosts are for --host user@host.", "leave them out");
  switch (key) {
    case "host":
      if (given["os"] !== undefined) throw usage("--os is not for --host, which knows its system.", "leave it out");
      return hostOf(path, ssh);
    case "rootfs":
      return { kind: "rootfs", path, ...os };
    case "ociLayout":
      return { kind: "oci-layout", path, ...os, ...(platform !== undefined && { platform }), ...(image !== undefined && { image }) };
    case "sbom":
      return { kind: "sbom", path, ...os };
    case "dpkgStatus":
      if (os.os === undefined) throw usage("A dpkg status file does not say which system it is from.", "add --os, for example --os debian:12");
      return { kind: "dpkg-status", path, os: os.os };
  }
}

function sshOptions({ identity, knownHosts }: { identity?: string; knownHosts?: string }): SshOptions {
  return { ...(identity !== undefined && { identityFile: identity }), ...(knownHosts !== undefined && { knownHostsFile: knownHosts }) };
}

function hostOf(name: string, options: SshOptions): ScanInput {
  if (name === "local") return { kind: "host" };
  try {
    parseSshTarget(name);
  } catch (error) {
    if (!(error instanceof CollectError)) throw error;
    throw usage(error.message, `${error.next ?? "check the name"}; --host local is this machine`);
  }
  return { kind: "host", ssh: { target: name, options } };
}

/** `debian:12`, or `arch` for a rolling release. */
function operatingSystem(text: string): OperatingSystem {
  const match = /^([a-z0-9][a-z0-9._-]*)(?::([A-Za-z0-9][A-Za-z0-9._-]*))?$/.exec(text);
  if (match?.[1] === undefined) throw usage(`"${text}" is not an operating system.`, "give ID:VERSION as os-release names them, for example debian:12");
  return { id: match[1], versionId: match[2] ?? "" };
}

function recordingOf(given: Given, input: ScanInput): Recording | undefined {
  const { asImage, asAsset } = given as { asImage?: string; asAsset?: string };
  if (asImage !== undefined && asAsset !== undefined) throw usage("--as-image and --as-asset are given together.", "give one of them");
  if (asAsset !== undefined) return { kind: "asset", name: asAsset };
  if (asImage === undefined) return undefined;
  if (input.kind === "host") throw usage("A running machine is no image.", "use --as-asset, or scan its root file system: --rootfs / --as-image FAMILY:VERSION");
  const match = /^([^:]+):(.+)$/.exec(asImage);
  if (match?.[1] === undefined || match[2] === undefined) throw usage(`"${asImage}" names no version of an image.`, "give --as-image FAMILY:VERSION, for example debian-server:2026.11.1");
  return { kind: "image", family: match[1], version: match[2] };
}

function usage(message: string, next: string): CliError {
  return new CliError(message, { next });
}
