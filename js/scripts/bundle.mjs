// Builds the scripts of dist from src, and those of build/src for tests of single modules.

import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { tinyInfo } from "../test/module.mjs";

// The imports from outside js/src. Go's script must be that of the toolchain that built the program.
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const wasmExec = join(execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim(), "lib", "wasm", "wasm_exec.js");
const outside = {
  name: "outside",
  setup(b) {
    const files = {
      "host:socket": join(root, "wasm/socket/socket.js"), "host:idb": join(root, "wasm/idb/idb.js"),
      "host:fetch": join(root, "wasm/fetch/fetch.js"),
      "host:kdf": join(root, "wasm/kdf/kdf.js"),
    };
    b.onResolve({ filter: /^host:/ }, ({ path }) => (files[path] ? { path: files[path] } : { path, namespace: "host" }));
    b.onLoad({ filter: /^host:wasm_exec$/, namespace: "host" }, () => ({
      // The parameter hides the real global object, so that Go's script defines nothing in the page. The script refers to
      // fs without globalThis.
      contents: `\
/*! Go's wasm_exec.js: Copyright 2018 The Go Authors. All rights reserved. BSD-style license: https://go.dev/LICENSE */
export function makeGo(globalThis) {
const fs = { writeSync: (...args) => globalThis.fs.writeSync(...args) };
${readFileSync(wasmExec, "utf8")}
return globalThis.Go;
}`,
    }));
  },
};

/** The entries for frameworks. */
export const frameworks = ["react", "vue", "svelte"];

/** bundle makes dist in the package's folder. `info` and `nodeInfo` describe the programs to the scripts. */
export async function bundle(js, info, nodeInfo) {
  const scripts = { index: info, worker: info, node: nodeInfo, "node-worker": nodeInfo };
  for (const program of [info, nodeInfo]) {
    await build({
      entryPoints: Object.keys(scripts).filter((name) => scripts[name] === program)
        .map((name) => join(js, `src/${name}.ts`)),
      outdir: join(js, "dist"),
      bundle: true,
      format: "esm",
      target: "es2022",
      sourcemap: true,
      sourcesContent: true,
      legalComments: "inline",
      // V8 then compiles all functions while the script arrives, on another thread, and not when each is first called. The
      // stored list and inbox are shown by functions that run once.
      banner: { js: "//# allFunctionsCalledOnLoad" },
      external: ["./worker.js", "node:*", "ws"],
      define: { BUILD_INFO: JSON.stringify(program) },
      plugins: [outside],
      logLevel: "warning",
    });
  }
  await build({ // compiled alone, so that they contain no copy of the client or of their framework
    entryPoints: frameworks.map((name) => join(js, `src/${name}.ts`)),
    outdir: join(js, "dist"),
    format: "esm",
    target: "es2022",
    sourcemap: true,
    logLevel: "warning",
  });
}

/** compile compiles each module of src separately. */
export async function compile(js) {
  const sources = readdirSync(join(js, "src")).filter((name) => name.endsWith(".ts") && !name.endsWith(".d.ts"));
  await build({
    entryPoints: sources.map((name) => join(js, "src", name)),
    outdir: join(js, "build/src"),
    format: "esm",
    target: "es2022",
    define: { BUILD_INFO: JSON.stringify(tinyInfo) },
  });
}
