// The package releases everything that it registers: after each call, and when the client or its program ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, PamError } from "../dist/index.js";
import { base, emptyModule, makeHost, row, target } from "./host.mjs";
import { page, watchRegistrations } from "./registered.mjs";

const stored = { storage: "indexeddb" };
const quiet = (promise) => promise.then(() => "ok", (e) => (PamError.is(e) ? e.code : assert.fail(`no PamError: ${String(e)}`)));
const error = { error: { code: "stanza", text: "no" } };
const exported = { account: "", list: [], lastFull: null, lastSynced: null, sessions: [] };

const calls = {
  connect: (c, o) => c.connect(o), disconnect: (c, o) => c.disconnect(o), forget: (c, o) => c.forget(o), export: (c, o) => c.export(o),
  subscribe: (c, o) => c.subscribe(target, o), unsubscribe: (c, o) => c.unsubscribe(target, o), refresh: (c, o) => c.subscriptions.refresh(o),
  events: (c, o) => c.inbox.list({ unseenOnly: true, ...o }), markSeen: (c, o) => c.inbox.markSeen(["1"], o), looked: (c, o) => c.inbox.looked(o),
  catchUp: (c, o) => c.inbox.catchUp(o),
  setInterests: (c, o) => c.setInterests([{ node: "news" }], o), once: (c, o) => c.once("warning", o),
};
const results = { connect: undefined, disconnect: null, forget: null, export: exported, subscribe: row("news"), unsubscribe: null, refresh: null, events: { events: [] }, markSeen: null, looked: null, catchUp: null, setInterests: null };

/** How a call ends: the program's answer, what else happens, and the outcome. */
const endings = {
  "is answered": { outcome: "ok" },
  "is refused": { answer: error, outcome: "stanza" },
  "is aborted": { answer: null, then: (_h, controller) => controller.abort(), outcome: "aborted" },
  "runs out of time": { answer: null, timeoutMs: 20, outcome: "timeout" },
  "is cut off by close": { answer: null, then: (h) => h.client.close(), outcome: "closed", ended: true },
  "is cut off by a crash": { answer: null, then: (h) => h.exit("exit code 2"), outcome: "crashed", ended: true },
};

for (const [op, call] of Object.entries(calls)) {
  for (const [name, { answer, then, timeoutMs = 60_000, outcome, ended }] of Object.entries(endings)) {
    const answered = answer === undefined;
    if (op === "once" && (answer === error || name === "is cut off by a crash")) continue; // the program gets no request
    test(`${op} ${name}`, async (t) => {
      page(t);
      const { left, pause } = watchRegistrations(t);
      const host = makeHost(stored, op === "once" || (op === "connect" && answered) ? {} : { [op]: (r) => (answered ? results[op] : answer ?? void r) });
      const { client } = host;
      await client.subscriptions.ready;
      await pause(5);
      const before = left();
      const controller = new AbortController();
      const outcomeOf = quiet(call(client, { signal: controller.signal, timeoutMs }));
      await pause(5);
      if (op === "once" && answered) host.post({ event: "warning", error: { code: "storage", text: "full" } });
      const ending = then?.(host, controller);
      assert.equal(await outcomeOf, outcome);
      await ending;
      await pause(10);
      if (name === "is aborted" || name === "runs out of time") {
        const { id } = host.request(op) ?? {};
        if (op === "disconnect") await pause(1); // only its wait ends: it is not canceled
        if (id) host.post({ id, error: { code: "aborted", text: "cancelled" } }); // the program's answer to a canceled request
        await pause(10);
      }
      assert.deepEqual(left(), ended ? [] : before);
      await client.close();
      assert.deepEqual(left(), []);
      assert.equal(host.terminated, host.starts);
    });
  }
}

test("close() waits 5 s for a program that does not answer, and then ends it", async (t) => {
  const host = makeHost({}, { close: () => undefined });
  await host.client.connect();
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const pause = async () => { for (let i = 0; i < 50; i++) await new Promise(setImmediate); };
  let closed = false;
  const closing = host.client.close().then(() => { closed = true; });
  await pause();
  t.mock.timers.tick(4999);
  await pause();
  assert.ok(host.request("close"));
  assert.deepEqual([closed, host.terminated], [false, 0]);
  t.mock.timers.tick(1);
  await pause();
  assert.deepEqual([closed, host.terminated], [true, 1]);
  await closing;
  assert.equal(host.client.runtime.getSnapshot().phase, "closed");
});

