/**
 * Resolves with the first reason to stop: a signal, or the end of the process that started us (the IPC channel of
 * scripts/up.mjs closes when that one is killed). A second signal ends the process at once.
 */
export function stopRequested(): Promise<string> {
  return new Promise((resolve) => {
    let asked = false;
    function stop(reason: string): void {
      if (asked) process.exit(130);
      asked = true;
      resolve(reason);
    }
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => stop(signal));
    if (process.channel !== undefined && process.channel !== null) {
      process.once("disconnect", () => resolve("the starting process ended"));
      process.channel.unref();
    }
  });
}
