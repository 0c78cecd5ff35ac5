import type { PureOperation } from "../platform/operation/pure.ts";

/** Pure operations, each loaded only when it is called: the CLI runs them in its own process, without a server. */
const pureOperations: Readonly<Record<string, () => Promise<PureOperation>>> = {
  "versions.compare": async () => (await import("../modules/vulnerabilities/operations/compare-versions.ts")).compareVersions,
};

export const pureOperationIds: readonly string[] = Object.keys(pureOperations);

export async function pureHandler(id: string): Promise<((input: Record<string, unknown>) => Promise<unknown>) | undefined> {
  const operation = await pureOperations[id]?.();
  if (operation === undefined) return undefined;
  return async (input) => {
    const { validateInput } = await import("../platform/operation/validate.ts");
    return operation.compute(validateInput(operation.input, input, { fromText: false }) as Record<string, unknown>);
  };
}
