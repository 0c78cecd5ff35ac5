import { run } from "./run.mjs";

/** Rejects where that Java is older than `who` needs. */
export async function checkJava(java, needed, who) {
  const said = await run(java, ["-version"], { minutes: 1 });
  const major = Number(said.match(/version "(\d+)/)?.[1]);
  if (!(major >= needed)) throw new Error(`${who} needs Java ${needed} or later; ${java} is ${said.split("\n")[0].trim()}`);
}
