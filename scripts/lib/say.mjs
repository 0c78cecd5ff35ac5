/** What went wrong in words for the user; anything else that is thrown is a defect and keeps its stack. */
export class Failure extends Error {}

/** Standard output belongs to the program that is started; what the scripts say goes to standard error. */
export function say(text) {
  process.stderr.write(`${text}\n`);
}

/** Runs a script's main function; its result is the exit code. */
export async function runScript(main) {
  try {
    process.exitCode = (await main(process.argv.slice(2))) ?? 0;
  } catch (error) {
    say(error instanceof Failure ? error.message : error.stack);
    process.exitCode = 1;
  }
}

export function seconds(since) {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}

/** What a failed system call means, or undefined. */
export function explainFileError(error, what) {
  const path = error?.path ? ` (${error.path})` : "";
  switch (error?.code) {
    case "ENOSPC":
    case "EDQUOT":
      return new Failure(`${what}: the disk is full${path}. Free some space and run this again; it goes on from what is complete.`);
    case "EACCES":
    case "EPERM":
      return new Failure(`${what}: this user may not write there${path}. Run this as the owner of the checkout, or clone it to a folder of your own.`);
    case "EROFS":
      return new Failure(`${what}: the file system is read-only${path}. Clone to a folder that can be written.`);
    default:
      return undefined;
  }
}
