import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { makeHost, rawState, row, turn } from "./host.mjs";

const target = { service: "pubsub.example.org", node: "news" };
const rejects = (promise, code, text = /./) => assert.rejects(promise, (e) => {
  assert.ok(PamError.is(e, code), `wanted ${code}, got ${e.code}: ${e.message}`);
  assert.match(e.message, text);
  return true;
});

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
    account: "alice@example.org", url: "wss://example.org/ws", followTo: ["node2.example.org"], storage: "memory", mechanisms: ["PLAIN"], inspector: false,
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
  await client.close();
});

test("a commit by another tab while the list is loaded is not missed", async () => {
  const host = makeHost({ storage: "indexeddb" }, { load: () => undefined });
  const { client } = host;
  const ready = client.subscriptions.ready;
  client.on("subscriptions", () => assert.fail("a change of what is not shown yet was told"));
  const load = await host.until("load");
  const other = new BroadcastChannel("xmpp-pam:list:alice@example.org");
  other.postMessage("");
  await host.until("reload");
  host.post(
    { event: "list", changes: [[null, row("a")]], provisional: [], ver: "v1", source: "cache" },
    { id: load.id, ok: null },
    { event: "changed", changes: [[row("a"), null], [null, row("b")]], from: "v1", to: "v2", origin: "resync", source: "cache" },
  );
  assert.deepEqual((await ready).map((r) => r.node), ["b"]);
  assert.equal(client.subscriptions.getSnapshot().ver, "v2");
  other.close();
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
  await client.close();
});

test("a signal ends a call immediately and cancels it in the program", async () => {
  const host = makeHost({}, { subscribe: () => undefined });
  const { client } = host;
  await client.connect();
  const controller = new AbortController();
  const call = client.subscribe(target, { signal: controller.signal });
  const request = await host.until("subscribe");
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(call, (e) => e.code === "aborted" && e.cause === reason && !e.retryable);
  assert.equal((await host.until("cancel")).target, request.id);
  await rejects(client.subscribe(target, { signal: controller.signal }), "aborted");
  assert.equal(host.requests.filter((r) => r.op === "subscribe").length, 1, "an aborted signal sends nothing");
  await client.close();
});

test("timeoutMs may be longer than the maximum delay of a timer", async () => {
  const host = makeHost({}, { refresh: () => undefined });
  const { client } = host;
  await client.connect();
  const ended = [];
  for (const days of [20, 25, 30, 49, 50, 100, 100_000]) client.subscriptions.refresh({ timeoutMs: days * 86_400_000 }).catch(() => ended.push(days));
  await host.until("refresh", 7);
  await new Promise((r) => setTimeout(r, 50));
  assert.deepEqual(ended, []);
  await client.close();
});

test("timeoutMs ends every asynchronous method", async () => {
  const never = () => undefined;
  const host = makeHost({}, { connect: never, disconnect: never, subscribe: never, unsubscribe: never, refresh: never });
  const { client } = host;
  await client.subscriptions.ready;
  const o = { timeoutMs: 5 };
  for (const call of [() => client.connect(o), () => client.disconnect(o), () => client.subscribe(target, o), () => client.unsubscribe(target, o),
    () => client.subscriptions.refresh(o), () => client.once("crash", o)]) {
    await assert.rejects(call(), (e) => PamError.is(e, "timeout") && e.retryable, String(call));
  }
  await turn();
  assert.equal(host.requests.filter((r) => r.op === "cancel").length, 4, "what the program may do later is cancelled");
  await client.close();
});

test("invalid options of a call reject its promise", async () => {
  const { client } = makeHost();
  for (const o of [{ timeoutMs: "5" }, { timeoutMs: NaN }, { timeoutMs: -1 }, { signal: {} }, { timeout: 5 }, null && 0, 5, { get signal() { throw new Error("trap"); } }]) {
    if (o !== null) await rejects(client.connect(o), "bad-options");
  }
  await rejects(client.subscribe(target, { timeout: 5 }), "bad-options", /There are: signal, timeoutMs\.$/);
  await rejects(client.connect({ ignoreVersion: true }), "bad-options");
  await rejects(client.subscriptions.refresh({ timeout: 5 }), "bad-options", /ignoreVersion/);
  for (const t of [undefined, null, "news", {}, { service: "s" }, { service: "", node: "n" }, { service: "s", node: "" }, { service: 1, node: "n" }, { service: "s", node: "n", subid: 1 }]) {
    await rejects(client.subscribe(t), "bad-options", /target/);
    if (t?.node !== "") assert.throws(() => client.subscriptions.get(t), (e) => PamError.is(e, "bad-options"));
  }
  await client.close();
});

