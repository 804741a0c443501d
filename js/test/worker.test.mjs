// The host of the program, with simulated program and host modules: it releases what a program leaves behind.

import assert from "node:assert/strict";
import { test } from "node:test";
import { tiny } from "./module.mjs";
import { functions, importPlayed, makePlayed } from "./played.mjs";
import { watchRegistrations } from "./registered.mjs";

const { serve } = await importPlayed();

/** Runs a program that the test controls. */
async function play() {
  const dispatched = [];
  const played = Object.assign(makePlayed((request) => dispatched.push(request)), { posted: [], dispatched });
  const port = { postMessage: (message) => played.posted.push(message) };
  serve(port);
  played.ask = (request) => port.onmessage({ data: { request } });
  port.onmessage({ data: { module: new WebAssembly.Module(tiny) } });
  while (!played.ended) await new Promise((resolve) => setImmediate(resolve));
  return played;
}

const ends = {
  "a trap in a callback": [(p) => {
    p.step = () => { throw new WebAssembly.RuntimeError("unreachable"); };
    p.go._resume();
  }, "RuntimeError: unreachable"],
  "a panic": [(p) => {
    p.scope.fs.writeSync(2, new TextEncoder().encode("panic: secret\n"));
    p.go.exit(2);
    p.ended();
  }, "panic: (a value that is not shown)"],
  "an exit code": [(p) => { p.go.exit(3); p.ended(); }, "exit code 3"],
  "the end": [(p) => { p.go.exit(0); p.ended(); }, ""],
};

for (const [name, [end, why]] of Object.entries(ends)) {
  test(`after ${name} no callback, timer or socket of the program remains`, async () => {
    const p = await play();
    const names = Object.values(functions).flat();
    for (const name of names) p.host[name]("x");
    p.ask({ id: 1 });
    p.go._resume();
    assert.deepEqual([p.resumed, p.dispatched, p.posted], [1, [{ id: 1 }], [{ ready: { go: "go0.0", version: "0.0" }, fresh: false }]]);
    // Only a deletion continues, because it is still wanted.
    const ended = () => names.filter((name) => p.signals[name]?.aborted).join();
    assert.equal(ended(), "");
    let fired = 0;
    p.go._scheduledTimeouts.set(1, setTimeout(() => { fired++; }, 5));

    end(p);
    assert.equal(ended(), "openSocket,openDatabase,deriveKey,fetchDocument");
    const after = p.resumed;
    p.go._resume();
    await new Promise((resolve) => setTimeout(resolve, 10));
    p.ask({ id: 2 });
    assert.deepEqual([p.resumed, p.dispatched.length, fired, p.go._scheduledTimeouts.size], [after, 1, 0, 0]);
    assert.deepEqual(p.posted.slice(1), [{ exit: why }]);
  });
}

test("programs of one account notify each other of changes, and no programs of other accounts", async (t) => {
  const { left } = watchRegistrations(t);
  const channels = () => left().filter((what) => what.includes("BroadcastChannel"));
  const programs = [];
  for (const account of ["alice@localhost", "alice@localhost", "alicia@localhost", undefined]) {
    const p = await play();
    if (account) p.host.openChannel(account);
    programs.push(p);
  }
  const reloads = () => programs.map((p) => p.dispatched.filter(({ op }) => op === "reload").length);
  assert.equal(channels().length, 3);
  for (const p of programs) p.host.announce();
  for (const end = Date.now() + 5000; Date.now() < end && String(reloads()) !== "1,1,0,0";) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.deepEqual(reloads(), [1, 1, 0, 0]);
  for (const p of programs) { p.go.exit(0); p.ended(); }
  assert.deepEqual(channels(), [], "an ended program keeps its channel");
  const other = new BroadcastChannel("xmpp-pam:list:alice@localhost");
  other.postMessage("");
  await new Promise((resolve) => setTimeout(resolve, 20));
  other.close();
  assert.deepEqual(reloads(), [1, 1, 0, 0], "an ended program is notified");
});
