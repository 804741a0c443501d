// The stores: snapshots keep their identity, listeners are called immediately, and the state is reset when the program ends.

import assert from "node:assert/strict";
import { test } from "node:test";
import { subscriptionList } from "../build/src/subscription-list.js";
import { writableStore } from "../build/src/store.js";
import { makeHost, rawState, row, target, turn } from "./host.mjs";
import { page } from "./registered.mjs";

const subscribing = [...row("b", "pending"), "subscribing"];
const rows = (client) => client.subscriptions.getSnapshot().map((r) => `${r.node}${r.local ? ` ${r.local}` : ""}`);

/** Reads a store as Svelte does. */
function get(store) {
  let value;
  store.subscribe((v) => { value = v; })();
  return value;
}

/** Renders as React's useSyncExternalStore does: again only if the snapshot differs from the rendered one. */
function use(store) {
  let shown = store.getSnapshot();
  const hook = { renders: 0 };
  const check = () => {
    if (Object.is(store.getSnapshot(), shown)) return;
    shown = store.getSnapshot();
    hook.renders++;
  };
  hook.stop = store.subscribe(check);
  check();
  return hook;
}

test("every store calls a new listener immediately with its value, and again only when the value has changed", async () => {
  const host = makeHost({ inspector: true }, { load: () => ({ list: [row("a")], provisional: [], ver: "1", source: "cache" }) });
  const { client } = host;
  const stores = { subscriptions: client.subscriptions, sync: client.sync, runtime: client.runtime, inspector: client.inspector };
  for (const store of Object.values(stores)) assert.equal(get(store), store.getSnapshot());
  await client.connect();
  const heard = {};
  const hooks = {};
  for (const [name, store] of Object.entries(stores)) {
    hooks[name] = use(store);
    heard[name] = [];
    store.subscribe((value) => heard[name].push(value));
    assert.deepEqual(heard[name], [store.getSnapshot()], name);
  }
  const state = { event: "state", state: rawState("live", { lastSynced: 5 }) };
  const provisional = { event: "provisional", rows: [subscribing] };
  const change = { event: "changed", changes: [[null, row("c")]], from: "1", to: "2", origin: "other-device", source: "server" };
  for (const [posted, wanted] of [
    [state, { sync: 1, subscriptions: 1 }],
    [state, {}],
    [provisional, { subscriptions: 1 }],
    [provisional, {}],
    [change, { subscriptions: 1 }],
    [{ ...change, changes: [[null, row("c")]] }, {}],
    [{ event: "list", changes: [row("a"), row("c")].map((r) => [null, r]), provisional: [subscribing], ver: "2", source: "server" }, {}],
    [{ event: "provisional", rows: [] }, { subscriptions: 1 }],
    [{ ...change, changes: [], stored: true }, {}],
    [{ event: "message", from: "b@example.org", xml: "<message/>" }, {}],
    [{ event: "warning", error: { code: "storage", text: "full" } }, {}],
    [{ event: "state", state: rawState("waiting", { error: { code: "transport", text: "gone" } }) }, { sync: 1, subscriptions: 1 }],
    [{ event: "state", state: rawState("waiting", { error: { code: "transport", text: "gone" } }) }, {}],
    [{ event: "frame", seq: 1, at: 1, out: true, kind: "iq", bytes: 5, xml: "<iq/>" }, { inspector: 1 }],
  ]) {
    const before = {};
    for (const name of Object.keys(stores)) {
      before[name] = stores[name].getSnapshot();
      heard[name].length = hooks[name].renders = 0;
    }
    host.post(posted);
    await turn();
    for (const [name, store] of Object.entries(stores)) {
      const count = wanted[name] ?? 0;
      const what = `${name} at ${JSON.stringify(posted)}`;
      assert.equal(store.getSnapshot() === before[name], count === 0, what);
      assert.equal(heard[name].length, count, what);
      assert.equal(hooks[name].renders, count, what);
      if (count > 0) assert.equal(heard[name][0], store.getSnapshot(), what);
      assert.equal(get(store), store.getSnapshot(), what);
    }
  }
});

test("the event sync is emitted only when the state has changed", async () => {
  const host = makeHost();
  await host.client.connect();
  const heard = [];
  host.client.on("sync", (s) => heard.push(s.phase));
  for (const phase of ["live", "live", "waiting", "waiting", "live"]) host.post({ event: "state", state: rawState(phase) });
  await turn();
  assert.deepEqual(heard, ["live", "waiting", "live"]);
});

