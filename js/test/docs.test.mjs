import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { transform } from "esbuild";
import ts from "typescript";
import { label, rows, stated } from "./matrix/rows.mjs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

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
  const documents = readdirSync(new URL("../docs", import.meta.url)).filter((name) => name.endsWith(".md") && name !== "api.md"); // its code is that of dist
  assert.ok(documents.length >= 3);
  for (const name of documents) {
    for (const [, loader, code] of read(`../docs/${name}`).matchAll(/^```(jsx?|tsx?)\n(.*?)^```$/gms)) {
      await assert.doesNotReject(transform(code, { loader, format: "esm" }), `docs/${name}`);
      for (const [, entry] of code.matchAll(/\b(?:from |import |import\()"xmpp-pam(\/[\w.]+)?"/g)) assert.ok(exports[`.${entry ?? ""}`], `docs/${name} imports xmpp-pam${entry}`);
    }
  }
});

/** The documents whose scripts compile as one module, with what that module needs besides. */
const modules = {
  guide: "declare function askForPassword(): Promise<string>;\ndeclare function render(lines: readonly string[]): void;\n",
  errors: "",
};
for (const [name, more] of Object.entries(modules)) {
  test(`the scripts of ${name}.md compile as one module`, () => {
    const scripts = [...read(`../docs/${name}.md`).matchAll(/^```js\n(.*?)^```$/gms)].map((m) => m[1]);
    assert.ok(scripts.length > 0);
    const folder = fileURLToPath(new URL("../build/docs", import.meta.url));
    mkdirSync(folder, { recursive: true });
    const file = join(folder, `${name}.mts`);
    writeFileSync(file, scripts.join("") + more);
    const options = {
      target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, lib: ["lib.es2022.d.ts", "lib.dom.d.ts"], types: [], strict: true, noEmit: true, noUnusedLocals: true,
    };
    const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options));
    assert.deepEqual(found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n")), []);
  });
}

test("the index lists every page", () => {
  const index = read("../docs/README.md");
  for (const name of readdirSync(new URL("../docs", import.meta.url)).filter((name) => name !== "README.md")) {
    assert.ok(index.includes(`](${name})`), name);
  }
});

test("the table of tools has the rows of the matrix, with their versions and results", () => {
  const lines = read("../docs/tools.md").split("\n").filter((line) => /^\| .* \|$/.test(line)).slice(1);
  const cells = (line) => line.split(" | ").slice(0, 4).join(" | ").replace(/^(\| Node\.js \|) \S+/, "$1");
  assert.deepEqual(lines.map(cells), rows.map((row) => cells(`${label(row)} ${stated(row)} | `)));
});

test("links between the documents lead to files and headings that exist", () => {
  const pages = ["README.md", ...readdirSync(new URL("../docs", import.meta.url)).filter((name) => name.endsWith(".md")).map((name) => `docs/${name}`)];
  const anchors = (text) => [...text.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, "").replaceAll(" ", "-"));
  let links = 0;
  for (const page of pages) {
    for (const [, target] of read(`../${page}`).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const url = new URL(target, new URL(`../${page}`, import.meta.url));
      assert.ok(existsSync(fileURLToPath(url)), `${page} links to ${target}`);
      if (url.hash) assert.ok(anchors(readFileSync(fileURLToPath(url), "utf8")).includes(url.hash.slice(1)), `${page} links to ${target}`);
      links++;
    }
  }
  assert.ok(links > 5);
});

test("the types reference the library that they need", () => {
  assert.match(read("../dist/types.d.ts"), /^\/\/\/ <reference lib="esnext\.disposable"/);
});

test("the scripts contain no XML namespace and locate their files by literals that bundlers recognise", () => {
  const index = read("../dist/index.js");
  for (const text of [index, read("../src/worker.ts")]) assert.doesNotMatch(text, /urn:xmpp|urn:ietf|jabber:|jabber\.org\/protocol/);
  assert.match(index, /new URL\("\.\/pam\.wasm", import\.meta\.url\)/);
  assert.equal(index.match(/\.\/worker\.js/g).length, 1); // else bundlers emit it more than once
  assert.match(index, /new URL\("\.\/worker\.js", import\.meta\.url\)/);
  assert.doesNotMatch(index + read("../dist/worker.js"), /\bnew Function\(|\beval\(/);
});

test("the lock file names no registry", () => {
  const lock = JSON.parse(read("../package-lock.json"), (name, value) => (name === "funding" ? undefined : value));
  assert.doesNotMatch(JSON.stringify(lock), /resolved|https?:\/\//);
});
