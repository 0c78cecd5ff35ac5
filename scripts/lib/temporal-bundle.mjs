import { builtinModules, createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

/** Of Node's own modules those for which Temporal's SDK brings one that a sandbox can have. */
const overridden = ["assert", "url", "util"];
/** Their code would run outside of a workflow; the SDK's own packages look for some of them and do without. */
const refused = [...builtinModules, "@temporalio/activity", "@temporalio/client", "@temporalio/worker", "@temporalio/core-bridge", "@temporalio/testing"];
const plain = (request) => request.replace(/^node:/, "");
const isOf = (request, name) => request === name || request.startsWith(`${name}/`);
const ofLibrary = (path) => /[\\/]node_modules[\\/](@temporalio|@protobufjs|protobufjs|long|nexus-rpc)[\\/]/.test(path);

/**
 * The code that Temporal's sandbox runs, as one text in the form that its worker of the SDK 1.24 expects: a global
 * `__TEMPORAL__` of `api`, `importWorkflows` and `importInterceptors`. The SDK's part is run once for each sandbox, the
 * workflows' part anew for each run, so that no run sees what another one's modules hold.
 * @param {string} root - Folder of package.json.
 * @param {string} entry - Path of a module that exports `temporalWorkflow(...)` under `workflowType`.
 * @returns {Promise<string>}
 */
export async function temporalBundle(root, entry) {
  const { resolve } = createRequire(join(root, "package.json"));
  const esbuild = await import(pathToFileURL(resolve("esbuild")).href);
  const worker = dirname(resolve("@temporalio/worker/package.json"));

  const sandbox = {
    name: "sandbox",
    setup(build) {
      build.onResolve({ filter: /^__temporal_custom_/ }, ({ path }) => ({ path, namespace: "nothing" }));
      build.onResolve({ filter: /^(node:)?(assert|url|util)$/ }, ({ path }) => ({ path: join(worker, `lib/workflow/module-overrides/${plain(path)}.js`) }));
      build.onResolve({ filter: /^[@\w]/ }, ({ path, importer }) => {
        const name = plain(path);
        if (overridden.some((one) => isOf(name, one)) || !refused.some((one) => isOf(name, one))) return undefined;
        if (ofLibrary(importer)) return { path, namespace: "nothing" };
        return { errors: [{ text: `${path} is not for workflow code, which does nothing but call steps` }] };
      });
      build.onLoad({ filter: /./, namespace: "nothing" }, () => ({ contents: "module.exports = {};" }));
    },
  };
  const bundled = async (input) => {
    const { outputFiles: [file] } = await esbuild.build({
      absWorkingDir: root, bundle: true, write: false, format: "cjs", platform: "browser", target: "node24", legalComments: "none", logLevel: "silent", plugins: [sandbox], ...input,
    });
    return file.text;
  };

  const sdk = await bundled({
    stdin: {
      resolveDir: root,
      contents: `import * as workflow from "@temporalio/workflow";
        export * as api from "@temporalio/workflow/lib/worker-interface.js";
        import { overrideGlobals } from "@temporalio/workflow/lib/global-overrides.js";
        overrideGlobals();
        export const importWorkflows = () => workflows(() => workflow);
        export const importInterceptors = () => [];`,
    },
  });
  const workflows = await bundled({ entryPoints: [entry], external: ["@temporalio/workflow"] });
  // The worker asks for a source map; this one is empty, and names are left as they are.
  const map = Buffer.from(JSON.stringify({ version: 3, file: "temporal.js", sources: [], names: [], mappings: "" })).toString("base64");
  return `var __TEMPORAL__ = (() => {
// The worker's cache, which has other contents for each run.
const cache = globalThis.__webpack_module_cache__;
function workflows(require) { return (cache.workflows ??= made(require)); }
function made(require) { const module = { exports: {} }, exports = module.exports;
${workflows}
return module.exports; }
const module = { exports: {} }, exports = module.exports;
${sdk}
return module.exports;
})();
//# ${"sourceMappingURL"}=data:application/json;base64,${map}
`;
}
