import assert from "node:assert/strict";
import { test } from "node:test";
import { emitter } from "../build/src/emitter.js";
import { PamError } from "../build/src/errors.js";
import { readOptions } from "../build/src/options.js";
import { writableStore } from "../build/src/store.js";
import { createView } from "../build/src/view.js";
import { base } from "./host.mjs";

const isCode = (code) => (e) => PamError.is(e, code);

test("on() calls its listener until it is removed", () => {
  const h = emitter();
  const heard = [];
  const stop = h.on("warning", (e) => heard.push(e));
  const again = h.on("warning", (e) => heard.push(`again ${e}`), { once: true });
  h.emit("warning", 1);
  stop();
  stop();
  again();
  h.emit("warning", 2);
  assert.deepEqual(heard, [1, "again 1"]);
});

test("a signal removes a listener", () => {
  const h = emitter();
  const heard = [];
  const controller = new AbortController();
  h.on("sync", (e) => heard.push(e), { signal: controller.signal });
  h.emit("sync", 1);
  controller.abort();
  h.emit("sync", 2);
  h.on("sync", (e) => heard.push(e), { signal: controller.signal });
  h.emit("sync", 3);
  assert.deepEqual(heard, [1]);
});

test("a function can be added twice, and removed while events are emitted", () => {
  const h = emitter();
  const heard = [];
  const stops = [];
  const fn = (e) => { heard.push(e); stops[1](); };
  stops.push(h.on("sync", fn), h.on("sync", fn));
  h.emit("sync", 1);
  h.emit("sync", 2);
  assert.deepEqual(heard, [1, 2]);
});

test("invalid arguments", () => {
  const h = emitter();
  assert.throws(() => h.on("nothing", () => undefined), isCode("bad-options"));
  assert.throws(() => h.on("toString", () => undefined), isCode("bad-options"));
  assert.throws(() => h.on("sync"), isCode("bad-options"));
  assert.throws(() => h.on("sync", () => undefined, { passive: true }), isCode("bad-options"));
  assert.throws(() => h.events("sync", { buffer: 0 }), isCode("bad-options"));
});

test("once() resolves only with the next event", async () => {
  const h = emitter();
  const next = h.once("sync");
  h.emit("sync", 1);
  h.emit("sync", 2);
  assert.equal(await next, 1);
  const controller = new AbortController();
  const aborted = h.once("sync", { signal: controller.signal });
  controller.abort();
  await assert.rejects(aborted, isCode("aborted"));
  await assert.rejects(h.once("nothing"), isCode("bad-options"));
});

test("an iterator returns the events after its creation, in order", async () => {
  const h = emitter();
  const it = h.events("sync");
  h.emit("sync", 1);
  const pending = [it.next(), it.next(), it.next()];
  h.emit("sync", 2);
  h.emit("sync", 3);
  assert.deepEqual((await Promise.all(pending)).map((r) => r.value), [1, 2, 3]);
  h.emit("sync", 4);
  for await (const e of it) { assert.equal(e, 4); break; }
  h.emit("sync", 5);
  assert.deepEqual(await it.next(), { done: true, value: undefined });
});

test("an iterator that overflows returns the buffered events, throws once, and ends", async () => {
  const h = emitter();
  const it = h.events("sync", { buffer: 2 });
  for (let i = 1; i <= 5; i++) h.emit("sync", i);
  assert.equal((await it.next()).value, 1);
  assert.equal((await it.next()).value, 2);
  await assert.rejects(it.next(), isCode("overflow"));
  assert.equal((await it.next()).done, true);
});

test("a signal and close() end iterators", async () => {
  const h = emitter();
  const controller = new AbortController();
  const aborted = h.events("sync", { signal: controller.signal });
  const waiting = aborted.next();
  controller.abort();
  await assert.rejects(waiting, isCode("aborted"));
  assert.equal((await aborted.next()).done, true);
  await assert.rejects(h.events("sync", { signal: controller.signal }).next(), isCode("aborted"));

  const closed = h.events("sync");
  h.emit("sync", 1);
  h.close();
  assert.equal((await closed.next()).value, 1);
  assert.equal((await closed.next()).done, true);
  assert.equal((await h.events("sync").next()).done, true);
});

