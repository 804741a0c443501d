// The limits of the inspector: other entities decide the size and number of messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { inspectorStore } from "../build/src/inspector.js";

const raw = (seq, xml, more = {}) => ({ seq, at: seq, out: false, kind: "message", bytes: Buffer.byteLength(xml), xml, ...more });
const chars = (frames) => frames.reduce((n, f) => n + f.xml.length, 0);

test("it keeps the newest messages, limited by number and total length", () => {
  for (const [limit, length, count] of [[1000, 65_536, 3000], [10, 65_536, 100], [1000, 100, 5000], [100_000, 65_536, 500], [3, 5_000_000, 9], [1, 1, 9]]) {
    const store = inspectorStore(limit);
    for (let i = 0; i < count; i++) {
      store.add(raw(i, "x".repeat(length + (i % 3))));
      if (i % 97 > 50) continue; // some changes without a snapshot between them
      const frames = store.inspector.getSnapshot();
      assert.ok(frames.length <= limit && chars(frames) <= 4 << 20, `${frames.length} messages of ${chars(frames)} characters`);
      assert.ok(frames.length === Math.min(i + 1, limit) || chars(frames) + length + 2 > 4 << 20, `only ${frames.length} are kept`);
      assert.ok(frames.every((f, k) => f.seq === i - frames.length + 1 + k));
    }
    store.inspector.clear();
    assert.equal(store.inspector.getSnapshot().length, 0);
    store.add(raw(1, "<a/>"));
    assert.equal(store.inspector.getSnapshot().length, 1);
  }
});

test("cleared messages do not count towards the limit", () => {
  const store = inspectorStore(1000);
  for (let round = 0; round < 5; round++) {
    for (let i = 0; i < 60; i++) store.add(raw(i, "x".repeat(65_536)));
    assert.equal(store.inspector.getSnapshot().length, 60, `round ${round}`);
    store.inspector.clear();
  }
});

test("messages of exactly the limit are all kept", () => {
  const store = inspectorStore(1000);
  for (let i = 0; i < 64; i++) store.add(raw(i, "x".repeat(65_536)));
  assert.equal(store.inspector.getSnapshot().length, 64);
  store.add(raw(64, "x"));
  assert.deepEqual([store.inspector.getSnapshot().length, store.inspector.getSnapshot()[0].seq], [64, 1]);
});

test("clearing an empty inspector changes nothing", () => {
  const store = inspectorStore(10);
  const heard = [];
  store.inspector.subscribe((frames) => heard.push(frames.length));
  const empty = store.inspector.getSnapshot();
  store.inspector.clear();
  assert.equal(store.inspector.getSnapshot(), empty);
  store.add(raw(1, "<a/>"));
  store.flush();
  store.inspector.clear();
  const cleared = store.inspector.getSnapshot();
  store.inspector.clear();
  assert.equal(store.inspector.getSnapshot(), cleared);
  assert.deepEqual(heard, [0, 1, 0]);
});

test("dropped messages are released from memory", () => {
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc");
  const store = inspectorStore(1_000_000);
  gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < 3000; i++) store.add(raw(i, Buffer.alloc(65_536, 97 + (i % 26)).toString("latin1")));
  gc();
  assert.ok(process.memoryUsage().heapUsed - before < 20 << 20);
});

test("a shortened message shows its full length", async () => {
  const store = inspectorStore(10);
  store.add(raw(1, "<a>", { bytes: 1000, cut: true }));
  store.add(raw(2, "<b/>"));
  const [a, b] = store.inspector.getSnapshot();
  assert.deepEqual([a.bytes, a.cut, b.bytes, "cut" in b], [1000, true, 4, false]);
  assert.equal(store.inspector.stats().bytesIn, 1004);
  assert.equal(await store.inspector.export("xml").text(), "<a><!-- the rest of the 1000 bytes was not kept -->\n<b/>\n");
  assert.equal(JSON.parse((await store.inspector.export().text()).split("\n")[0]).cut, true);
});
