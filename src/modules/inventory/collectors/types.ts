import type { Component, OperatingSystem } from "../../software/component.ts";
import type { ParseNote } from "../../software/parsers/notes.ts";

/**
 * What a collector found out about a host beside its software. All are left out where the host does not say.
 * `kernelName`, `kernel`, `architecture`: as uname(1) prints them; `cpus`: CPUs that are online; `memoryBytes`: memory
 * that the kernel manages; `machineIdHash`: HMAC-SHA256 with the machine-id as key; `virtualization`: `none`, or the
 * name of the hypervisor or container runtime; `timezone`: a name of the IANA database.
 */
export interface HostFacts {
  kernelName?: string;
  kernel?: string;
  architecture?: string;
  cpus?: number;
  memoryBytes?: number;
  machineIdHash?: string;
  virtualization?: string;
  timezone?: string;
}

/** A host as `inventory.record-scan` takes it, with what could not be read. */
export interface CollectedHost {
  name: string;
  /** Left out where the host does not tell. */
  kind?: "host" | "container" | "virtual-machine";
  source: "local" | "ssh";
  os?: OperatingSystem;
  components: Component[];
  facts: Record<string, string | number | boolean>;
  notes: ParseNote[];
}
