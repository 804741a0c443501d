// The host of the program that tabs share, with a simulated program: what each tab gets, and what the program gets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeLocks, setGlobals } from "./browser-locks.mjs";
import { tiny } from "./module.mjs";
import { importPlayed, makePlayed } from "./played.mjs";

const turn = async () => { for (let i = 0; i < 10; i++) await new Promise(setImmediate); };
let scripts = 0;

/** Starts the script in the global scope of a SharedWorker. Resolves when the script holds its lock, unless that is taken. */
async function start(t, { lockTaken = false } = {}) {
  const locks = makeLocks();
  let free = () => undefined;
  const request = locks.request;
  if (lockTaken) locks.request = async (...args) => { await new Promise((resolve) => { free = resolve; }); return request(...args); };
  const loads = []; // the program's bytes that pages wait for
  setGlobals(t, {
    navigator: { locks }, name: "the host", onconnect: null,
    WorkerGlobalScope: class { static [Symbol.hasInstance](value) { return value === globalThis; } },
    fetch: (url) => new Promise((resolve, reject) => loads.push({ url, resolve, reject })),
  });
  const dispatched = [];
  const played = makePlayed(({ op, id }, page) => dispatched.push(`${op}${id ? ` ${id}` : ""} of ${page}`));
  await importPlayed(++scripts);
  await turn();
  locks.request = request;
  const host = {
    locks, loads, played, free: () => free(), dispatched: () => dispatched.splice(0),
    /** Opens a page. */
    connect() {
      const page = { got: [], closed: false };
      const port = { postMessage: (message) => page.got.push(message), close: () => { page.closed = true; } };
      globalThis.onconnect({ ports: [port] });
      page.send = (data) => port.onmessage({ data });
      page.take = () => page.got.splice(0);
      return page;
    },
    /** Opens a page that uses the program, which holds a lock until it ends. */
    async join(lock) {
      const page = host.connect();
      await turn();
      void locks.request(lock, () => new Promise(() => undefined));
      page.send({ wasm: "https://example.org/pam.wasm", lock });
      page.end = () => locks.end(lock);
      await turn();
      return page;
    },
    async load() {
      for (const { resolve } of loads.splice(0)) resolve(new Response(tiny, { headers: { "content-type": "application/wasm" } }));
      for (let i = 0; i < 200 && !played.ended; i++) await turn();
    },
    /** Ends the program. */
    async end(code) {
      const { go, ended } = played;
      played.ended = undefined;
      go.exit(code);
      ended();
      await turn();
    },
  };
  return host;
}
const ready = (fresh) => ({ ready: { go: "go0.0", version: "0.0" }, fresh });
const tabsOf = (messages) => messages.filter((m) => "tabs" in m).map((m) => m.tabs);

test("a page gets the id of the host when the host holds its lock", async (t) => {
  const host = await start(t, { lockTaken: true });
  const page = host.connect();
  await turn();
  assert.deepEqual(page.got, []);
  host.free();
  await turn();
  const [{ instance }] = page.take();
  assert.deepEqual(host.locks.held(), [`xmpp-pam:program:the host:${instance}`]);
  const other = host.connect();
  await turn();
  assert.deepEqual(other.take(), [{ instance }]);
});

test("all pages get what is loaded, one program, and their number; each gets what the program posts to it", async (t) => {
  const host = await start(t);
  const one = await host.join("one");
  const two = await host.join("two");
  assert.deepEqual([tabsOf(one.take()), tabsOf(two.take())], [[1, 2], [2]]);
  assert.deepEqual(host.loads.map(({ url }) => url), ["https://example.org/pam.wasm"]);
  await host.load();
  for (const page of [one, two]) {
    const got = page.take();
    assert.deepEqual(got.at(-1), ready(false));
    assert.ok(got.some((m) => m.loaded === tiny.length), "it did not get what was loaded");
  }
  const three = await host.join("three");
  assert.deepEqual(three.take().filter((m) => !("instance" in m)), [ready(false), { tabs: 3 }]);
  assert.deepEqual([tabsOf(one.take()), tabsOf(two.take())], [[3], [3]]);
  two.send({ request: { id: 5, op: "connect" } });
  three.send({ request: { id: 6, op: "load" } });
  assert.deepEqual(host.dispatched(), ["connect 5 of 2", "load 6 of 3"]);
  assert.equal(host.played.host.post("[é]", 2), 3);
  assert.deepEqual([one.take(), two.take().map((m) => m.text), three.take()], [[], ["[é]"], []]);
  host.played.host.post("[]", 9); // a page that does not exist
  one.send({ ping: true });
  assert.deepEqual(one.take(), [{ pong: true }]);
});

