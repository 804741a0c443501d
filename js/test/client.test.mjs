// A client from connect() to its events.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { makeHost, rawState, rejects, row, target, turn } from "./host.mjs";

test("connect starts the program once, creates, loads, connects", async () => {
  const host = makeHost({ followTo: ["node2.example.org"], mechanisms: ["PLAIN"], reconnect: { baseMs: 7, jitter: "none", maxAttempts: 3 } }, {
    load: () => ({ list: [row("news")], provisional: [], ver: "v1", source: "cache" }),
  });
  const { client } = host;
  assert.equal(host.starts, 0);
  const [state] = await Promise.all([client.connect(), client.connect()]);
  assert.equal(state.phase, "live");
  assert.equal(host.starts, 1);
  assert.deepEqual(host.requests.map((r) => r.op), ["create", "load", "connect", "connect"]);
  const { id, op, ...create } = host.request("create");
  assert.deepEqual(create, {
    account: "alice@example.org", url: "wss://example.org/ws", followTo: ["node2.example.org"], storage: "memory", mechanisms: ["PLAIN"], inspector: false, interests: null,
    baseMs: 7, maxMs: 60000, noJitter: true, maxAttempts: 3, reconnectOff: false,
  });
  assert.ok(!JSON.stringify(host.requests).includes("secret"), "the password is given only when it is asked for");
  assert.deepEqual([client.runtime.getSnapshot().phase, client.runtime.getSnapshot().where], ["running", "worker"]);
  const list = client.subscriptions.getSnapshot();
  assert.deepEqual([list.length, list.ver, list.source], [1, "v1", "cache"]);
  await client.close();
  assert.equal(host.terminated, 1);
});

test("ready resolves with the stored list without a connection, and is always the same promise", async () => {
  const { client, ...host } = makeHost({}, { load: () => ({ list: [row("a")], provisional: [], source: "cache" }) });
  const ready = client.subscriptions.ready;
  assert.equal(client.subscriptions.ready, ready);
  assert.equal((await ready)[0].node, "a");
  assert.equal(host.requests.some((r) => r.op === "connect"), false);
  assert.equal(client.sync.getSnapshot().phase, "offline");
});

test("a commit by another tab while the list is loaded is not missed", async () => {
  const host = makeHost({ storage: "indexeddb" }, { load: () => undefined });
  const { client } = host;
  const ready = client.subscriptions.ready;
  client.on("subscriptions", () => assert.fail("the client emitted a change of a list that it had not shown"));
  const load = await host.until("load");
  host.post(
    { event: "list", changes: [[null, row("a")]], provisional: [], ver: "v1", source: "cache" },
    { id: load.id, ok: null },
    { event: "changed", changes: [[row("a"), null], [null, row("b")]], from: "v1", to: "v2", origin: "resync", source: "cache" },
  );
  assert.deepEqual((await ready).map((r) => r.node), ["b"]);
  assert.equal(client.subscriptions.getSnapshot().ver, "v2");
  await client.close();
});

test("a change is shown and emitted before the call that made it resolves", async () => {
  const seen = [];
  const host = makeHost({}, {
    subscribe(request, h) {
      h.post({ event: "provisional", rows: [[...row("news", "pending"), "subscribing"]] });
      h.post(
        { event: "changed", changes: [[null, row("news")]], from: "1", to: "2", origin: "this-device", source: "server" },
        { event: "provisional", rows: [] },
        { id: request.id, ok: row("news") },
      );
    },
  });
  const { client } = host;
  await client.connect();
  client.subscriptions.subscribe(() => seen.push(client.subscriptions.getSnapshot().map((r) => `${r.state}:${r.local}`).join()));
  client.on("subscriptions", (d) => seen.push(`event ${d.origin} ${d.added[0].node} ${client.subscriptions.get(target).state}`));
  const got = await client.subscribe(target);
  seen.push("resolved");
  assert.deepEqual(seen, ["", "pending:subscribing", "subscribed:undefined", "event this-device news subscribed", "resolved"]);
  assert.equal(got, client.subscriptions.getSnapshot()[0]);
});

