// The messages between TypeScript and Go are declared on both sides: in src/wire.ts and in the Go files of wasm/. No
// compiler checks that they agree, so this test compares the names.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));

const wasm = readdirSync(path("../../wasm")).filter((name) => name.endsWith(".go") && !name.endsWith("_test.go"));
const go = wasm.map((name) => readFileSync(path(`../../wasm/${name}`), "utf8")).join("\n");
/** Returns the matches of a pattern's first group in the Go files. */
const inGo = (pattern) => new Set([...go.matchAll(pattern)].map((m) => m[1]));
/** Returns the keys of a map in the Go files. */
const keysInGo = (name) => new Set([...new RegExp(`^var ${name} = map\\[.*?^}`, "ms").exec(go)[0].matchAll(/^\t"(\w+)":/gm)].map((m) => m[1]));

const program = ts.createProgram([path("../src/wire.ts")], { strict: true, target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.NodeNext, noEmit: true });
const checker = program.getTypeChecker();
const wire = checker.getSymbolAtLocation(program.getSourceFile(path("../src/wire.ts")));
const typeOf = (name) => checker.getDeclaredTypeOfSymbol(checker.getExportsOfModule(wire).find((s) => s.name === name));
const parts = (type) => (type.isUnion() ? type.types : [type]);
/** Returns the names of the properties of a type, or of all types of a union. */
const names = (type) => new Set(parts(type).flatMap((t) => checker.getPropertiesOfType(t).map((p) => p.name)));
const property = (type, name) => checker.getTypeOfSymbol(checker.getPropertyOfType(type, name));
const members = (type) => [...names(type)].map((name) => property(type, name));

test("operations and notices equal those of the bridge", () => {
  for (const [type, table, some] of [["Operations", "operations", "create"], ["Notices", "notices", "cancel"]]) {
    const both = [names(typeOf(type)), keysInGo(table)];
    assert.ok(both[0].has(some));
    assert.deepEqual(both[0], both[1], type);
  }
});

test("the bridge reads exactly the parameters that are sent", () => {
  const sent = new Set(["id", "op"]);
  for (const type of members(typeOf("Operations"))) for (const name of names(property(type, "params"))) sent.add(name);
  for (const type of members(typeOf("Notices"))) for (const name of names(type)) sent.add(name);
  const read = inGo(/\br\.(?:string|strings|int|bool|form|rows)\("(\w+)"\)/g);
  assert.ok(read.has("ignoreVersion") && sent.has("password"));
  assert.deepEqual([...sent].sort(), [...read].sort());
});

test("the events equal those that the bridge posts", () => {
  const known = new Set(parts(typeOf("ProgramEvent")).map((type) => property(type, "event").value));
  const posted = inGo(/\b(?:b\.event|b\.list|b\.nodeStates|named)\((?:[\w.()*]+, )?"(\w+)"/g);
  assert.ok(posted.has("changed"));
  assert.deepEqual([...known].sort(), [...posted].sort());
});
