import { createHmac } from "node:crypto";
import type { CollectedHost, HostFacts } from "./types.ts";

/** What a host says of itself, as text of its own files and commands. */
export const rawFactNames = [
  "fqdn", "node", "sysname", "release", "machine", "cpus-online", "cpus-count", "meminfo", "machine-id", "cpu-flags", "sys-vendor", "product-name",
  "hypervisor-type", "container", "dockerenv", "containerenv", "cgroup", "localtime", "timezone",
] as const;
export type RawFactName = (typeof rawFactNames)[number];
export type RawFacts = ReadonlyMap<RawFactName, string>;

/** The files that say them, the same for every collector. */
export const rawFactFiles = {
  "cpus-online": "/sys/devices/system/cpu/online",
  meminfo: "/proc/meminfo",
  "machine-id": "/etc/machine-id",
  "sys-vendor": "/sys/class/dmi/id/sys_vendor",
  "product-name": "/sys/class/dmi/id/product_name",
  "hypervisor-type": "/sys/hypervisor/type",
  container: "/run/systemd/container",
  cgroup: "/proc/1/cgroup",
  timezone: "/etc/timezone",
} as const satisfies Partial<Record<RawFactName, string>>;

export function factsOf(raw: RawFacts): HostFacts {
  const facts: { [Name in keyof HostFacts]: HostFacts[Name] | undefined } = {
    kernelName: line(raw.get("sysname")),
    kernel: line(raw.get("release")),
    architecture: line(raw.get("machine")),
    cpus: cpusOf(raw),
    memoryBytes: memoryOf(raw.get("meminfo")),
    machineIdHash: machineIdHash(raw.get("machine-id")),
    virtualization: containerOf(raw) ?? hypervisorOf(raw),
    timezone: timezoneOf(raw),
  };
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined)) as HostFacts;
}

export function kindOf(raw: RawFacts): CollectedHost["kind"] {
  if (containerOf(raw) !== undefined) return "container";
  const hypervisor = hypervisorOf(raw);
  if (hypervisor === undefined) return undefined;
  return hypervisor === "none" ? "host" : "virtual-machine";
}

/** The name with its domain, unless that is only the name of the loopback address. Undefined where no name is one. */
export function hostNameOf(raw: RawFacts): string | undefined {
  const names = [line(raw.get("fqdn")), line(raw.get("node"))].filter((name) => name !== undefined && /^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(name));
  return names.find((name) => !/^localhost(?:$|\.)/.test(name ?? "")) ?? names.at(-1);
}

function line(text: string | undefined): string | undefined {
  const first = (text ?? "").split("\n", 1)[0]?.replace(/\p{C}/gu, "").trim().slice(0, 200);
  return first === "" ? undefined : first;
}

/** A list of ranges (`0-3,6`), as the kernel's cputopology.rst describes it; else a plain number. */
function cpusOf(raw: RawFacts): number | undefined {
  const ranges = line(raw.get("cpus-online"))?.split(",").map((range) => /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(range));
  const count = ranges?.reduce((sum, range) => sum + (range ? Number(range[2] ?? range[1]) - Number(range[1]) + 1 : Number.NaN), 0);
  if (count !== undefined && count > 0) return count;
  const counted = line(raw.get("cpus-count"));
  return counted !== undefined && /^[1-9]\d{0,5}$/.test(counted) ? Number(counted) : undefined;
}

function memoryOf(meminfo: string | undefined): number | undefined {
  const kilobytes = /^MemTotal:\s*(\d{1,15}) kB$/m.exec(meminfo ?? "")?.[1];
  return kilobytes === undefined ? undefined : Number(kilobytes) * 1024;
}

/** machine-id(5): the id is confidential; what leaves the host is a keyed hash of a constant with the id as the key. */
function machineIdHash(text: string | undefined): string | undefined {
  const id = line(text);
  if (id === undefined || !/^[0-9a-f]{32}$/.test(id)) return undefined;
  return createHmac("sha256", id).update("qinfra.quantumlayer.io/machine").digest("hex");
}

function containerOf(raw: RawFacts): string | undefined {
  const named = line(raw.get("container"));
  if (named !== undefined) return named;
  if (raw.has("dockerenv")) return "docker";
  if (raw.has("containerenv")) return "podman";
  return /(?:^|[/:.-])(kubepods|docker|containerd|lxc|libpod)(?!\.service)(?=[/:.-]|$)/m.exec(raw.get("cgroup") ?? "")?.[1];
}

/** What the firmware of a virtual machine calls itself, by vendor and product. */
const hypervisors: readonly [name: string, pattern: RegExp][] = [
  ["amazon", /Amazon EC2/],
  ["google", /Google Compute Engine/],
  ["openstack", /OpenStack/],
  ["vmware", /VMware/],
  ["virtualbox", /VirtualBox|innotek/],
  ["hyper-v", /Microsoft Corporation Virtual Machine/],
  ["parallels", /Parallels/],
  ["bhyve", /BHYVE/i],
  ["xen", /\bXen\b|HVM domU/],
  ["kvm", /\bKVM\b|QEMU|Red Hat|Apple Virtualization/],
];

/** `none` only where the processor says that nothing lies below the kernel; undefined where nobody says anything. */
function hypervisorOf(raw: RawFacts): string | undefined {
  const flags = raw.get("cpu-flags");
  const under = flags === undefined ? undefined : /\bhypervisor\b/.test(flags);
  const firmware = `${line(raw.get("sys-vendor")) ?? ""} ${line(raw.get("product-name")) ?? ""}`;
  // EC2 also rents out whole machines, whose firmware says the same.
  const known = under === false ? undefined : hypervisors.find(([, pattern]) => pattern.test(firmware))?.[0];
  if (known !== undefined) return known;
  const type = line(raw.get("hypervisor-type"));
  if (type !== undefined) return type;
  return under === undefined ? undefined : under ? "unknown hypervisor" : "none";
}

/** localtime(5): a link into the zoneinfo folder; no link means UTC. Undefined where it is a copy without a name. */
function timezoneOf(raw: RawFacts): string | undefined {
  const localtime = line(raw.get("localtime"));
  const zone = localtime === "missing" ? "UTC" : /zoneinfo\/(?:posix\/|right\/)?([A-Za-z0-9+_/-]{1,64})$/.exec(localtime ?? "")?.[1];
  const named = line(raw.get("timezone"));
  if (zone !== undefined && localtime !== "missing") return zone;
  return named !== undefined && /^[A-Za-z0-9+_/-]{1,64}$/.test(named) ? named : zone;
}
