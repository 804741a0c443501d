import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import ts from "typescript";
import { PamError } from "../dist/index.js";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

test("every error code has a section in the error reference", () => {
  const codes = read("../dist/types.d.ts").match(/type PamErrorCode = ([^;]+);/)[1].match(/[a-z-]+/g);
  const anchors = [...read("../README.md").matchAll(/<a id="error-([a-z-]+)">/g)].map((m) => m[1]);
  assert.ok(codes.length > 20);
  assert.deepEqual([...anchors].sort(), [...codes].sort());
});

test("`docs` of an error names a section of this package's README", () => {
  const [file, anchor] = new PamError("auth", "No.").docs.split("#");
  assert.equal(file, `${JSON.parse(read("../package.json")).name}/README.md`);
  assert.ok(read("../README.md").includes(`<a id="${anchor}">`));
});

test("the README's example equals the one that is compiled", () => {
  const example = /```js\n(.*?)```/s.exec(read("../README.md"))[1];
  assert.ok(read("types/readme.ts").startsWith(example));
});

test("the README's example of the inbox equals the one that is compiled", () => {
  const example = /```js\n(client\.inbox\.subscribe.*?)```/s.exec(read("../README.md"))[1];
  const compiled = /^\/\/ From the README\n(.*?)^\/\/ End\n/ms.exec(read("types/inbox.ts"))[1];
  assert.equal(compiled.replace(/^ {2}/gm, ""), example);
});

test("the page in the repository's README equals the one that a test opens", () => {
  const page = /```html\n(.*?)```/s.exec(read("../../README.md"))[1];
  assert.equal(page, read("../docs/page.html"));
});

test("each script in the documents can be parsed, and imports what the package exports", async () => {
  const { exports } = JSON.parse(read("../package.json"));
  const documents = readdirSync(new URL("../docs", import.meta.url)).filter((name) => name.endsWith(".md"));
  assert.ok(documents.length >= 3);
  for (const name of documents) {
    for (const [, loader, code] of read(`../docs/${name}`).matchAll(/^```(jsx?|tsx?)\n(.*?)^```$/gms)) {
      await assert.doesNotReject(transform(code, { loader, format: "esm" }), `docs/${name}`);
      for (const [, entry] of code.matchAll(/"xmpp-pam(\/[\w.]+)?"/g)) assert.ok(exports[`.${entry ?? ""}`], `docs/${name} imports xmpp-pam${entry}`);
    }
  }
});

test("the scripts of the guide compile as one module", () => {
  const scripts = [...read("../docs/guide.md").matchAll(/^```js\n(.*?)^```$/gms)].map((m) => m[1]);
  assert.ok(scripts.length >= 7);
  const folder = fileURLToPath(new URL("../build/docs", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, "guide.mts");
  writeFileSync(file, `${scripts.join("")}
declare function askForPassword(): Promise<string>;
declare function render(lines: readonly string[]): void;
`);
  const options = {
    target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [], strict: true, noEmit: true, noUnusedLocals: true,
  };
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
  assert.deepEqual(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")), []);
});

test("the types reference the library that they need", () => {
  assert.match(read("../dist/types.d.ts"), /^\/\/\/ <reference lib="esnext\.disposable"/);
});

test("the scripts contain no XML namespace and locate their files by literals that bundlers recognise", () => {
  const index = read("../dist/index.js");
  for (const text of [index, read("../src/worker.ts")]) assert.doesNotMatch(text, /urn:xmpp|urn:ietf|jabber:|jabber\.org\/protocol/);
  assert.match(index, /new URL\("\.\/pam\.wasm", import\.meta\.url\)/);
  assert.match(index, /new Worker\(new URL\("\.\/worker\.js", import\.meta\.url\), \{ type: "module" \}\)/);
  assert.doesNotMatch(index + read("../dist/worker.js"), /\bnew Function\(|\beval\(/);
});

test("the lock file names no registry", () => {
  const lock = JSON.parse(read("../package-lock.json"), (name, value) => (name === "funding" ? undefined : value));
  assert.doesNotMatch(JSON.stringify(lock), /resolved|https?:\/\//);
});