test("a page that does not read gets nothing more until it has read all", async (t) => {
  const host = await start(t);
  const pages = [await host.join("one"), await host.join("two")];
  await host.load();
  const [one] = pages;
  const most = "x".repeat(8 << 20);
  const post = (text) => host.played.host.post(text, 1);
  post(most);
  assert.deepEqual(host.dispatched(), []);
  post("x");
  assert.deepEqual(host.dispatched(), ["suspend of 1"]);
  post("yy");
  one.send({ ack: most.length });
  one.send({ ack: 1 });
  assert.deepEqual(host.dispatched(), []);
  one.send({ ack: 2 });
  assert.deepEqual(host.dispatched(), ["resume of 1"]);
  post("x");
  one.send({ ack: 1 });
  host.played.host.post(most, 2);
  assert.deepEqual(host.dispatched(), []);
});

test("a page that reads the rest after it has been suspended is resumed only by itself", async (t) => {
  const host = await start(t);
  const page = await host.join("one");
  await host.load();
  host.played.host.post("x".repeat((8 << 20) + 1), 1);
  page.send({ request: { id: 0, op: "suspend" } });
  page.send({ ack: (8 << 20) + 1 });
  assert.deepEqual(host.dispatched(), ["suspend of 1", "suspend of 1"]);
  page.send({ request: { id: 0, op: "resume" } });
  assert.deepEqual(host.dispatched(), ["resume of 1"]);
});

test("a suspended page is not told the number of pages, and is told it when it resumes", async (t) => {
  const host = await start(t);
  const one = await host.join("one");
  await host.load();
  one.send({ request: { id: 0, op: "suspend" } });
  one.take();
  const two = await host.join("two");
  assert.deepEqual([one.take(), tabsOf(two.take())], [[], [2]]);
  one.send({ request: { id: 0, op: "resume" } });
  assert.deepEqual([tabsOf(one.take()), host.dispatched()], [[2], ["suspend of 1", "resume of 1"]]);
  two.end();
  await turn();
  assert.deepEqual(tabsOf(one.take()), [1]);
});

test("a page that ends is gone for the program and for the other pages", async (t) => {
  const host = await start(t);
  const [one, two] = [await host.join("one"), await host.join("two")];
  await host.load();
  one.take();
  two.end();
  await turn();
  assert.deepEqual([host.dispatched(), two.closed, one.closed, tabsOf(one.take())], [["gone of 2"], true, false, [1]]);
  two.send({ request: { id: 1, op: "load" } });
  assert.deepEqual(host.dispatched(), []);
  const three = await host.join("three");
  host.played.host.openChannel("alice@example.org");
  const other = new BroadcastChannel("xmpp-pam:list:alice@example.org");
  other.postMessage("");
  for (let got = []; got.length === 0;) {
    got = host.dispatched();
    if (got.length > 0) assert.deepEqual(got, ["reload of 1"]);
    await turn();
  }
  other.close();
  await host.end(0);
  one.take();
  three.end();
  await turn();
  assert.deepEqual([host.dispatched(), tabsOf(one.take())], [[], []]);
});

test("a program that follows a crash is fresh, and one that follows a normal end is not", async (t) => {
  const host = await start(t);
  for (const [i, [code, fresh]] of [[2, false], [0, true], [2, false]].entries()) {
    const page = await host.join(`page ${i}`);
    await host.load();
    for (let n = 0; n < 200 && !host.played.ended; n++) await turn();
    assert.deepEqual(page.take().at(-1), ready(fresh), `start ${i}`);
    await host.end(code);
    assert.deepEqual(page.take(), [{ exit: code ? `exit code ${code}` : "" }]);
    page.send({ request: { id: 7, op: "load" } });
    assert.deepEqual(host.dispatched(), []);
  }
});

test("all pages are told that the program cannot be loaded, and the next page tries again", async (t) => {
  const host = await start(t);
  const [one, two] = [await host.join("one"), await host.join("two")];
  for (const { reject } of host.loads.splice(0)) reject(new TypeError("no network"));
  await turn();
  for (const page of [one, two]) assert.deepEqual(page.take().filter((m) => "failed" in m).map((m) => [m.failed.code, m.failed.retryable]), [["wasm-load", true]]);
  const three = await host.join("three");
  await host.load();
  assert.deepEqual([one.take(), two.take(), three.take().at(-1)], [[], [], ready(false)]);
});