test("requests are rejected while there is no program", async () => {
  const { client, ...host } = makeHost();
  await rejects(client.subscribe(target), "offline", /connect\(\)/);
  await rejects(client.unsubscribe(target), "offline");
  await rejects(client.subscriptions.refresh(), "offline");
  await client.disconnect();
  assert.equal(host.starts, 0);
  await client.close();
});

test("an error has all fields that the program posted", async () => {
  const error = { code: "stanza", origin: "remote-service", text: "The service refused.", by: "pubsub.example.org", condition: "not-authorized", pubsubCondition: "closed-node", retryable: true, cause: "iq" };
  const { client } = makeHost({}, { subscribe: () => ({ error }) });
  await client.connect();
  await assert.rejects(client.subscribe(target), (e) => {
    assert.ok(PamError.is(e, "stanza") && !PamError.is(e, "auth") && e instanceof PamError);
    const { code, origin, by, condition, pubsubCondition, retryable, docs, message, name } = e;
    assert.deepEqual({ code, origin, by, condition, pubsubCondition, retryable, docs, message, name }, {
      code: "stanza", origin: "remote-service", by: "pubsub.example.org", condition: "not-authorized", pubsubCondition: "closed-node", retryable: true,
      docs: "xmpp-pam/README.md#error-stanza", message: "The service refused.", name: "PamError",
    });
    assert.equal(e.cause.message, "iq");
    assert.deepEqual(JSON.parse(JSON.stringify(e)), { code, origin, by, condition, pubsubCondition, retryable, docs, message, name });
    return true;
  });
  await client.close();
});

test("absent fields of an error are absent", () => {
  const e = new PamError("auth", "No.");
  assert.deepEqual(Object.keys(e).sort(), ["code", "docs", "name", "origin", "retryable"]);
  assert.equal(PamError.is(new Error("x")), false);
  assert.equal(PamError.is(null), false);
});

test("credentials are requested for every authentication, with a signal", async () => {
  const asked = [];
  const host = makeHost({
    credentials: (request) => {
      asked.push(request);
      if (asked.length === 1) return { password: "one" };
      if (asked.length === 2) throw new Error("no keyring");
      return new Promise(() => undefined);
    },
  });
  await host.client.subscriptions.ready;
  host.post({ event: "credentials", ask: 1, reason: "initial", mechanisms: ["SCRAM-SHA-256"] });
  const first = await host.until("credentials");
  assert.deepEqual([first.ask, first.password, first.id], [1, "one", 0]);
  host.post({ event: "credentials", ask: 2, reason: "rejected", mechanisms: [] });
  const second = await host.until("credentials", 2);
  assert.deepEqual([second.ask, second.password, second.failed], [2, undefined, "options.credentials failed: no keyring"]);
  host.post({ event: "credentials", ask: 3, reason: "reconnect", mechanisms: [] });
  host.post({ event: "credentials", ask: 3, canceled: true });
  await turn();
  assert.deepEqual(asked.map((r) => [r.reason, r.signal.aborted]), [["initial", false], ["rejected", false], ["reconnect", true]]);
  assert.deepEqual(asked[0].mechanisms, ["SCRAM-SHA-256"]);
  await host.client.close();
});

