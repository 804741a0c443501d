import assert from "node:assert/strict";
import { test } from "node:test";
import { panicTrace } from "../build/src/go-panic.js";

const goroutine = (id, kind, pc) => `\ngoroutine ${id} gp=0xc000 m=0 mp=0xd0 [${kind}]:\n_.(*_)._(0x5ec3e7, {0x5ec3e7, 0x6})\n\t?:0 +0x5 fp=0xc123 sp=0xc0f8 pc=0x${pc}\n_.(*_)._(...)\n\t?:0\ncreated by _.(*_)._ in goroutine 1\n\t?:0 +0x9\n`;
const stack = goroutine(7, "running", "2a0005") + goroutine(8, "chan receive", "2b0003");
const first = "goroutine 7 [running]:\n\tpc=0x2a0005";
const both = `${first}\ngoroutine 8 [chan receive]:\n\tpc=0x2b0003`;
for (const [name, words, want] of [
  ["the runtime's own error", "panic: runtime error: index out of range [3] with length 3", "panic: runtime error: index out of range"],
  ["a deadlock", "fatal error: all goroutines are asleep - deadlock!", "fatal error: all goroutines are asleep - deadlock!"],
  ["a fatal error on the system stack", "fatal error: out of memory\n\nruntime stack:\n_.(*_)._(...)\n\t?:0 +0x9 fp=0x1 sp=0x2 pc=0x3", "fatal error: out of memory\nruntime stack:\n\tpc=0x3"],
  ["a value", "panic: secret", "panic: (a value that is not shown)"],
  ["a value that begins as the runtime's own error", "panic: runtime error: secret", "panic: (a value that is not shown)"],
  ["a value of several lines", "panic: secret\n\tsecret.secret()\n\t\n\tsecret [recovered]", "panic: (a value that is not shown)"],
  ["a value that looks like a stack", "panic: secret\n\tgoroutine 1 [running]:\n\tsecret.secret()\n\tsecret:1\n\tfatal error: secret", "panic: (a value that is not shown)"],
  ["a value that looks like an address", "panic: secret\n\t?:0 fp=0x1 sp=0x2 pc=0xdeadbeef", "panic: (a value that is not shown)"],
  ["a structure", "panic: main.T{\"secret\"}\n\tpanic: secret", "panic: (a value that is not shown)"],
]) {
  test(`${name}, with its location`, () => assert.equal(panicTrace(`${words}\n${stack}`), `${want}\n${want.startsWith("fatal") ? both : first}`));
}
