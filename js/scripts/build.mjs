// Builds dist/: the programs, their symbols, the scripts, the types, and build-info.json.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { bundle, frameworks } from "./bundle.mjs";
import { goFlags } from "./goflags.mjs";
import { postlink } from "./postlink.mjs";

const js = dirname(dirname(fileURLToPath(import.meta.url)));
const root = dirname(js);
const dist = join(js, "dist");
function run(command, args, env = {}) {
  try {
    const options = { cwd: root, env: { ...process.env, ...env }, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] };
    return execFileSync(command, args, options).trim();
  } catch (e) {
    const why = e.code === "ENOENT" ? `: ${command} is not installed` : "";
    console.error(`${e.stdout ?? ""}js/scripts/build.mjs: ${command} ${args[0]} failed${why}`);
    process.exit(1);
  }
}

mkdirSync(dist, { recursive: true });
const { version } = JSON.parse(readFileSync(join(js, "package.json"), "utf8"));

// The programs: pam.wasm for browsers, and pam-node.wasm, which also has the store in files.
const env = { GOOS: "js", GOARCH: "wasm" };
const go = run("go", ["env", "GOVERSION"]);
const sha256 = (bytes) => createHash("sha256").update(bytes).digest();

/** Writes a program and its symbols, and returns what the scripts must know of it. */
function makeProgram(file, flags) {
  const linked = join(js, `build/linked-${file}.wasm`);
  run("go", ["build", ...flags, `-ldflags=-s -w -buildid= -X main.version=${version}`, "-o", linked, "./wasm"], env);
  const { program, symbols } = postlink(readFileSync(linked), go);
  const build = sha256(program); // in a custom section, which a compiled module lets scripts read
  const name = Buffer.from("xmpp-pam");
  const bytes = Buffer.concat([program, Buffer.from([0, 1 + name.length + build.length, name.length]), name, build]);
  writeFileSync(join(dist, `${file}.wasm`), bytes);
  const hex = build.toString("hex");
  writeFileSync(join(dist, `${file}.symbols.json`), JSON.stringify({ build: hex, ...symbols })); // see stack.mjs
  return { version, go, wasmSha256: sha256(bytes).toString("hex"), build: hex, bytes: bytes.length };
}

const wasm = join(dist, "pam.wasm");
const info = makeProgram("pam", goFlags());
const nodeFlags = goFlags("node");
const nodeInfo = makeProgram("pam-node", nodeFlags);

// The compressed program, for servers that can send it. Compression is slow, so this is done only if the program changed.
const old = existsSync(join(dist, "build-info.json")) ? JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8")) : {};
if (old.wasmSha256 !== info.wasmSha256 || !existsSync(`${wasm}.br`)) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 24 };
  writeFileSync(`${wasm}.br`, brotliCompressSync(readFileSync(wasm), { params }));
} else {
  const now = new Date();
  utimesSync(`${wasm}.br`, now, now); // it is up to date, and servers compare the times
}

await bundle(js, info, nodeInfo);

// The types: those of the entries, and the files that they import.
const types = join(js, "build/types");
rmSync(types, { recursive: true, force: true });
run(process.execPath, [join(js, "node_modules/typescript/bin/tsc"), "-p", js]);
for (const name of ["index", "node", ...frameworks, "client-options", "inbox-types", "pubsub-types", "types", "errors"]) {
  copyFileSync(join(types, `${name}.d.ts`), join(dist, `${name}.d.ts`));
}

writeFileSync(join(dist, "worker.d.ts"), "export {}; // a script to run in a worker\n");

// npm packs only files of this folder.
for (const name of ["LICENSE", "CHANGELOG.md"]) copyFileSync(join(root, name), join(js, name));

// The licences of all code in the programs and in worker.js.
const list = ["list", nodeFlags[0], "-deps", "-f", "{{with .Module}}{{.Path}}\t{{.Dir}}{{end}}", "./wasm"];
const modules = run("go", list, env).split("\n");
const folders = [...new Set(modules)].filter(Boolean).sort().map((line) => line.split("\t"));
const licences = [["Go", run("go", ["env", "GOROOT"])], ...folders].map(([name, dir]) =>
  `== ${name}\n\n${readFileSync(join(dir, "LICENSE"), "utf8")}`);
writeFileSync(join(dist, "LICENSES.txt"), licences.join("\n"));

for (const [name, about] of [["build-info", info], ["build-info-node", nodeInfo]]) {
  writeFileSync(join(dist, `${name}.json`), JSON.stringify(about, null, 2) + "\n");
}
for (const name of ["index.js", "worker.js", "node.js", "node-worker.js", "pam.wasm", "pam-node.wasm"]) {
  if (!existsSync(join(dist, name))) throw new Error(`dist/${name} was not built`);
}
const size = ({ bytes }) => `${(bytes / 1e6).toFixed(2)} MB`;
console.log(`js/dist: pam.wasm ${size(info)}, pam-node.wasm ${size(nodeInfo)}, ${go}, version ${version}`);
