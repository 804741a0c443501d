// The script of the worker with a simulated program and simulated host modules: the test takes the place of the program.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { tinyInfo } from "./module.mjs";

/** The functions of the host modules. */
export const functions = { socket: ["openSocket"], idb: ["openDatabase", "deleteDatabase"], kdf: ["deriveKey"], fetch: ["fetchDocument"] };

/**
 * Builds the script and imports it. Its Go is what globalThis.played.makeGo returns, and the functions of the host modules
 * call globalThis.played.called. Each `copy` is a script of its own.
 */
export async function importPlayed(copy = 0) {
  const plugin = {
    name: "played",
    setup(b) {
      b.onResolve({ filter: /^host:/ }, ({ path }) => ({ path, namespace: "played" }));
      b.onLoad({ filter: /.*/, namespace: "played" }, ({ path }) => ({
        contents: path === "host:wasm_exec"
          ? "export const makeGo = (scope) => globalThis.played.makeGo(scope);"
          : functions[path.slice("host:".length)].map((name) => `export const ${name} = (...args) => globalThis.played.called("${name}", args);`).join("\n"),
      }));
    },
  };
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/worker.ts", import.meta.url))],
    bundle: true, write: false, format: "esm", target: "es2022", define: { BUILD_INFO: JSON.stringify(tinyInfo) }, plugins: [plugin],
  });
  return import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}#${copy}`);
}

/** Makes a simulated program. It calls `dispatched` with each request that it gets and the number of the page. */
export function makePlayed(dispatched = () => undefined) {
  const played = { signals: {}, resumed: 0, step: () => undefined };
  played.called = (name, args) => {
    played.signals[name] = args.find((arg) => arg instanceof AbortSignal);
  };
  played.makeGo = (scope) => {
    played.scope = scope;
    scope.fs = {};
    return class {
      constructor() { played.go = this; }
      importObject = {};
      exited = false;
      exit = () => undefined;
      _scheduledTimeouts = new Map();
      _values = [];
      _idPool = [];
      _resume() {
        played.resumed++;
        played.step();
      }
      run() {
        played.host = scope[this.argv[1]];
        played.host.ready(dispatched, "go0.0", "0.0");
        return new Promise((resolve) => (played.ended = resolve));
      }
    };
  };
  globalThis.played = played;
  return played;
}
