// The program is built with replacements of packages of other modules, which must have been compared with the packages of the
// versions that go.mod requires.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { posix } from "node:path";
import { test } from "node:test";
import { checkVersion, modules, writeModules } from "../scripts/modules.mjs";

test("another version of a module is refused", () => {
  for (const [name, { version }] of Object.entries(modules)) {
    checkVersion(name, version);
    assert.throws(() => checkVersion(name, `${version}1`), new RegExp(`requires ${name} ${version}1, but .* ${version}:`));
  }
});

test("the program has the replacements and no other package of their modules", () => {
  const file = writeModules();
  const env = { ...process.env, GOOS: "js", GOARCH: "wasm" };
  const packages = (flags, dir) => execFileSync("go", ["list", "-deps", ...flags, "./wasm"], { cwd: dir, env, encoding: "utf8" })
    .trim().split("\n");
  const root = new URL("../..", import.meta.url);
  const all = packages([`-modfile=${file}`, "-tags=browser"], root);
  for (const [name, { kept, replaced }] of Object.entries(modules)) {
    const found = all.filter((path) => path === name || path.startsWith(`${name}/`)).sort();
    assert.deepEqual(found, [...kept, ...Object.keys(replaced)].map((path) => posix.join(name, path)).sort());
    assert.match(readFileSync(file, "utf8"), new RegExp(`^replace ${name} => ./js/build/modules/${name}$`, "m"));
  }
  for (const path of ["crypto/rand", "log", "math/big", "net", "net/netip", "xmpp-pam/sdk/store/file"]) assert.ok(!all.includes(path), path);
  assert.ok(packages([], root).includes("golang.org/x/text/internal/language")); // natively nothing is replaced
});