test("a listener may remove itself and add others while it is called", () => {
  const c = writableStore(1);
  const heard = [];
  const stop = c.store.subscribe((v) => {
    heard.push(`a${v}`);
    if (v === 2) {
      stop();
      c.store.subscribe((w) => heard.push(`b${w}`));
    }
  });
  for (const v of [2, 3]) {
    c.set(v);
    c.flush();
  }
  assert.deepEqual(heard, ["a1", "a2", "b2", "b3"]);
});

test("a listener that another one removes is not called again", async () => {
  const host = makeHost();
  await host.client.connect();
  const heard = [];
  let stop = () => undefined;
  host.client.subscriptions.subscribe(() => { heard.push("first"); stop(); });
  stop = host.client.subscriptions.subscribe(() => heard.push("second"));
  heard.length = 0;
  host.post({ event: "changed", changes: [[null, row("a")]], from: "", to: "1", origin: "other-device", source: "server" });
  await turn();
  assert.deepEqual(heard, ["first"]);
});

test("an error thrown by a listener does not affect the listeners of the next event", async (t) => {
  const thrown = [];
  globalThis.reportError = (e) => thrown.push(e.message);
  t.after(() => delete globalThis.reportError);
  const host = makeHost();
  await host.client.connect();
  let calls = 0;
  host.client.on("warning", () => { calls++; throw new Error("bad"); }, { once: true });
  for (let i = 0; i < 2; i++) host.post({ event: "warning", error: { code: "storage", text: "full" } });
  await turn();
  assert.deepEqual([calls, thrown], [1, ["bad"]]);
});

test("if the server lacks PAM, the list remains the stored one", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("a")], provisional: [], ver: "1", source: "cache" }), connect: () => rawState("live", { missing: ["pam"] }) });
  await host.client.connect();
  host.post({ event: "state", state: rawState("live", { missing: ["pam"] }) });
  await turn();
  assert.equal(host.client.subscriptions.getSnapshot().source, "cache");
  host.post({ event: "state", state: rawState("live") });
  await turn();
  assert.equal(host.client.subscriptions.getSnapshot().source, "server");
});

test("an error thrown by a listener's first call is reported, and the listener remains", (t) => {
  const thrown = [];
  globalThis.reportError = (e) => thrown.push(e.message);
  t.after(() => delete globalThis.reportError);
  const c = writableStore(1);
  let calls = 0;
  const stop = c.store.subscribe(() => { calls++; throw new Error("bad"); });
  c.set(2);
  c.flush();
  stop();
  assert.deepEqual([calls, thrown], [2, ["bad", "bad"]]);
});

test("after random changes the snapshot is the same object exactly if its content is equal", () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const below = (n) => ((state = (state * 1103515245 + 12345) % 2 ** 31) >> 8) % n;
  const node = () => row(`n${below(3)}`, ["subscribed", "pending"][below(2)]);
  const l = subscriptionList();
  const content = (s) => JSON.stringify([s, s.ver, s.source, s.asOf]);
  const kept = { same: 0, other: 0 };
  for (let i = 0; i < 3000; i++) {
    const before = l.snapshot();
    const source = ["cache", "server"][below(2)];
    switch (below(5)) {
      case 0: l.confirm(source, below(2) ? "1970-01-01T00:00:00.000Z" : null); break;
      case 1: l.setProvisional(below(2) ? [] : [[...node(), "subscribing"]]); break;
      case 2: l.apply([below(3) ? [null, node()] : [node(), null]], "1", "1", "resync", source); break;
      case 3: l.reset([[null, row("n0")]], [], "1", source); break;
      default: l.dropUncommitted();
    }
    const after = l.snapshot();
    const same = content(before) === content(after);
    kept[same ? "same" : "other"]++;
    assert.equal(before === after, same, `SEED=${seed}, step ${i}`);
  }
  assert.ok(kept.same > 300 && kept.other > 300, JSON.stringify(kept));
});

