// The code of the documents in docs. Each block is a file, whose name is in the comment on its first line. They are bundled
// here as a user's tools do it.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build } from "esbuild";
import { compile as compileSvelte } from "svelte/compiler";
import { compileScript, parse as parseVue } from "vue/compiler-sfc";

const js = fileURLToPath(new URL("../", import.meta.url));

/** The documents for frameworks, with the file in which their code starts. */
export const recipes = { react: "main.jsx", svelte: "main.js", vue: "main.js" };

/** Returns the files in a document, by name. Blocks in the languages `others` are not files. */
export function readRecipe(name, others = []) {
  const files = new Map();
  for (const [, language, code] of readFileSync(`${js}docs/${name}.md`, "utf8").matchAll(/^```(\w*)\n(.*?)^```$/gms)) {
    if (others.includes(language)) continue;
    const [, file, ending] = /^(?:\/\/|<!--) ([\w-]+\.(\w+))\b/.exec(code) ?? [];
    if (ending?.replace("mjs", "js") !== language || files.has(file)) throw new Error(`docs/${name}.md: a block does not begin with a new name:\n${code}`);
    files.set(file, code);
  }
  return files;
}

/** Bundles files for browsers, from `entry` on. The page imports `xmpp-pam` from `client`. */
export const bundle = (files, entry, client = "xmpp-pam") => run(files, entry, client, { conditions: ["browser"] });

/** Bundles files for a server, and imports them here. */
export async function importOnServer(files, entry, name) {
  mkdirSync(`${js}build/recipes`, { recursive: true });
  const path = `${js}build/recipes/${name}.mjs`;
  writeFileSync(path, await run(files, entry, undefined, { platform: "node", packages: "external" }));
  return import(pathToFileURL(path).href);
}

/** Without `client` the result runs on a server. */
async function run(files, entry, client, options) {
  const plugin = {
    name: "recipe",
    setup(b) {
      const find = ({ path }) => (files.has(path.replace("./", "")) ? { path: path.replace("./", ""), namespace: "recipe" } : undefined);
      b.onResolve({ filter: /^\.\/[^/]+$/ }, (args) => (args.namespace === "recipe" || args.kind === "entry-point" ? find(args) : undefined));
      if (client) b.onResolve({ filter: /^xmpp-pam$/ }, () => ({ path: client, external: true }));
      b.onLoad({ filter: /./, namespace: "recipe" }, ({ path }) => ({ ...compile(files.get(path), path, !client), resolveDir: js }));
    },
  };
  const { outputFiles: [{ text }] } = await build({
    entryPoints: [`./${entry}`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    jsx: "automatic",
    define: {
      "process.env.NODE_ENV": '"development"', "import.meta.hot": "globalThis.hot", __VUE_OPTIONS_API__: "false",
      __VUE_PROD_DEVTOOLS__: "false", __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
    },
    plugins: [plugin],
    logLevel: "silent", // a failure rejects
    ...options,
  });
  return text;
}

function compile(code, path, server) {
  if (path.endsWith(".svelte")) {
    const options = { filename: path, generate: server ? "server" : "client", dev: !server, hmr: /\d\.svelte$/.test(path) };
    const { js: { code: contents }, warnings } = compileSvelte(code, options);
    return { contents, errors: warnings.map(({ message }) => ({ text: message })) };
  }
  if (path.endsWith(".vue")) {
    const { descriptor, errors } = parseVue(code, { filename: path });
    const { content } = compileScript(descriptor, { id: path, inlineTemplate: true, templateOptions: { ssr: server, ssrCssVars: [] } });
    return { contents: content, errors: errors.map(({ message }) => ({ text: message })) };
  }
  return { contents: code, loader: "jsx" };
}
