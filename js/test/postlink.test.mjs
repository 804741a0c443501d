// The step after Go's linker must change neither the initial memory nor what a program does, and must find the functions and
// lines of a crash.

import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { panicTrace } from "../build/src/go-panic.js";
import { readTables } from "../scripts/pclntab.mjs";
import { postlink } from "../scripts/postlink.mjs";
import { resolve } from "../scripts/symbols.mjs";
import { int, readMemory, readSections, readUint, section, uint, writeMemory, writeSections } from "../scripts/wasm.mjs";
import { generator } from "./browser/lib/random.mjs";

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31);

test(`the memory is the same with other segments, SEED=${seed}`, () => {
  const random = generator(seed);
  for (let round = 0; round < 300; round++) {
    const memory = Buffer.alloc(random.below(5000));
    for (let at = 0; at < memory.length; at += random.below(random.below(10) ? 70 : 1000)) memory[at] = random.below(256);
    const body = writeMemory(memory);
    const again = readMemory(body);
    assert.ok(again.equals(memory.subarray(0, again.length)) && memory.subarray(again.length).every((b) => b === 0), `round ${round}`);
    assert.ok(body.length <= memory.length + 10 + 10 * readUint(body, 0).value);
  }
});

test("segments leave out more than 64 zeros", () => {
  const count = (zeros) => readUint(writeMemory(Buffer.from([0, 1, ...Array(zeros).fill(0), 2])), 0).value;
  assert.deepEqual([0, 1, 63, 64, 65, 1000].map(count), [1, 1, 1, 1, 2, 2]);
  assert.equal(readUint(writeMemory(Buffer.alloc(100)), 0).value, 0);
});

test("segments that the linker does not write are rejected", () => {
  assert.throws(() => readMemory(Buffer.from([1, 1, 0x41, 0, 0x0b, 1, 7])), /unknown kind/);
  assert.throws(() => readMemory(Buffer.from([1, 0, 0x23, 0, 0x0b, 1, 7])), /unknown kind/);
  assert.throws(() => readMemory(Buffer.from([1, 0, 0x41, 0, 0x6a, 1, 7])), /not a constant/);
});

test("numbers are encoded in as few bytes as possible", () => {
  assert.deepEqual([0, 127, 128, 2 ** 32 - 1].map((n) => uint(n).length), [1, 1, 2, 5]);
  assert.deepEqual([0, 63, -64, 64, -65, 2 ** 31 - 1].map((n) => int(n).length), [1, 1, 1, 2, 2, 5]);
});