for (const [name, returned, text] of [
  ["a misspelt name", { pasword: "x" }, /^options\.credentials\(\)\.pasword is not an option/],
  ["text", "secret", /^options\.credentials\(\) must return \{password\}/],
  ["nothing", undefined, /^options\.credentials\(\) must return \{password\}/],
  ["an empty object", {}, /^options\.credentials\(\)\.password must be a non-empty string/],
  ["an empty password", { password: "" }, /^options\.credentials\(\)\.password must be a non-empty string/],
]) {
  test(`a credentials function that returns ${name} is reported as wrong`, async () => {
    const host = makeHost({ credentials: async () => returned });
    await host.client.subscriptions.ready;
    host.post({ event: "credentials", ask: 1, reason: "initial", mechanisms: [] });
    const { failed, wrong } = await host.until("credentials");
    assert.equal(wrong, true);
    assert.match(failed, text);
    assert.ok(!failed.includes("secret"));
    await host.client.close();
  });
}

for (const [name, crash] of [
  ["its panic is reported", (h) => h.post({ event: "crash", text: "runtime error: index out of range" })],
  ["it ends", (h) => h.exit("exit code 2")],
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

test("a listener of crash may connect again", async () => {
  const host = makeHost();
  const { client } = host;
  await client.connect();
  const again = new Promise((resolve) => client.on("crash", () => resolve(client.connect())));
  host.exit("exit code 2");
  assert.equal((await again).phase, "live");
  assert.equal((await client.connect()).phase, "live");
  assert.equal(host.starts, 2);
  await client.close();
});

test("a listener of crash may connect again, also when the program crashes while it starts", async () => {
  const host = makeHost({}, { load: (_r, h) => (h.starts === 1 ? void h.exit("exit code 2") : { list: [], provisional: [], source: "empty" }) });
  const { client } = host;
  const again = new Promise((resolve) => client.on("crash", () => resolve(client.connect())));
  await rejects(client.connect(), "crashed");
  assert.equal((await again).phase, "live");
  assert.equal((await client.connect()).phase, "live");
  assert.equal(host.starts, 2, "one new program, not two");
  await client.close();
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
  await host.client.close();
});

test("a worker script that cannot be loaded is a load error", async () => {
  const host = makeHost();
  host.ready = undefined;
  const call = host.client.connect();
  await turn();
  host.worker.onerror({ message: "" });
  await rejects(call, "wasm-load", /worker\.js/);
  await host.client.close();
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
  for (const call of [() => client.connect(), () => client.disconnect(), () => client.subscribe(target), () => client.subscriptions.ready, () => client.once("sync")]) {
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
  await host.client.close();
});

test("the inspector keeps the newest frames", async () => {
  const host = makeHost({ inspector: { frames: 2 } });
  const { client } = host;
  await client.connect();
  const frame = (seq, out, xml, more = {}) => ({ event: "frame", seq, at: 1000 + seq, out, kind: "iq", bytes: Buffer.byteLength(xml), xml, ...more });
  let told = -1; // it is called at once
  client.inspector.subscribe(() => told++);
  host.post(frame(1, true, "<iq/>"), frame(2, true, "<é/>"), frame(3, false, "<😀/>", { layer: "pam", id: "x", replyTo: 2, rttMs: 7 }));
  await turn();
  const frames = client.inspector.getSnapshot();
  assert.equal(client.inspector.getSnapshot(), frames);
  assert.equal(told, 1);
  assert.deepEqual(frames.map((f) => [f.seq, f.dir, f.bytes]), [[2, "out", 5], [3, "in", 7]]);
  assert.deepEqual([frames[1].layer, frames[1].id, frames[1].replyTo, frames[1].rttMs, frames[1].at.getTime()], ["pam", "x", 2, 7, 1003]);
  const { framesIn, framesOut, bytesIn, bytesOut } = client.inspector.stats();
  assert.deepEqual({ framesIn, framesOut, bytesIn, bytesOut }, { framesIn: 1, framesOut: 2, bytesIn: 7, bytesOut: 10 });
  assert.equal((await client.inspector.export("ndjson").text()).trim().split("\n").map((l) => JSON.parse(l).seq).join(), "2,3");
  assert.equal(await client.inspector.export("xml").text(), "<é/>\n<😀/>\n");
  assert.throws(() => client.inspector.export("pdf"), (e) => PamError.is(e, "bad-options"));
  client.inspector.clear();
  assert.equal(client.inspector.getSnapshot().length, 0);
  await client.close();
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