test("sync shows the program's state, and where the list is stored", async () => {
  const host = makeHost({ storage: "indexeddb" }, { create: ({ account }) => ({ account, why: "no room" }) });
  const { client } = host;
  assert.deepEqual(client.sync.getSnapshot().storage, { kind: "indexeddb", persistent: true });
  await client.subscriptions.ready;
  assert.deepEqual(client.sync.getSnapshot().storage, { kind: "memory", persistent: false, fellBackFrom: "indexeddb", why: "no room" });
  const states = [];
  client.on("sync", (s) => states.push(s));
  host.post({ event: "state", state: rawState("waiting", { attempt: 2, nextAttempt: 86_400_000, pending: 1, missing: ["pam"], error: { code: "transport", text: "gone", retryable: true } }) });
  host.post({ event: "state", state: rawState("live", { lastSynced: 1000, resumed: true }) });
  await turn();
  assert.deepEqual([states[0].phase, states[0].attempt, states[0].nextAttemptAt.toISOString(), states[0].pendingWrites, states[0].missing, states[0].error.code],
    ["waiting", 2, "1970-01-02T00:00:00.000Z", 1, ["pam"], "transport"]);
  assert.deepEqual([states[1].phase, states[1].resumed, states[1].lastSyncedAt.getTime(), states[1].error], ["live", true, 1000, undefined]);
  assert.equal(client.sync.getSnapshot(), states[1]);
  assert.ok(Object.isFrozen(states[1]) && Object.isFrozen(states[1].storage) && Object.isFrozen(states[1].missing));
  const list = client.subscriptions.getSnapshot();
  assert.deepEqual([list.source, list.asOf], ["server", "1970-01-01T00:00:01.000Z"]);
  await client.close();
});

test("after a later storage failure, the storage kind is memory too", async () => {
  const host = makeHost({ storage: "indexeddb" });
  await host.client.subscriptions.ready;
  host.post({ event: "state", state: rawState("live", { degraded: true, why: "QuotaExceededError" }) });
  await turn();
  assert.deepEqual(host.client.sync.getSnapshot().storage, { kind: "memory", persistent: false, fellBackFrom: "indexeddb", why: "QuotaExceededError" });
  await host.client.close();
});

test("every state says where the list is stored, and memory that was requested is no fallback", async () => {
  const fallback = { kind: "memory", persistent: false, fellBackFrom: "indexeddb" };
  for (const [storage, created, state, want] of [
    ["indexeddb", {}, {}, { kind: "indexeddb", persistent: true }], ["indexeddb", { why: "no room" }, {}, { ...fallback, why: "no room" }],
    ["indexeddb", {}, { degraded: true }, { ...fallback, why: "" }], ["indexeddb", { why: "no room" }, { degraded: true, why: "full" }, { ...fallback, why: "full" }],
    ["memory", {}, { degraded: true, why: "full" }, { kind: "memory", persistent: false }], ["memory", { why: "no room" }, {}, { kind: "memory", persistent: false }],
  ]) {
    const host = makeHost({ storage }, { create: ({ account }) => ({ account, ...created }), connect: () => rawState("live", state) });
    const { client } = host;
    const what = JSON.stringify([storage, created, state]);
    assert.deepEqual((await client.connect()).storage, want, what);
    host.post({ event: "state", state: rawState("waiting", { lastSynced: 5, error: { code: "transport", text: "gone" }, ...state }) });
    await turn();
    assert.deepEqual(client.sync.getSnapshot().storage, want, what);
    host.exit("exit code 2");
    await turn();
    const { storage: after, lastSyncedAt, error } = client.sync.getSnapshot();
    assert.deepEqual([after, lastSyncedAt.getTime(), error.code], [want, 5, "crashed"], what);
    await client.close();
    assert.deepEqual([client.sync.getSnapshot().storage, client.sync.getSnapshot().error], [want, undefined], what);
  }
});

test("forget() fails if the program could not open the database, because the data may still be there", async () => {
  for (const [storage, why, failure] of [["indexeddb", "no room", /IndexedDB could not be deleted/], ["indexeddb", undefined], ["memory", undefined]]) {
    const host = makeHost({ storage }, { create: ({ account }) => ({ account, ...(why && { why }) }), forget: () => null });
    if (failure) await rejects(host.client.forget(), "storage", failure);
    else assert.equal(await host.client.forget(), undefined);
    assert.ok(host.request("forget"));
    await host.client.close();
  }
});

test("setInterests() changes at once which rows are supported, with a program or without", async () => {
  const host = makeHost({ interests: [{ node: "a" }] }, { load: () => ({ list: [row("a"), row("b")], provisional: [], ver: "1", source: "cache" }), setInterests: () => undefined });
  const { client } = host;
  const supported = () => client.subscriptions.getSnapshot().filter((r) => r.supported).map((r) => r.node).join();
  await client.subscriptions.ready;
  assert.equal(supported(), "a");
  client.setInterests([{ node: "b" }]).catch(() => undefined);
  await host.until("setInterests");
  assert.equal(supported(), "b");
  const early = makeHost({ interests: [{ node: "a" }] }, { load: () => ({ list: [row("a"), row("b")], provisional: [], ver: "1", source: "cache" }) });
  await early.client.setInterests([{ node: "b" }]);
  await early.client.subscriptions.ready;
  assert.deepEqual(early.client.subscriptions.getSnapshot().filter((r) => r.supported).map((r) => r.node), ["b"]);
});

