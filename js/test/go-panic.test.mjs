import assert from "node:assert/strict";
import { test } from "node:test";
import { panicTrace } from "../build/src/go-panic.js";

const stack = "\ngoroutine 7 gp=0xc000 m=0 [running]:\nmain.(*bridge).dispatch(0x5ec3e7, {0x5ec3e7, 0x6})\n\txmpp-pam/wasm/bridge.go:55 +0x5\ncreated by main.main in goroutine 1\n\txmpp-pam/wasm/main.go:60 +0x9\n";
const shown = "goroutine 7 gp=0xc000 m=0 [running]:\nmain.(*bridge).dispatch(…)\n\txmpp-pam/wasm/bridge.go:55 +0x5\ncreated by main.main in goroutine 1\n\txmpp-pam/wasm/main.go:60 +0x9";
for (const [name, words, want] of [
  ["the runtime's own error", "panic: runtime error: index out of range [3] with length 3", "panic: runtime error: index out of range"],
  ["a deadlock", "fatal error: all goroutines are asleep - deadlock!", "fatal error: all goroutines are asleep - deadlock!"],
  ["a value", "panic: secret", "panic: (a value that is not shown)"],
  ["a value that begins as the runtime's own error", "panic: runtime error: secret", "panic: (a value that is not shown)"],
  ["a value of several lines", "panic: secret\n\tsecret.secret()\n\t\n\tsecret [recovered]", "panic: (a value that is not shown)"],
  ["a value that looks like a stack", "panic: secret\n\tgoroutine 1 [running]:\n\tsecret.secret()\n\tsecret:1\n\tfatal error: secret", "panic: (a value that is not shown)"],
  ["a structure", "panic: main.T{\"secret\"}\n\tpanic: secret", "panic: (a value that is not shown)"],
]) {
  test(`${name}, with its location`, () => assert.equal(panicTrace(`${words}\n${stack}`), `${want}\n${shown}`));
}