describe("a program", () => {
  let dir, program, version, changed, symbols;
  before(() => {
    dir = mkdtempSync(join(tmpdir(), "xmpp-pam-postlink-"));
    const file = join(dir, "linked.wasm");
    const env = { ...process.env, GOOS: "js", GOARCH: "wasm" };
    execFileSync("go", ["build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", file, "./js/test/postlink"], { cwd: new URL("../..", import.meta.url), env });
    version = execFileSync("go", ["env", "GOVERSION"], { encoding: "utf8" }).trim();
    program = readFileSync(file);
    ({ program: changed, symbols } = postlink(program, version));
    writeFileSync(join(dir, "changed.wasm"), changed);
  });
  after(() => rmSync(dir, { recursive: true, force: true }));

  function run(name, ...args) {
    const script = join(execFileSync("go", ["env", "GOROOT"], { encoding: "utf8" }).trim(), "lib/wasm/wasm_exec_node.js");
    return spawnSync(process.execPath, ["--stack-size=4000", script, join(dir, name), ...args], { encoding: "utf8", env: { PATH: process.env.PATH, GOTRACEBACK: "system" } });
  }

  test("does the same", () => {
    const [linked, same] = ["linked.wasm", "changed.wasm"].map((name) => run(name));
    assert.equal(linked.status, 0, linked.stderr);
    assert.match(linked.stdout, /goroutines: 1\n.*\nreflection: 15\n.*nil receiver: true\n/s);
    assert.deepEqual([same.stdout, same.stderr, same.status], [linked.stdout, "", 0]);
    assert.ok(changed.length < program.length);
  });

  for (const crash of ["value", "nil", "index", "goroutine", "deadlock"]) {
    test(`has the same stack after a crash: ${crash}`, () => {
      const [linked, same] = ["linked.wasm", "changed.wasm"].map((name) => run(name, crash));
      assert.deepEqual([same.stdout, same.status], [linked.stdout, 2]);
      const report = panicTrace(same.stderr);
      assert.doesNotMatch(report, /main|\.go|data/, "no names without the symbols");
      const stack = frames(resolve(symbols, report));
      const shown = crash === "deadlock" ? linked.stderr : linked.stderr.replace(/(\ngoroutine [^]*?\n)\n[^]*/, "$1");
      assert.deepEqual(stack, frames(shown));
      if (crash !== "deadlock") assert.match(stack.join("\n"), /^main\..*\n\t.*\/test\/postlink\/main\.go:\d+$/m);
      if (crash === "value") assert.match(stack.join("\n"), /^main\.failNow\n.*\nmain\.fail\n.*\nmain\.init.*\n.*\nmain\.main$/m);
    });
  }

  test("has the tables that the linker wrote", () => {
    const module = new WebAssembly.Module(changed);
    const imports = {};
    for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => assert.fail("nothing runs");
    const { exports } = new WebAssembly.Instance(module, imports);
    const memory = Buffer.from(exports.mem.buffer);
    const linked = readMemory(readSections(program).find(({ id }) => id === section.data).body);
    const { ftab, findfunctab, pctab, names, funcs } = readTables(linked, symbols.functions.length);
    const same = (from, to) => assert.ok(linked.subarray(from, to).equals(memory.subarray(from, to)), `${from} to ${to}`);
    same(0, names.at);
    same(ftab.at, funcs[0].at);
    same(findfunctab.at, linked.length);
    for (const { at, name } of funcs) {
      same(at, at + 4);
      const from = names.at + memory.readUInt32LE(at + 4);
      const now = memory.toString("latin1", from, memory.indexOf(0, from));
      const want = /^reflect\.(?:makeFuncStub|methodValueCall)$/.test(name) ? name : name.startsWith("runtime.") ? "runtime.(*_)._" : "_.(*_)._";
      assert.equal(now, want);
    }
    assert.ok(memory.subarray(linked.length).every((b) => b === 0));
    assert.ok(pctab.end <= ftab.at);
  });

  test("of another Go, or with other tables, is rejected", () => {
    for (const other of ["go1.25.9", "go1.27.0", "go1.260", "devel go1.26-abc"]) assert.throws(() => postlink(program, other), new RegExp(`not those of ${other}`));
    const sections = readSections(program);
    const linked = readMemory(sections.find(({ id }) => id === section.data).body);
    const { ftab, findfunctab, names, funcs } = readTables(linked, symbols.functions.length);
    const header = names.at - 72;
    const record = funcs.find(({ calls }) => calls.length > 0);
    for (const [what, at] of Object.entries({
      "magic": header, "number of functions": header + 8, "offset of a table": header + 40, "number": ftab.at + 80,
      "offset of a record": ftab.at + 84, "number in a record": funcs[7].at, "name": funcs[7].at + 4, "table": funcs[7].at + 21,
      "pcdata": funcs[7].at + 29, "padding": funcs[7].at + 42, "funcdata": funcs[7].at + 43, "inlined call": record.calls[0].at + 1,
      "bucket": findfunctab.at + 4 * 20, "subbucket": findfunctab.at + 4 * 20 + 9,
    })) {
      const memory = Buffer.from(linked);
      memory[at] ^= 0x41;
      const made = writeSections(sections.map((s) => (s.id === section.data ? { id: s.id, body: writeMemory(memory) } : s)));
      assert.throws(() => postlink(made, version), /pclntab is not as Go 1.26 defines it/, what);
    }
    assert.throws(() => postlink(changed, version), /has a start function/);
  });
});

/** Returns the functions and lines of a trace, without arguments, type arguments and addresses. */
function frames(trace) {
  const lines = trace.split("\n");
  return lines.flatMap((line, i) => {
    const place = /^\t(\S+:\d+)/.exec(lines[i + 1] ?? "")?.[1];
    if (place === undefined || line.startsWith("created by")) return [];
    const name = line.replace(/\((?:\.\.\.|[^()*]*)\)$/, "").replace(/\[.*\]/, "[...]").replace(/^runtime\.gopanic$/, "panic");
    return [name, `\t${place}`];
  });
}