test("export() gives a JSON file of what is stored", async () => {
  const list = [["s", "a", "", "alice@example.org", "subscribed", "pubsub"], ["s", "b", "x", "alice@example.org/y", "pending", "pubsub"]];
  const subscriptions = [{ service: "s", node: "a", jid: "alice@example.org", state: "subscribed" }, { service: "s", node: "b", subid: "x", jid: "alice@example.org/y", state: "pending" }];
  const at = (ms) => new Date(ms).toISOString();
  for (const [answer, want] of [
    [{ account: "a@b", list, ver: "v", lastFull: 1, lastSynced: 2, mechanism: "PLAIN", sessions: [{ jid: "a@b/c", saved: 3, waiting: ["m1", "m2"] }] },
      { account: "a@b", ver: "v", lastSyncedAt: at(2), lastFullListAt: at(1), lastLogin: "PLAIN", subscriptions, sessions: [{ jid: "a@b/c", savedAt: at(3), unacknowledged: ["m1", "m2"] }] }],
    [{ account: "a@b", list: [], lastFull: null, lastSynced: null, sessions: [] }, { account: "a@b", ver: null, lastSyncedAt: null, lastFullListAt: null, lastLogin: null, subscriptions: [], sessions: [] }],
    [{ account: "a@b", list: [], lastFull: 0, lastSynced: 0, sessions: [{ jid: "a@b/c", saved: 0, waiting: [] }] },
      { account: "a@b", ver: null, lastSyncedAt: at(0), lastFullListAt: at(0), lastLogin: null, subscriptions: [], sessions: [{ jid: "a@b/c", savedAt: at(0), unacknowledged: [] }] }],
  ]) {
    const host = makeHost({}, { export: () => answer });
    const file = await host.client.export();
    assert.equal(file.type, "application/json");
    const text = await file.text();
    assert.deepEqual(JSON.parse(text), want);
    assert.ok(text.includes("\n"), "people can read it");
    await host.client.close();
  }
});

test("a row without a node, as services send it, can be found and removed, but not added", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("", "subscribed", "s", "1"), row("a", "subscribed", "s")], provisional: [], source: "cache" }), unsubscribe: () => null });
  const { client } = host;
  await client.connect();
  assert.deepEqual([client.subscriptions.get({ service: "s", node: "" })?.subid, client.subscriptions.get({ service: "s", node: "", subid: "1" })?.node], ["1", ""]);
  await client.unsubscribe({ service: "s", node: "", subid: "1" });
  const { id: _, ...request } = host.request("unsubscribe");
  assert.deepEqual(request, { op: "unsubscribe", service: "s", node: "", subid: "1" });
  await rejects(client.subscribe({ service: "s", node: "" }), "bad-options", /target\.node/);
});

test("refresh() resolves with the differences", async () => {
  const host = makeHost({}, {
    load: () => ({ list: [row("a"), row("b")], provisional: [], ver: "1", source: "cache" }),
    refresh(request, h) {
      h.post({ event: "changed", changes: [[row("a"), null], [null, row("c")]], from: "1", to: "2", origin: "resync", source: "server" }, { id: request.id, ok: null });
    },
  });
  await host.client.connect();
  const d = await host.client.subscriptions.refresh({ ignoreVersion: true });
  assert.equal(host.request("refresh").ignoreVersion, true);
  assert.deepEqual([d.added.map((r) => r.node), d.removed.map((r) => r.node), d.origin, d.fromVer, d.toVer], [["c"], ["a"], "resync", "1", "2"]);
});

test("a list that the program reads again is an event if it differs in any way", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("a"), row("b")], provisional: [], ver: "1", source: "cache" }) });
  const { client } = host;
  const deltas = [];
  client.on("subscriptions", (d) => deltas.push([d.added, d.removed, d.changed].map((l) => l.length).concat(d.origin, d.fromVer, d.toVer)));
  await client.subscriptions.ready;
  await turn();
  assert.deepEqual(deltas, [], "the first list is no change");
  for (const [rows, want, ver] of [
    [[row("a"), row("b", "pending")], [0, 0, 1], "2"], [[row("a"), row("b", "pending"), row("c")], [1, 0, 0], "3"], [[row("a"), row("c")], [0, 1, 0], "4"], [[row("a"), row("c")], undefined, "5"],
    [[row("b"), row("c", "pending")], [1, 1, 1], null],
  ]) {
    const before = client.subscriptions.getSnapshot().ver;
    host.post({ event: "list", changes: rows.map((r) => [null, r]), provisional: [], ...(ver && { ver }), source: "cache" });
    await turn();
    assert.deepEqual(deltas.splice(0), want ? [[...want, "resync", before, ver]] : [], JSON.stringify(rows));
    assert.equal(client.subscriptions.getSnapshot().ver, ver);
  }
});

