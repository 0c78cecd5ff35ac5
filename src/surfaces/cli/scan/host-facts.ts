import { availableParallelism, hostname, machine, release, totalmem, type } from "node:os";

/** What this machine is called in the inventory. */
export function hostName(): string {
  return hostname();
}

/** Facts about this machine beside its software. */
export function hostFacts(): Record<string, string | number> {
  return { kernelName: type(), kernel: release(), architecture: machine(), processors: availableParallelism(), memoryBytes: totalmem() };
}
