// The program is built with replacements of packages of other modules, which must have been compared with the packages of the
// versions that go.mod requires.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkVersion, modules, writeModules } from "../scripts/modules.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));

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
  const all = packages([`-modfile=${file}`, "-tags=browser"], root);
  for (const [name, { kept, replaced }] of Object.entries(modules)) {
    const found = all.filter((path) => path === name || path.startsWith(`${name}/`)).sort();
    assert.deepEqual(found, [...kept, ...Object.keys(replaced)].map((path) => posix.join(name, path)).sort());
    assert.match(readFileSync(file, "utf8"), new RegExp(`^replace ${name} => ./js/build/modules/${name}$`, "m"));
  }
  for (const path of ["crypto/rand", "log", "math/big", "net", "net/netip", "xmpp-pam/sdk/store/file"]) assert.ok(!all.includes(path), path);
  assert.ok(packages([], root).includes("golang.org/x/text/internal/language")); // natively nothing is replaced
});

test("the copies are made on a machine that has no module yet", () => {
  const cache = execFileSync("go", ["env", "GOMODCACHE"], { encoding: "utf8" }).trim();
  const empty = mkdtempSync(join(tmpdir(), "modules-"));
  const script = join(root, "js/scripts/modules.mjs");
  try {
    // The modules come from the cache of this machine, as if from a proxy.
    const env = { ...process.env, GOMODCACHE: empty, GOPROXY: `file://${cache}/cache/download`, GOFLAGS: "-modcacherw" };
    execFileSync(process.execPath, [script], { env });
    for (const [name, { version }] of Object.entries(modules)) {
      assert.ok(existsSync(join(empty, `${name}@${version}`)), name);
    }
  } finally {
    rmSync(empty, { recursive: true });
  }
});
