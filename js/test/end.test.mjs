// The end of a client and of its program: crashes, failed starts, close().

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeHost, rejects, row, target, turn } from "./host.mjs";

for (const [name, crash] of [
  ["its panic is reported", (h) => h.post({ event: "crash", text: "runtime error: index out of range" })],
  ["it ends", (h) => h.exit("exit code 2")],
  ["it ends without an error", (h) => h.exit("")],
  ["the worker fails", (h) => h.worker.onerror({ message: "boom" })],
]) {
  test(`when the program crashes (${name}), pending calls are rejected, and connect() starts a new one`, async () => {
    const host = makeHost({}, { subscribe: () => undefined, load: (_r, h) => ({ list: [row(`start${h.starts}`)], provisional: [], source: "cache" }) });
    const { client } = host;
    await client.connect();
    const crashes = [];
    client.on("crash", (e) => crashes.push([e.code, client.runtime.getSnapshot().phase, client.sync.getSnapshot().phase]));
    const waiting = [client.subscribe(target), client.subscribe(target)];
    await host.until("subscribe", 2);
    crash(host);
    for (const w of waiting) await rejects(w, "crashed");
    assert.deepEqual(crashes, [["crashed", "crashed", "failed"]]);
    assert.equal(client.sync.getSnapshot().error.code, "crashed");
    await rejects(client.subscribe(target), "offline");
    assert.equal(host.terminated, 1);
    assert.equal((await client.connect()).phase, "live");
    assert.equal(host.starts, 2);
    assert.equal(client.runtime.getSnapshot().phase, "running");
    assert.equal(client.subscriptions.getSnapshot()[0].node, "start2");
    await client.close();
  });
}

test("a worker that fails between its start and the first answer of the program is a crash, and connect() starts another", async () => {
  const host = makeHost({}, { create: ({ account }, h) => (h.starts === 1 ? undefined : { account }) });
  const { client } = host;
  const crashes = [];
  client.on("crash", (e) => crashes.push([e.code, client.runtime.getSnapshot().phase]));
  const call = rejects(client.connect(), "crashed", /boom/);
  await host.until("create");
  assert.deepEqual([client.runtime.getSnapshot().phase, crashes], ["loading", []]);
  host.worker.onerror({ message: "boom" });
  await call;
  assert.deepEqual([crashes, host.terminated, client.sync.getSnapshot().phase], [[["crashed", "crashed"]], 1, "failed"]);
  host.worker.onerror({ message: "again" });
  await turn();
  assert.equal(crashes.length, 1);
  assert.equal((await client.connect()).phase, "live");
  assert.equal(host.starts, 2);
});

test("the error of a program that has ended is shown until another starts", async () => {
  const host = makeHost({}, { create: ({ account }, h) => (h.starts === 1 ? { account } : undefined) });
  const { client } = host;
  await client.connect();
  host.exit("exit code 2");
  await turn();
  const shown = () => [client.sync, client.runtime].map((store) => store.getSnapshot()).map(({ phase, error }) => [phase, error?.code]);
  assert.deepEqual(shown(), [["failed", "crashed"], ["crashed", "crashed"]]);
  client.connect().catch(() => undefined);
  await host.until("create", 2);
  assert.deepEqual(shown(), [["loading", undefined], ["loading", undefined]]);
  await client.close();
  assert.deepEqual(shown(), [["offline", undefined], ["closed", undefined]]);
});

test("a listener of crash may connect again", async () => {
  const host = makeHost();
  const { client } = host;
  await client.connect();
  const again = new Promise((resolve) => client.on("crash", () => resolve(client.connect())));
  host.exit("exit code 2");
  assert.equal((await again).phase, "live");
  assert.equal((await client.connect()).phase, "live");
  assert.equal(host.starts, 2);
});

test("a listener of crash may connect again, also when the program crashes while it starts", async () => {
  const host = makeHost({}, { load: (_r, h) => (h.starts === 1 ? void h.exit("exit code 2") : { list: [], provisional: [], source: "empty" }) });
  const { client } = host;
  const again = new Promise((resolve) => client.on("crash", () => resolve(client.connect())));
  await rejects(client.connect(), "crashed");
  assert.equal((await again).phase, "live");
  assert.equal((await client.connect()).phase, "live");
  assert.equal(host.starts, 2, "one new program, not two");
});

test("another version of the program is rejected", async () => {
  const host = makeHost();
  const { ready } = host;
  for (const other of [{ ...ready, go: "go1.0" }, { ...ready, version: "9.9.9" }]) {
    host.ready = other;
    await rejects(host.client.connect(), "wasm-version", /go1\.0|9\.9\.9/);
  }
  assert.equal(host.client.runtime.getSnapshot().error.code, "wasm-version");
  assert.equal(host.client.sync.getSnapshot().phase, "failed");
});

test("a worker script that cannot be loaded is a load error", async () => {
  const host = makeHost();
  host.ready = undefined;
  const call = host.client.connect();
  await turn();
  host.worker.onerror({ message: "" });
  await rejects(call, "wasm-load", /worker\.js/);
});

test("close() is permanent, and may be called again", async () => {
  const host = makeHost({}, { subscribe: () => undefined });
  const { client } = host;
  await client.connect();
  const waiting = client.subscribe(target);
  const next = client.once("warning");
  const iterator = client.events("sync");
  await host.until("subscribe");
  const closing = client.close();
  assert.equal(client.close(), closing);
  await rejects(waiting, "closed");
  await rejects(next, "closed");
  await closing;
  for await (const _ of iterator); // ends
  assert.equal(client.runtime.getSnapshot().phase, "closed");
  const signal = AbortSignal.abort();
  for (const call of [
    () => client.connect(), () => client.disconnect(), () => client.forget(), () => client.export(), () => client.subscribe(target), () => client.unsubscribe(target), () => client.setInterests([]), () => client.parseUri("xmpp:a"),
    () => client.subscriptions.ready, () => client.subscriptions.refresh(), () => client.inbox.ready, () => client.inbox.list(), () => client.inbox.catchUp(), () => client.once("sync"), () => client.connect({ signal }), () => client.disconnect({ signal }),
  ]) {
    await rejects(call(), "closed");
  }
});

test("close() while the program starts", async () => {
  const host = makeHost({}, { create: () => undefined });
  const call = host.client.connect();
  const request = await host.until("create");
  const closing = host.client.close();
  await rejects(call, "closed");
  await closing;
  assert.equal(host.terminated, 1, "close() waited for an answer that may never arrive");
  host.answer(request, {});
  await turn();
  assert.equal(host.terminated, 1);
  assert.equal(host.client.runtime.getSnapshot().phase, "closed");
});
