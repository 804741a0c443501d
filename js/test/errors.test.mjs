// The error reference, docs/errors.md, against the code in Go and TypeScript that makes errors.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { PamError } from "../dist/index.js";

const js = fileURLToPath(new URL("../", import.meta.url));
const read = (path) => readFileSync(js + path, "utf8");
const files = (folder, ending) => readdirSync(js + folder, { recursive: true })
  .filter((name) => name.endsWith(ending) && !/_test\.go$|\.d\.ts$|testdata/.test(name)).map((name) => `${folder}/${name}`);
const go = ["../sdk/pam", "../sdk/client", "../sdk/internal", "../wasm"].flatMap((folder) => files(folder, ".go")).map(read).join("\n");
const scripts = files("src", ".ts");

/** The sections of the page, by code. */
const sections = new Map(read("docs/errors.md").split(/^#{2,3} /m).filter((part) => part.startsWith("`")).map((part) => {
  const [, code, text] = /^`([a-z-]+)`\n(.*)/s.exec(part);
  const [, origin, retryable] = /^- Origin: (.+?)\. Retryable: (.+?\.)$/ms.exec(text) ?? assert.fail(`${code}: origin`);
  const [, example] = /^- Example: `(.+)`$/m.exec(text) ?? assert.fail(`${code}: example`);
  assert.match(text, /^- What to do: /m, code);
  return [code, { origins: [...origin.matchAll(/`(client|network|local-server|remote-service|storage|runtime)`/g)].map((m) => m[1]), retryable, example }];
}));
const unionOf = (name) => new RegExp(`type ${name} =([^;]+);`).exec(read("src/types.ts"))[1].match(/[a-z-]+/g);

/** The errors that literals in the code make: [code, origin or undefined, retryable]. */
function made() {
  const found = [];
  const names = new Map([...go.matchAll(/\b(Code\w+) +Code = "([a-z-]+)"/g)].map(([, name, code]) => [name, code]));
  const origins = new Map([...go.matchAll(/\b(From\w+) +ErrorOrigin = "([a-z-]+)"/g)].map(([, name, origin]) => [name, origin]));
  for (const [, name] of go.matchAll(/ClientError\(pam\.(Code\w+),/g)) found.push([names.get(name), "client", false]);
  for (const [, name, literal, rest] of go.matchAll(/\bCode: +(?:pam\.(Code\w+)|"([a-z-]+)")(.*)/g)) {
    const [, origin] = /Origin: pam\.(From\w+)/.exec(rest) ?? [];
    found.push([literal ?? names.get(name), origins.get(origin), rest.includes("Retryable: true")]);
  }
  for (const code of names.values()) found.push([code, undefined, false]);
  for (const path of scripts) {
    const visit = (node) => {
      ts.forEachChild(node, visit);
      const makes = { PamError: "client", failure: "runtime" }[node.expression?.text]; // the origin if none is given
      if (!makes || !node.arguments?.[0] || !ts.isStringLiteral(node.arguments[0])) return;
      const fields = new Map((node.arguments[2]?.properties ?? []).map((p) => [p.name?.text, p.initializer]));
      found.push([node.arguments[0].text, fields.get("origin")?.text ?? makes, fields.get("retryable")?.kind === ts.SyntaxKind.TrueKeyword]);
    };
    visit(ts.createSourceFile(path, read(path), ts.ScriptTarget.Latest));
  }
  return found;
}

test("the page has a section for each code that the code makes, and no other", () => {
  const codes = [...new Set(made().map(([code]) => code))].sort();
  assert.ok(codes.length > 20);
  assert.deepEqual([...sections.keys()].sort(), codes);
  assert.deepEqual(unionOf("PamErrorCode").sort(), codes);
});

test("each section names the origins of the errors, and whether a call may be repeated", () => {
  const table = [...read("docs/errors.md").matchAll(/^\| `([a-z-]+)` \|/gm)].map((m) => m[1]);
  assert.deepEqual(table.sort(), unionOf("PamErrorOrigin").sort());
  let checked = 0;
  for (const [code, origin, retryable] of made()) {
    const section = sections.get(code);
    if (origin) assert.ok(section.origins.includes(origin), `${code}: ${origin}`);
    if (retryable) assert.notEqual(section.retryable, "no.", code);
    if (origin) checked++;
  }
  assert.ok(checked > 80, `${checked} errors`);
  for (const [code, { retryable }] of sections) assert.match(retryable, /^(yes|no|only|if)\b/, code);
});

test("each example is a text of the code", () => {
  const texts = go + scripts.map(read).join("\n").replace(/`? *\n +\+ ["`]/g, ""); // joins what is written on several lines
  const size = 14;
  for (const [code, { example }] of sections) {
    const found = new Set(); // places in the example; the others are values
    for (let i = 0; i + size <= example.length; i++) {
      if (texts.includes(example.slice(i, i + size))) for (let k = i; k < i + size; k++) found.add(k);
    }
    assert.ok(found.size >= 0.5 * example.length, `${code}: ${found.size} of ${example.length} characters of: ${example}`);
  }
});

test("`docs` of an error names its section", () => {
  const { name } = JSON.parse(read("package.json"));
  for (const code of sections.keys()) assert.equal(new PamError(code, "No.").docs, `${name}/docs/errors.md#${code}`);
});
