import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { historyText, recordHistory } from "../../src/platform/workflow/testing/history.ts";
import { declared, scenarios } from "./scenarios.ts";

// Writes the histories that are not there yet. One that is there stands for runs that are under way somewhere.
for (const [{ id }, scenario, code] of scenarios) {
  const definition = code ?? declared.find((one) => one.id === id);
  if (definition === undefined) throw new Error(`there is no workflow ${id}`);
  const name = `${id} ${scenario.about}.json`.replaceAll(/[ ,]+/g, "-");
  const path = join(import.meta.dirname, "recorded", name);
  if (existsSync(path)) continue;
  writeFileSync(path, historyText(await recordHistory(definition, scenario)));
  console.log(name);
}