/** The ways in which a program ends, and the state that the stores then show. */
for (const [name, end, phase] of [
  ["close", (h) => h.client.close(), "offline"],
  ["a crash", (h) => h.exit("exit code 2"), "failed"],
  ["a crash, and another start", async (h) => { h.exit("exit code 2"); await turn(); await h.client.subscriptions.ready; }, "offline"],
]) {
  test(`after ${name} the stores show no state of the program`, async () => {
    const host = makeHost({}, { load: () => ({ list: [row("a")], provisional: [], ver: "1", source: "cache" }), subscribe: () => undefined, connect: () => rawState("live") });
    const { client } = host;
    await client.subscriptions.ready;
    await client.connect();
    client.subscribe(target).catch(() => undefined);
    host.post(
      { event: "provisional", rows: [subscribing] },
      { event: "state", state: rawState("live", { pending: 1, attempt: 2, resumed: true, missing: ["pam"], nextAttempt: 9, lastSynced: 7 }) },
    );
    await turn();
    assert.deepEqual([rows(client), client.sync.getSnapshot().pendingWrites, client.inspector.stats().liveReferences], [["a", "b subscribing"], 1, 2]);
    assert.deepEqual(client.tabs.getSnapshot(), { sharing: "independent", tabs: 1 });
    const shown = [];
    client.subscriptions.subscribe(() => shown.push(rows(client).join()));
    const phases = [];
    client.on("sync", (state) => phases.push(state.phase));
    await end(host);
    await turn();
    assert.ok(phases.includes(name === "close" ? "offline" : "failed"), "the last event sync was not emitted");
    assert.deepEqual(rows(client), ["a"]);
    assert.equal(shown.at(-1), "a");
    const { pendingWrites, attempt, resumed, missing, nextAttemptAt, lastSyncedAt, ...rest } = client.sync.getSnapshot();
    assert.deepEqual([rest.phase, pendingWrites, attempt, resumed, missing, nextAttemptAt, lastSyncedAt?.getTime()], [phase, 0, 0, false, [], null, 7]);
    assert.deepEqual(client.tabs.getSnapshot(), { sharing: "independent", tabs: name === "a crash, and another start" ? 1 : 0 });
    if (name !== "a crash, and another start") assert.deepEqual([client.inspector.stats().liveReferences, client.inspector.stats().goHeapBytes], [0, 0]);
  });
}

test("events posted after a crash are not handled", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("a")], provisional: [], source: "cache" }) });
  const { client } = host;
  await client.connect();
  const heard = [];
  for (const type of ["subscriptions", "message", "warning"]) client.on(type, () => heard.push(type));
  const late = [
    { event: "changed", changes: [[null, row("late")]], from: "1", to: "2", origin: "resync", source: "server" },
    { event: "provisional", rows: [subscribing] },
    { event: "message", from: "b@example.org", xml: "<message/>" },
    { event: "warning", error: { code: "storage", text: "full" } },
    { event: "state", state: rawState("live") },
  ];
  const { port } = host;
  host.post({ event: "crash", text: "x" }, ...late);
  await turn();
  try { port.postMessage({ text: JSON.stringify(late), heap: 1, references: 1 }); } catch {}
  await turn();
  assert.deepEqual([rows(client), heard, client.sync.getSnapshot().phase], [["a"], [], "failed"]);
});

for (const account of ["alice@example.org", "Alice@Example.org"]) {
  test(`${account}: after forget() no session is left for the next page until the client connects again`, async (t) => {
    const { window, kept } = page(t);
    const hide = () => window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
    const host = makeHost({ account, storage: "indexeddb" }, { forget: () => null });
    const { client } = host;
    await client.connect();
    hide();
    assert.deepEqual(Object.keys(kept), [`xmpp-pam:tab:${account}`]);
    kept["xmpp-pam:tab:alice@example.org"] = "of a page that spelled it otherwise";
    const forgotten = client.forget();
    await host.until("forget");
    hide();
    await forgotten;
    hide();
    assert.deepEqual(kept, {});
    await client.connect();
    hide();
    assert.deepEqual(Object.keys(kept), [`xmpp-pam:tab:${account}`]);
    await client.close();
  });
}

test("without a store, no session is left for the next page, also by a page that did not connect", async (t) => {
  const { window, kept } = page(t);
  for (const start of [(c) => c.subscriptions.ready, (c) => c.connect()]) {
    const { client } = makeHost({ storage: "indexeddb" }, { create: ({ account }) => ({ account, why: "no room" }) });
    await start(client);
    window.dispatchEvent(Object.assign(new Event("pagehide"), { persisted: false }));
    assert.deepEqual(kept, {}, String(start));
    await client.close();
  }
});
