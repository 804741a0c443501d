import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

test("every error code has its place in the error reference", () => {
  const codes = read("../dist/types.d.ts").match(/type PamErrorCode = ([^;]+);/)[1].match(/[a-z-]+/g);
  const anchors = [...read("../README.md").matchAll(/<a id="error-([a-z-]+)">/g)].map((m) => m[1]);
  assert.ok(codes.length > 20);
  assert.deepEqual([...anchors].sort(), [...codes].sort());
});

test("the scripts hold no XML namespace and find their files by literals that bundlers know", () => {
  const index = read("../dist/index.js");
  for (const text of [index, read("../src/worker.ts")]) assert.doesNotMatch(text, /urn:xmpp|urn:ietf|jabber:|jabber\.org\/protocol/);
  assert.match(index, /new URL\("\.\/pam\.wasm", import\.meta\.url\)/);
  assert.match(index, /new Worker\(new URL\("\.\/worker\.js", import\.meta\.url\), \{ type: "module" \}\)/);
  assert.doesNotMatch(index + read("../dist/worker.js"), /\bnew Function\(|\beval\(/);
});

test("the lock file names no registry", () => {
  assert.doesNotMatch(read("../package-lock.json"), /resolved|https?:\/\//);
});
