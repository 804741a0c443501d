// What npm packs, and what it declares: the files, the entries and the types.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { publint } from "publint";
import { apiPage } from "../scripts/apidocs.mjs";

const js = dirname(dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-pack-"));
let packed, tarball;
before(() => {
  [packed] = JSON.parse(execFileSync("npm", ["pack", "--json", "--pack-destination", folder], { cwd: js, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }));
  tarball = join(folder, packed.filename);
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the tarball has the entries, their types, the documents and the licences, and nothing else", () => {
  const files = packed.files.map(({ path }) => path).sort();
  const { exports } = JSON.parse(readFileSync(join(js, "package.json"), "utf8"));
  for (const entry of Object.values(exports).flatMap((e) => (typeof e === "string" ? [e] : Object.values(e)))) {
    assert.ok(files.includes(entry.slice(2)), `${entry} is missing`);
  }
  const others = files.filter((name) => !/^dist\/[a-z-]+\.(js|js\.map|d\.ts)$|^docs\/([a-z-]+|README)\.(md|html)$/.test(name));
  assert.deepEqual(others, [
    "CHANGELOG.md", "LICENSE", "README.md", "dist/LICENSES.txt", "dist/build-info-node.json", "dist/build-info.json", "dist/pam-node.symbols.json", "dist/pam-node.wasm",
    "dist/pam.symbols.json", "dist/pam.wasm", "package.json",
  ]);
  for (const name of ["LICENSE", "CHANGELOG.md"]) assert.equal(readFileSync(join(js, name), "utf8"), readFileSync(join(js, "..", name), "utf8"));
});

test("each script refers to its source map, which contains the sources", () => {
  const dist = join(js, "dist");
  for (const name of readdirSync(dist).filter((n) => n.endsWith(".map"))) {
    assert.match(readFileSync(join(dist, name.slice(0, -4)), "utf8"), new RegExp(`sourceMappingURL=${name}\\s*$`));
    assert.ok(JSON.parse(readFileSync(join(dist, name), "utf8")).sourcesContent.length > 0, name);
  }
});

test("publint reports nothing", async () => {
  const data = readFileSync(tarball);
  const { messages } = await publint({ pack: { tarball: data.buffer.slice(data.byteOffset, data.byteOffset + data.length) }, strict: true });
  assert.deepEqual(messages, []);
});

test("the types of each entry are found, however a program is compiled", () => {
  const args = [tarball, "--profile", "esm-only", "--exclude-entrypoints", "pam.wasm", "--no-color"];
  execFileSync(join(js, "node_modules/.bin/attw"), args, { encoding: "utf8" }); // fails, with its table, if something is wrong
});

test("docs/api.md has the public types as they are; `make docs` writes it", () => {
  const page = readFileSync(join(js, "docs/api.md"), "utf8");
  assert.equal(page, apiPage(), "If the change is intended: make docs, and an entry in CHANGELOG.md.");
  for (const name of ["createClient", "NodeClientOptions", "PamProvider", "PamStores", "pamClient", "SyncState", "PamErrorFields"]) {
    assert.match(page, new RegExp(`^### ${name}$`, "m"));
  }
});
