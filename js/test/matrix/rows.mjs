// The rows of the matrix, and what each has to show. `workers` is the number of emitted scripts that contain the worker.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const js = fileURLToPath(new URL("../../", import.meta.url));
const works = (where) => `live, ${where}: news: subscribed`;
const state = works("shared-worker");
const config = (text) => ({ "vite.config.js": `export default ${text};\n` });
const exclude = 'add optimizeDeps: { exclude: ["xmpp-pam"] } to the configuration of Vite.';

const vite = [
  { run: "dev", script: "dev", state },
  { run: "build", state, workers: 1 },
];
const vite8 = [
  ...vite,
  { run: "dev, folder, `--install-links`", script: "dev", install: "--install-links", state },
  {
    run: "dev, linked folder", script: "dev", install: "link",
    state: "wasm-load: URL was answered with status 403: run npm install --install-links, or allow the package's folder in server.fs.allow of Vite.",
  },
  {
    run: "dev, linked folder, `server.fs.allow`", script: "dev", install: "link",
    files: config(`{ server: { fs: { allow: [".", ${JSON.stringify(js)}] } } }`), state,
  },
  { run: "build, linked folder", install: "link", state, workers: 1 },
];
const vite7 = [
  ...vite,
  {
    run: "dev, without the configuration", script: "dev", files: config("{}"),
    state: `wasm-mime: URL is not a WebAssembly module, sent as text/html. Servers often answer with a page for a file that does not exist: ${exclude}`,
  },
];
const esbuild = [
  { run: "esm", state, workers: 1 },
  { run: "esm, splitting", script: "build:split", state, workers: 1 },
  {
    run: "esm, files not copied", script: "build:alone", workers: 0,
    state: "wasm-load: URL was answered with status 404: serve pam.wasm there, or give options.runtime.wasm.",
  },
  {
    run: "iife", script: "build:iife", workers: 1,
    state: "wasm-load: This script cannot find pam.wasm, because it was bundled without import.meta.url: give options.runtime.wasm, or bundle it as an ES module.",
  },
  { run: "iife, `runtime: { wasm, worker }`", script: "build:iife", runtime: { wasm: "pam.wasm", worker: "worker.js" }, state: works("worker"), workers: 1 },
];
const plain = [
  { run: "import map", state, workers: 1 },
  {
    run: "CDN", cdn: true,
    state: "wasm-load: The Worker could not be started: Failed to construct 'Worker': Script at 'URL' cannot be accessed from origin 'URL'. Its script must be of the page's own origin, and allowed by worker-src of the page's Content-Security-Policy; or set options.runtime.where to \"main\".",
  },
  { run: "CDN, `runtime: { worker }`", cdn: true, runtime: { worker: "xmpp-pam/worker.js" }, state: works("worker") },
  { run: 'CDN, `runtime: { where: "main" }`', cdn: true, runtime: { where: "main" }, state: works("main") },
];
const html = /id="list" data-source="unread"/; // what the server renders
const next = [
  { run: "dev", script: "dev", host: "localhost", html, state }, // its development server refuses other hosts
  { run: "build", serve: "start", output: ".next/static", html, state, workers: 1 },
];

/** The rows; `folder` is that of the project. */
export const rows = Object.entries({
  vite8: ["Vite 8", vite8],
  vite7: ["Vite 7", vite7],
  webpack: ["webpack", [{ run: "build", state, workers: 1 }]],
  rollup: ["Rollup", [{ run: "build", state, workers: 1 }]],
  esbuild: ["esbuild", esbuild],
  parcel: ["Parcel", [{ run: "dev", script: "dev", state }, { run: "build", state, workers: 1 }]],
  next: ["Next.js", next],
  plain: ["No tool", plain],
  node: ["Node.js", [{ run: "`xmpp-pam/node`", node: true, state: works("node") }]],
}).flatMap(([folder, [tool, list]]) => list.map((row) => ({ tool, folder, ...row })));

/** Returns the first cells of a row's line. The version is that of the first package that the project asks for. */
export function label({ tool, folder, run, node }) {
  const { devDependencies, dependencies } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, import.meta.url), "utf8"));
  const version = node ? process.versions.node : Object.values({ ...devDependencies, ...dependencies })[0] ?? "";
  return `| ${tool} | ${version} | ${run} |`;
}

/** Returns the result that is stated for a row. */
export const stated = ({ state }) => (state.startsWith("live") ? "works" : `\`${state.split(":")[0]}\``);

/** Returns how the outcome of a row differs from what is stated, or "". */
export function compare(row, { state, problems, workers }) {
  const seen = state.replace(/https?:\/\/[^\s']+/g, "URL");
  if (seen !== row.state) return `the page shows ${JSON.stringify(seen)} instead of ${JSON.stringify(row.state)}. ${problems.join("\n")}`;
  if (row.state.startsWith("live") && problems.length > 0) return `on the console: ${problems.join("\n")}`;
  if (workers !== row.workers) return `${workers} scripts contain the worker, instead of ${row.workers}`;
  return "";
}
