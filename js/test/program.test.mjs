// The real program in Node.js, without a server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createClient, PamError } from "../dist/index.js";
import { base, info, keep } from "./host.mjs";

const wasm = readFileSync(new URL("../dist/pam.wasm", import.meta.url));
const make = (options = {}) => keep(createClient({ ...base, account: "alice@localhost", service: "ws://127.0.0.1:1/", ...options, runtime: { where: "main", wasm } }));
const isCode = (code) => (e) => PamError.is(e, code) || assert.fail(`${e.code}: ${e.message}`);

test("it starts, returns an empty list, and ends", async () => {
  const before = Reflect.ownKeys(globalThis).length;
  const client = make();
  const list = await client.subscriptions.ready;
  assert.deepEqual([list.length, list.ver, list.source], [0, null, "empty"]);
  assert.deepEqual(client.runtime.getSnapshot(), { phase: "running", where: "main", info });
  assert.equal(Reflect.ownKeys(globalThis).length, before, "nothing leaks into the page");
  await client.close();
  assert.equal(client.runtime.getSnapshot().phase, "closed");
});

test("the page sees how much of the program has arrived", async () => {
  const bytes = [wasm.subarray(0, 1e6), wasm.subarray(1e6)];
  const body = new ReadableStream({
    async pull(controller) {
      await new Promise((resolve) => setTimeout(resolve, 10));
      const next = bytes.shift();
      return next ? controller.enqueue(new Uint8Array(next)) : controller.close();
    },
  });
  const client = keep(createClient({ ...base, account: "alice@localhost", runtime: { where: "main", wasm: new Response(body, { headers: { "content-type": "application/wasm" } }) } }));
  const seen = [];
  client.runtime.subscribe(({ phase, loaded, total }) => seen.push([phase, loaded, total]));
  await client.subscriptions.ready;
  assert.deepEqual(seen, [
    ["idle", undefined, undefined], ["loading", undefined, undefined], ["loading", 1e6, wasm.length], ["loading", wasm.length, wasm.length],
    ["running", undefined, undefined],
  ]);
  await client.close();
});

test("a client that is closed while the program arrives stays closed", async () => {
  let controller;
  const body = new ReadableStream({ start(c) { controller = c; } });
  const client = keep(createClient({ ...base, runtime: { where: "main", wasm: new Response(body, { headers: { "content-type": "application/wasm" } }) } }));
  const outcome = assert.rejects(client.connect(), isCode("closed"));
  controller.enqueue(new Uint8Array(wasm.subarray(0, 1e6)));
  await client.close();
  const seen = [];
  client.runtime.subscribe(({ phase }) => seen.push(phase));
  controller.enqueue(new Uint8Array(wasm.subarray(1e6)));
  controller.close();
  await outcome;
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual([seen, client.runtime.getSnapshot().phase], [["closed"], "closed"]);
});

test("requests while it is offline are rejected", async () => {
  const client = make();
  await client.subscriptions.ready;
  await assert.rejects(client.subscribe({ service: "pubsub.localhost", node: "__proto__" }), isCode("offline"));
  await assert.rejects(client.unsubscribe({ service: "pubsub.localhost", node: "a\u0000b\uD800" }), (e) => PamError.is(e));
  await assert.rejects(client.subscriptions.refresh(), isCode("offline"));
  await client.close();
});

test("an unreachable server: connect() rejects, and the client waits to retry", async () => {
  const client = make({ reconnect: { baseMs: 60_000, jitter: "none" } });
  await assert.rejects(client.connect(), (e) => PamError.is(e, "transport") && e.retryable && e.origin === "network");
  const { phase, attempt, nextAttemptAt } = client.sync.getSnapshot();
  assert.deepEqual([phase, attempt], ["waiting", 1]);
  assert.ok(nextAttemptAt > new Date());
  await client.disconnect();
  assert.equal(client.sync.getSnapshot().phase, "offline");
  await client.close();
});

test("without IndexedDB the list is kept in memory, and a warning reports it", async () => {
  const client = make({ storage: "indexeddb" });
  const warnings = [];
  client.on("warning", (e) => warnings.push(e.code));
  await client.subscriptions.ready;
  const { why, ...storage } = client.sync.getSnapshot().storage;
  assert.deepEqual(storage, { kind: "memory", persistent: false, fellBackFrom: "indexeddb" });
  assert.match(why, /indexedDB/);
  assert.deepEqual(warnings, ["storage"]);
  await client.close();
});

test("another program is not started, even if only one bit differs", async () => {
  const changed = new Uint8Array(wasm);
  changed[changed.length - 1] ^= 1;
  const client = keep(createClient({ ...base, runtime: { where: "main", wasm: changed } }));
  await assert.rejects(client.connect(), isCode("wasm-version"));
  assert.equal(client.runtime.getSnapshot().phase, "idle");
});

for (const [name, options, code] of [
  ["an account that is not a JID", { account: "a\u2000@localhost" }, "bad-jid"],
  ["an open line", { service: "ws://example.org/" }, "tls-required"],
]) {
  test(`the program rejects ${name}`, async () => {
    let client;
    try {
      client = make(options);
    } catch (e) {
      return isCode(code)(e);
    }
    await assert.rejects(client.connect(), isCode(code));
    await assert.rejects(client.connect(), isCode(code));
    await client.close();
  });
}

test("two clients on one page", async () => {
  const [a, b] = [make(), make({ account: "bob@localhost" })];
  await Promise.all([a.subscriptions.ready, b.subscriptions.ready]);
  await a.close();
  assert.equal((await b.subscriptions.ready).length, 0);
  await assert.rejects(b.subscribe({ service: "pubsub.localhost", node: "x" }), isCode("offline"));
  await b.close();
});