/** The ways in which a client ends, each from its creation. */
const lives = {
  "closed, and never used": async ({ client }) => client.close(),
  "closed while it runs": async ({ client }) => { await client.connect(); await client.close(); },
  "closed while it starts": async ({ client, until }) => { const c = quiet(client.connect()); await until("load"); await client.close(); assert.equal(await c, "closed"); },
  "closed at once": async ({ client }) => { const c = quiet(client.connect()); await client.close(); assert.equal(await c, "closed"); },
  "closed twice": async ({ client }) => { await client.connect(); await Promise.all([client.close(), client.close()]); },
  "crashed": async (host) => { await host.client.connect(); host.exit("exit code 2"); },
  "crashed, while it starts": async (host) => { const c = quiet(host.client.connect()); await host.until("load"); host.exit("exit code 2"); assert.equal(await c, "crashed"); },
  "crashed, used again, closed": async (host) => {
    await host.client.connect();
    host.exit("exit code 2");
    await host.pause(5);
    await host.client.connect();
    await host.client.close();
  },
  "forgotten, used again, closed": async ({ client }) => { await client.connect(); await client.forget(); await client.connect(); await client.close(); },
  "asked for credentials, closed": async (host) => { await host.client.connect(); host.post({ event: "credentials", ask: 1 }); await host.pause(5); await host.client.close(); },
  "asked for credentials, crashed": async (host) => { await host.client.connect(); host.post({ event: "credentials", ask: 1 }, { event: "crash", text: "x" }); },
  "listened to, closed": async (host) => {
    const { signal } = new AbortController();
    for (const store of [host.client.inbox, host.client.inbox.newest, host.client.sync, host.client.runtime, host.client.subscriptions, host.client.inspector]) store.subscribe(() => undefined);
    host.client.on("sync", () => undefined, { signal });
    host.client.on("crash", () => undefined, { signal, once: true });
    host.client.events("sync", { signal });
    const next = [quiet(host.client.once("crash", { signal })), quiet(host.client.once("warning"))];
    await host.client.connect();
    await host.client.close();
    assert.deepEqual(await Promise.all(next), ["closed", "closed"]);
    host.client.on("sync", () => undefined, { signal });
    host.client.events("sync", { signal });
    assert.equal(await quiet(host.client.once("sync", { signal })), "closed");
  },
};
for (const [name, live] of Object.entries(lives)) {
  test(`a client that is ${name} leaves nothing registered`, async (t) => {
    const { window } = page(t);
    const { left, pause } = watchRegistrations(t);
    const asked = [];
    const options = { ...stored, credentials: ({ signal }) => { asked.push(signal); return new Promise(() => undefined); } };
    const waits = name.includes("while it starts");
    const host = makeHost(options, waits ? { load: () => undefined, forget: () => null } : { forget: () => null });
    await live(Object.assign(host, { pause }));
    await pause(10);
    assert.deepEqual(left(), []);
    assert.equal(host.terminated, host.starts);
    assert.ok(asked.every((signal) => signal.aborted), "the page's function was not notified that its password is no longer needed");
    host.requests.length = 0;
    for (const type of ["online", "pageshow", "pagehide"]) window.dispatchEvent(new Event(type));
    await pause(5);
    assert.deepEqual(host.requests, []);
  });
}

test("a client that a listener closes as soon as the program runs leaves nothing registered", async (t) => {
  const { window } = page(t);
  const { left, pause } = watchRegistrations(t);
  const host = makeHost(stored, {
    load: ({ id }, h) => h.post({ event: "list", changes: [[null, row("news")]], provisional: [], source: "cache" }, { id, ok: null }),
  });
  const { client } = host;
  let closing;
  client.subscriptions.subscribe((list) => { if (list.length > 0) closing ??= client.close(); });
  assert.equal(await quiet(client.connect()), "closed");
  await closing;
  await pause(10);
  assert.deepEqual(left(), []);
  host.requests.length = 0;
  for (const type of ["online", "pageshow", "pagehide"]) window.dispatchEvent(new Event(type));
  await pause(5);
  assert.deepEqual([host.requests, client.runtime.getSnapshot().phase], [[], "closed"]);
});

/** The ways in which a start fails. */
const worker = () => ({ postMessage() {}, terminate() {} });
const starts = {
  "no program": [{ wasm: new Uint8Array(4) }, "wasm-mime"],
  "another program": [{ wasm: new Uint8Array([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) }, "wasm-version"],
  "a worker that is none": [{ wasm: emptyModule, worker: () => null }, "wasm-load"],
  "a worker without a method": [{ wasm: emptyModule, worker: () => ({}) }, "wasm-load"],
  "a worker that throws": [{ wasm: emptyModule, worker: () => { throw new Error("blocked"); } }, "wasm-load"],
  "a worker that fails": [{ wasm: emptyModule, worker: () => { const w = worker(); setTimeout(() => w.onerror({ message: "x" })); return w; } }, "wasm-load"],
  "a worker that refuses the port": [{ wasm: emptyModule, worker: () => ({ ...worker(), postMessage() { throw new Error("no"); } }) }, "wasm-load"],
};
for (const [name, [runtime, code]] of Object.entries(starts)) {
  test(`a failed start (${name}) leaves nothing registered, and can be retried`, async (t) => {
    page(t);
    const { left, pause } = watchRegistrations(t);
    const client = createClient({ ...base, ...stored, runtime: { where: "worker", ...runtime } });
    for (let i = 0; i < 2; i++) {
      assert.equal(await quiet(client.connect()), code);
      await pause(5);
      assert.deepEqual(left(), []);
      assert.deepEqual([client.runtime.getSnapshot().phase, client.sync.getSnapshot().phase, client.sync.getSnapshot().error.code], ["idle", "failed", code]);
    }
    await client.close();
    assert.deepEqual(left(), []);
  });
}

test("removed listeners leave nothing registered", async (t) => {
  const { left, pause } = watchRegistrations(t);
  const host = makeHost();
  const { client } = host;
  await client.subscriptions.ready;
  const before = left();
  const controller = new AbortController();
  const { signal } = controller;
  client.on("warning", () => undefined, { signal })();
  client.on("warning", () => undefined, { signal, once: true });
  const iterator = client.events("warning", { signal });
  const full = client.events("warning", { signal, buffer: 1 });
  const next = client.once("warning", { signal });
  for (let i = 0; i < 2; i++) host.post({ event: "warning", error: { code: "storage", text: "full" } });
  await next;
  await pause(5);
  await iterator.return();
  await full.next();
  await assert.rejects(full.next());
  assert.deepEqual(left(), before);
  client.on("warning", () => undefined, { signal });
  const aborted = client.events("warning", { signal }).next();
  controller.abort();
  await assert.rejects(aborted);
  assert.deepEqual(left(), before);
  await client.close();
});
