/**
 * Runs of the new bundle that finish a build, in order, before it replaces the old one. `args` gets the folder of the
 * new build; what they write there becomes part of `dist`.
 * @type {{ title: string, args: (out: string) => string[] }[]}
 */
export const afterBuild = [
  { title: "operations.json, from which the CLI starts", args: (out) => ["goldens", "--manifest", `${out}/operations.json`] },
];