test("an iterator that is returned or aborted drops what it has buffered, and a failure that was not read", async () => {
  const done = { done: true, value: undefined };
  for (const emitted of [0, 2, 3]) { // the last overflows
    const h = emitter();
    const it = h.events("sync", { buffer: 2 });
    for (let i = 0; i < emitted; i++) h.emit("sync", i);
    assert.deepEqual([await it.return(), await it.next(), h.used("sync")], [done, done, false], emitted);
  }
  const h = emitter();
  const controller = new AbortController();
  const it = h.events("sync", { signal: controller.signal });
  h.emit("sync", 1);
  controller.abort();
  h.emit("sync", 2);
  await assert.rejects(it.next(), isCode("aborted"));
  assert.deepEqual([await it.next(), h.used("sync")], [done, false]);
});

test("of several waits for an iterator that is aborted the first is rejected, and close() or return() ends all", async () => {
  const done = { done: true, value: undefined };
  for (const way of ["abort", "close", "return"]) {
    const h = emitter();
    const controller = new AbortController();
    const it = h.events("sync", { signal: controller.signal });
    const waiting = [it.next(), it.next(), it.next()].map((p) => p.catch((e) => e.code));
    if (way === "abort") controller.abort();
    else if (way === "close") h.close();
    else await it.return();
    assert.deepEqual(await Promise.all(waiting), way === "abort" ? ["aborted", done, done] : [done, done, done], way);
    assert.deepEqual(await it.next(), done);
  }
});

test("an iterator buffers 1000 events unless the option says another number", async () => {
  for (const [options, limit] of [[undefined, 1000], [{}, 1000], [{ buffer: 1 }, 1]]) {
    const h = emitter();
    const it = h.events("sync", options);
    for (let i = 0; i < limit; i++) h.emit("sync", i);
    assert.equal(h.used("sync"), true, "all fit");
    h.emit("sync", limit);
    assert.equal(h.used("sync"), false);
    for (let i = 0; i < limit; i++) assert.equal((await it.next()).value, i);
    await assert.rejects(it.next(), isCode("overflow"));
  }
});

test("it reports when a type gets its first listener, and again after the last was removed", () => {
  const firsts = [];
  const h = emitter((type) => firsts.push(type));
  const stops = [h.on("sync", () => undefined), h.on("sync", () => undefined), h.on("crash", () => undefined)];
  assert.deepEqual(firsts, ["sync", "crash"]);
  assert.deepEqual([h.used("sync"), h.used("crash"), h.used("message")], [true, true, false]);
  for (const stop of stops) stop();
  assert.equal(h.used("sync"), false);
  h.events("sync");
  h.close();
  h.on("sync", () => undefined);
  assert.deepEqual([firsts, h.used("sync")], [["sync", "crash", "sync"], false]);
});

test("a listener that makes the view call its listeners gets each event once, in order", () => {
  const events = emitter();
  const view = createView(readOptions(base), events);
  const heard = [];
  events.on("warning", (e) => {
    if (heard.push(e) < 9) view.flush();
  });
  for (const e of [1, 2, 3]) view.emit("warning", e);
  view.flush();
  assert.deepEqual(heard, [1, 2, 3]);
});

test("a store calls its listeners once for many changes, and only if the value has changed", () => {
  const c = writableStore("a");
  let calls = 0;
  const stop = c.store.subscribe(() => calls++);
  assert.equal(calls, 1, "with the value that it has");
  calls = 0;
  c.set("b");
  c.set("c");
  assert.equal(calls, 0);
  c.flush();
  c.flush();
  c.set("c");
  c.flush();
  assert.equal(calls, 1);
  assert.deepEqual([c.store.getSnapshot(), c.store.getServerSnapshot()], ["c", "a"]);
  stop();
  c.set("d");
  c.flush();
  assert.equal(calls, 1);
});
