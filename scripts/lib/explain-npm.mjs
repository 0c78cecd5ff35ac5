import { Failure } from "./say.mjs";

const causes = [
  [/ENOSPC|no space left/i, () => "the disk is full. About 800 MB are needed, npm's cache included: free some space and run this again."],
  [/EDQUOT/, () => "the disk quota is used up. Free some space and run this again."],
  [/EROFS/, (root) => `${root} is on a read-only file system. Clone to a folder that can be written.`],
  [/EACCES|EPERM/, (root) => `this user may not write to ${root} or to npm's cache. Run this as the owner of both, or name another cache folder in npm_config_cache.`],
  [/EINTEGRITY/, () => "a downloaded package is not the one that package-lock.json names. Run npm cache verify, check the registry or mirror that npm uses (npm config get registry), and run this again."],
  [/EUSAGE/, () => "package.json and package-lock.json do not agree. Run npm install, and commit both."],
  [/E401|E403|ENEEDAUTH/, () => "the registry refuses access. Check npm config get registry and its credentials."],
  [/E404|ETARGET/, () => "the registry does not have one of the packages. Check npm config get registry: a mirror may lag behind."],
  [/ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|EHOSTUNREACH|ENOTCACHED|ERR_SOCKET|network|CERT/i, () => "the package registry cannot be reached. Check the network, and proxy and registry of npm (npm config list); then run this again."],
];

/** What npm's words mean for the user, and the way out. */
export function explainNpm(said, root) {
  const cause = causes.find(([pattern]) => pattern.test(said));
  const words = said.split("\n").map((line) => line.replace(/^npm (error|warn) ?/, "").trim()).filter((line) => line !== "" && !/complete log of this run|^A complete/.test(line));
  const meaning = cause === undefined ? "npm ci failed." : cause[1](root);
  if (words.length < 2) return new Failure(`Installing packages failed: ${meaning}`);
  return new Failure(`Installing packages failed: ${meaning}\nnpm said:\n${words.slice(0, 8).map((line) => `  ${line}`).join("\n")}`);
}
