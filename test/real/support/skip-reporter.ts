import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Prints, at the end of the run, each skipped suite or test once, under the name that holds its reason. */
function skipReporter(): Reporter {
  return {
    onTestRunEnd(modules) {
      const skipped = new Map<string, number>();
      for (const module of modules) {
        for (const test of module.children.allTests("skipped")) {
          const name = reasonOf(test, module);
          skipped.set(name, (skipped.get(name) ?? 0) + 1);
        }
      }
      for (const [name, count] of skipped) process.stdout.write(`skipped (${count}): ${name}\n`);
    },
  };
}

/** The outermost suite that is skipped as a whole says why; otherwise the test itself does. */
function reasonOf(test: TestCase, module: TestModule): string {
  const ancestors: string[] = [];
  for (let node = test.parent; node.type === "suite"; node = node.parent) ancestors.unshift(node.name);
  const withReason = ancestors.find((name) => name.includes("skipped:"));
  return withReason ?? `${module.relativeModuleId}: ${[...ancestors, test.name].join(" > ")}`;
}

export default skipReporter; // vitest loads a reporter by the default export of its file
