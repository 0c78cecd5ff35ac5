import { loadTemporal } from "./packages.ts";

/**
 * The code that Temporal's sandbox runs, as one text. Takes seconds: a release makes it once.
 * @param entry - Path of a module that exports `temporalWorkflow(...)` under `workflowType`.
 */
export async function bundleForTemporal(entry: string): Promise<{ code: string }> {
  const { worker: { bundleWorkflowCode, DefaultLogger } } = await loadTemporal();
  const faults: string[] = [];
  const logger = new DefaultLogger("ERROR", ({ message }) => void faults.push(message));
  try {
    const { code } = await bundleWorkflowCode({ workflowsPath: entry, logger });
    return { code };
  } catch (error) {
    throw new Error(`The bundle of the workflows could not be made: ${(error as Error).message}\n${faults.join("\n")}`, { cause: error });
  }
}