test("only a live connection makes the list the server's; others leave its source", async () => {
  for (const source of ["empty", "cache"]) {
    const host = makeHost({}, { load: () => ({ list: source === "empty" ? [] : [row("a")], provisional: [], source }) });
    const { client } = host;
    await client.subscriptions.ready;
    for (const [phase, missing, want] of [["connecting", [], source], ["waiting", [], source], ["live", ["pam"], source], ["live", ["other"], "server"], ["waiting", [], "server"]]) {
      host.post({ event: "state", state: rawState(phase, { missing, lastSynced: 1000 }) });
      await turn();
      const list = client.subscriptions.getSnapshot();
      assert.deepEqual([list.source, list.asOf], [want, "1970-01-01T00:00:01.000Z"], `${source} ${phase} ${missing}`);
    }
    host.post({ event: "state", state: rawState("waiting") });
    await turn();
    assert.equal(client.subscriptions.getSnapshot().asOf, null);
  }
});

test("an entry of the log has its time, and the code of its error", async () => {
  const entries = [];
  const host = makeHost({ logger: (entry) => entries.push(entry) });
  await host.client.connect();
  host.post({ event: "warning", error: { code: "storage", text: "full" } }, { event: "state", state: rawState("failed", { error: { code: "auth", text: "no" } }) }, { event: "state", state: rawState("failed", { attempt: 1 }) });
  host.post({ event: "state", state: rawState("live") });
  await turn();
  const found = entries.map(({ level, message, fields, at }) => (assert.ok(at instanceof Date), [level, message, fields]));
  assert.deepEqual(found.slice(-3), [["warn", "full", { code: "storage" }], ["info", "sync: failed", { code: "auth" }], ["info", "sync: live", undefined]]);
  assert.ok(entries.every((e) => Object.isFrozen(e) && ("fields" in e) === (e.fields !== undefined)));
});

test("the inspector keeps the newest frames", async () => {
  const host = makeHost({ inspector: { frames: 2 } });
  const { client } = host;
  await client.connect();
  const frame = (seq, out, xml, more = {}) => ({ event: "frame", seq, at: 1000 + seq, out, kind: "iq", bytes: Buffer.byteLength(xml), xml, ...more });
  let calls = -1; // it is called at once
  client.inspector.subscribe(() => calls++);
  host.post(frame(1, true, "<iq/>"), frame(2, true, "<é/>"), frame(3, false, "<😀/>", { layer: "pam", id: "x", replyTo: 2, rttMs: 7 }));
  await turn();
  const frames = client.inspector.getSnapshot();
  assert.equal(client.inspector.getSnapshot(), frames);
  assert.equal(calls, 1);
  assert.deepEqual(frames.map((f) => [f.seq, f.dir, f.bytes]), [[2, "out", 5], [3, "in", 7]]);
  assert.deepEqual([frames[1].layer, frames[1].id, frames[1].replyTo, frames[1].rttMs, frames[1].at.getTime()], ["pam", "x", 2, 7, 1003]);
  const { framesIn, framesOut, bytesIn, bytesOut } = client.inspector.stats();
  assert.deepEqual({ framesIn, framesOut, bytesIn, bytesOut }, { framesIn: 1, framesOut: 2, bytesIn: 7, bytesOut: 10 });
  assert.equal((await client.inspector.export("ndjson").text()).trim().split("\n").map((l) => JSON.parse(l).seq).join(), "2,3");
  assert.equal(await client.inspector.export("xml").text(), "<é/>\n<😀/>\n");
  assert.throws(() => client.inspector.export("pdf"), (e) => PamError.is(e, "bad-options"));
  client.inspector.clear();
  assert.equal(client.inspector.getSnapshot().length, 0);
});

test("warnings, messages and the log", async () => {
  const entries = [];
  const host = makeHost({ logger(entry) { entries.push(`${entry.level} ${entry.message}`); throw new Error("a bad logger"); } });
  const { client } = host;
  const thrown = [];
  globalThis.reportError = (e) => thrown.push(e.message);
  await client.connect();
  const events = [];
  client.on("warning", (e) => events.push([e.code, e.message]));
  client.on("message", (m) => events.push(m));
  host.post({ event: "warning", error: { code: "storage", origin: "storage", text: "full" } }, { event: "message", from: "bob@example.org", xml: "<message/>" });
  await turn();
  assert.deepEqual(events, [["storage", "full"], { from: "bob@example.org", xml: "<message/>" }]);
  assert.ok(entries.includes("warn full"));
  for (const ignored of [1, 41]) host.post({ event: "warning", ignored, error: { code: "protocol", origin: "network", text: "A message was ignored." } });
  await turn();
  assert.equal(client.inspector.stats().ignored, 42);
  await client.close();
  delete globalThis.reportError;
  assert.ok(thrown.length > 0 && thrown.every((m) => m === "a bad logger"));
});
