// client.inbox with a simulated program.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { PamError } from "../dist/index.js";
import { allFrozen, makeHost, rejects, turn } from "./host.mjs";
import { odd } from "./odd-values.mjs";

const service = "pubsub.example.org";
const idle = { since: null, nodes: 0, nodesDone: 0, received: 0, elsewhere: 0, gaps: [] };
const empty = { event: "inbox", nodes: [], unseen: 0, dropped: 0, away: null, catchUp: idle };
const change = (more = {}) => ({ event: "events", nodes: [], removed: [], updated: [], unseen: 0, dropped: 0, reset: false, ...more });
const atom = "http://www.w3.org/2005/Atom";
const raw = (id, more = {}) => ({
  id, service, node: "news", item: `i${id}`, type: "published", at: 1000, source: "payload", received: 2000, delivery: "live",
  seen: "unseen", basis: "none", namespace: "urn:example:song", xml: `<song xmlns='urn:example:song'>${id}</song>`, ...more,
});

/** Makes a host whose program has an inbox. `page` is the answer to the request for events. */
function inboxHost({ state = empty, page = { events: [] }, ...options } = {}, answers = {}) {
  const host = makeHost(options, {
    inbox: (_, h) => (h.post(state), null), events: () => host.page, markSeen: () => null, looked: () => null, setInterests: () => null, ...answers,
  });
  host.page = page;
  return host;
}

test("a page that does not use the inbox gets nothing of it", async () => {
  const host = inboxHost();
  await host.client.connect();
  await turn();
  assert.ok(!host.request("inbox") && !host.request("events"));
});

for (const [name, use] of Object.entries({
  "reads the state": (c) => c.inbox.getSnapshot(), "subscribes to the state": (c) => c.inbox.subscribe(() => undefined), "reads the newest events": (c) => c.inbox.newest.getSnapshot(),
  "subscribes to the newest events": (c) => c.inbox.newest.subscribe(() => undefined), "looks up a node": (c) => c.inbox.get({ service, node: "a" }),
  "listens to event": (c) => c.on("event", () => undefined), "listens to events": (c) => c.on("events", () => undefined), "listens to catchup": (c) => c.on("catchup", () => undefined),
})) {
  test(`the program posts the inbox to a page that ${name}, before or after connect()`, async () => {
    for (const late of [false, true]) {
      const host = inboxHost();
      if (!late) use(host.client);
      await host.client.connect();
      if (late) {
        assert.ok(!host.request("inbox"));
        use(host.client);
        await host.until("inbox");
      }
      const ops = host.requests.map((r) => r.op);
      assert.equal(ops.indexOf("inbox") < ops.indexOf("connect"), !late);
      await turn();
      assert.equal(host.requests.filter((r) => r.op === "inbox").length, 1);
    }
  });
}

test("the state is a snapshot that stays the same object while it is equal", async () => {
  const host = inboxHost();
  const { inbox } = host.client;
  assert.equal(inbox.getSnapshot(), inbox.getServerSnapshot());
  assert.deepEqual({ ...inbox.getSnapshot(), catchUp: 0 }, { source: "unread", unseen: 0, dropped: 0, nodes: [], away: null, catchUp: 0, seenScope: "unknown" });
  const states = [];
  inbox.subscribe((s) => states.push(s));
  const ready = await inbox.ready;
  assert.equal(ready, inbox.getSnapshot());
  assert.deepEqual([ready.source, ready.unseen, ready.nodes, ready.away, ready.catchUp.phase, ready.catchUp.completeness], ["cache", 0, [], null, "idle", "unknown"]);
  host.post(
    { event: "nodes", nodes: [[service, "b", 1, 0, 5], [service, "a", 2, 0, 7]] },
    { ...empty, nodes: [["a.example.org", "z", 3, 4, null]], unseen: 6, dropped: 4, away: { since: 9, events: 0, changes: [] }, catchUp: { ...idle, phase: "done", received: 1 } },
  );
  await turn();
  const first = inbox.getSnapshot();
  assert.deepEqual(first.nodes, [
    { service: "a.example.org", node: "z", unseen: 3, dropped: 4, newest: null }, { service, node: "a", unseen: 2, dropped: 0, newest: new Date(7) },
    { service, node: "b", unseen: 1, dropped: 0, newest: new Date(5) },
  ]);
  assert.deepEqual([first.source, first.unseen, first.dropped, first.away.since.getTime(), first.catchUp.received], ["server", 6, 4, 9, 1]);
  assert.ok(allFrozen(first));
  host.post(change({ nodes: [[service, "b", 1, 0, 5]], unseen: 6, dropped: 4 }), { event: "away", away: { since: 9, events: 0 } });
  await turn();
  assert.equal(inbox.getSnapshot(), first);
  host.post(change({ nodes: [[service, "b", 0, 1, 6], [service, "aa", 1, 0, 6]], unseen: 7, dropped: 5 }));
  await turn();
  const second = inbox.getSnapshot();
  assert.deepEqual(second.nodes.map((n) => [n.node, n.unseen, n.dropped]), [["z", 3, 4], ["a", 2, 0], ["aa", 1, 0], ["b", 0, 1]]);
  assert.ok(second.nodes[0] === first.nodes[0] && second.nodes[1] === first.nodes[1] && second.away === first.away);
  assert.equal(inbox.get({ service, node: "aa" }), second.nodes[2]);
  assert.equal(inbox.get({ service, node: "none" }), undefined);
  assert.deepEqual(states.map((s) => s.unseen), [0, 0, 6, 7]);
  host.post({ ...empty, nodes: ["a", "b", "c"].map((node) => [service, node, 0, 0, 1]) });
  await turn();
  assert.deepEqual(inbox.getSnapshot().nodes.map((n) => n.node), ["a", "b", "c"]);
  host.post({ ...empty, nodes: ["a", "b"].map((node) => [service, node, 0, 0, 1]) });
  await turn();
  assert.deepEqual(inbox.getSnapshot().nodes.map((n) => n.node), ["a", "b"]);
});

test("a change of one member of the state alone makes a new snapshot, and no change makes none", async () => {
  const host = inboxHost();
  const { inbox } = host.client;
  await inbox.ready;
  const running = { ...idle, phase: "running" };
  const base = { nodes: [[service, "a", 1, 2, 3]], unseen: 1, dropped: 2 };
  const first = { service, node: "a", unseen: 1, dropped: 2, newest: new Date(3) };
  const node = (more) => [{ ...first, ...more }];
  const noDelta = { added: [], removed: [], changed: [], origin: "resync", fromVer: null, toVer: null };
  let want = { ...inbox.getSnapshot() };
  for (const [posted, more] of [
    [change(base), { unseen: 1, dropped: 2, nodes: node() }],
    [change({ ...base, unseen: 3 }), { unseen: 3 }],
    [change({ unseen: 3, dropped: 4 }), { dropped: 4 }],
    [change({ unseen: 3, dropped: 4, nodes: [[service, "a", 5, 2, 3]] }), { nodes: node({ unseen: 5 }) }],
    [change({ unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, 3]] }), { nodes: node({ unseen: 5, dropped: 6 }) }],
    [change({ unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, 7]] }), { nodes: node({ unseen: 5, dropped: 6, newest: new Date(7) }) }],
    [change({ unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, null]] }), { nodes: node({ unseen: 5, dropped: 6, newest: null }) }],
    [change({ unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, 0]] }), { nodes: node({ unseen: 5, dropped: 6, newest: new Date(0) }) }],
    [{ event: "scope", scope: "account" }, { seenScope: "account" }],
    [{ event: "away", away: { since: 9, events: 8 } }, { away: { since: new Date(9), events: 8, subscriptions: noDelta } }],
    [{ event: "away", away: { since: 10, events: 8 } }, { away: { since: new Date(10), events: 8, subscriptions: noDelta } }],
    [{ event: "away", away: null }, { away: null }],
    [{ event: "catchup", state: running }, { catchUp: { ...want.catchUp, phase: "running" } }],
    [{ event: "catchup", state: { ...running, nodes: 4 } }, { catchUp: { ...want.catchUp, phase: "running", nodes: 4 } }],
    [{ event: "catchup", state: { ...idle, phase: "failed" } }, { catchUp: { ...want.catchUp, phase: "failed" } }],
    [{ event: "catchup", state: { ...idle, phase: "cancelled" } }, { catchUp: { ...want.catchUp, phase: "cancelled" } }],
    [{ event: "catchup", state: { ...idle, phase: "done" } }, { source: "server", catchUp: { ...want.catchUp, phase: "done" } }],
    [{ ...empty, unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, 0]] }, { source: "cache", catchUp: want.catchUp }],
    [{ ...empty, unseen: 3, dropped: 4, nodes: [[service, "a", 5, 6, 1]] }, { nodes: node({ unseen: 5, dropped: 6, newest: new Date(1) }) }],
    [{ ...empty, unseen: 3, dropped: 4, nodes: [] }, { nodes: [] }],
  ]) {
    const before = inbox.getSnapshot();
    want = { ...want, ...more };
    for (const same of [false, true]) {
      host.post(posted);
      await turn();
      assert.deepEqual({ ...inbox.getSnapshot() }, want, JSON.stringify(posted));
      if (same) assert.equal(inbox.getSnapshot(), host.last, JSON.stringify(posted));
      else assert.notEqual(inbox.getSnapshot(), before, JSON.stringify(posted));
      host.last = inbox.getSnapshot();
    }
  }
});

test("nodes are found among those of other services and with similar names", async () => {
  const names = ["a.example", "b.example", "c.example"].flatMap((s) => ["a", "ab", "b", "c"].map((node) => [s, node]));
  for (const step of [1, 5, 7, 11]) {
    const order = names.map((name, i) => [...name, i, 0, null]);
    const mixed = order.map((_, i) => order[(step * i + 4) % 12]);
    for (const state of [{ ...empty, nodes: mixed }, empty]) { // at once, and one by one
      const host = inboxHost({ state });
      const { inbox } = host.client;
      await inbox.ready;
      if (state === empty) host.post(...mixed.map((n) => change({ nodes: [n] })));
      await turn();
      assert.deepEqual(inbox.getSnapshot().nodes.map((n) => [n.service, n.node]), names);
      for (const [i, [s, node]] of names.entries()) assert.equal(inbox.get({ service: s, node })?.unseen, i, `${s} ${node}`);
      for (const [s, node] of [["a.example", "d"], ["a.example", "0"], ["b.example", "aa"], ["d.example", "a"], ["0", "c"]]) assert.equal(inbox.get({ service: s, node }), undefined);
      await host.client.close();
    }
  }
});

test("the newest events are those of the last answer, also if there are fewer, and at most 50", async () => {
  const ids = (n) => Array.from({ length: n }, (_, i) => `${n - i}`);
  const host = inboxHost({ page: { events: ids(60).map((id) => raw(id)) } });
  const { newest } = host.client.inbox;
  const lists = [];
  newest.subscribe((l) => lists.push(l.map((e) => e.id)));
  await host.client.inbox.ready;
  for (const [count, wanted] of [[1, ids(60).slice(0, 50)], [2, ["60", "59"]], [3, ["60"]], [4, []]]) {
    await host.until("events", count);
    await turn();
    assert.deepEqual(newest.getSnapshot().map((e) => e.id), wanted);
    assert.deepEqual(lists.at(-1), wanted);
    host.page = { events: ids(60).slice(0, 3 - count).map((id) => raw(id)) };
    if (count < 4) host.post(change());
  }
  assert.equal(lists.length, 5);
});

test("what was missed is summed up, with the changes of the list", async () => {
  const host = inboxHost();
  await host.client.inbox.ready;
  const row = (node, state) => [service, node, "", "alice@example.org", state, "pubsub"];
  host.post({ event: "away", away: { since: 5, events: 2, changes: [[null, row("a", "subscribed")], [row("b", "subscribed"), null], [[0, "c", 0, 0, "pending", 0], [0, 0, 0, 0, "subscribed", 0]]] } });
  await turn();
  const { away } = host.client.inbox.getSnapshot();
  const { added, removed, changed, origin } = away.subscriptions;
  assert.deepEqual([away.events, added.map((s) => s.node), removed.map((s) => [s.node, s.service]), changed.map((c) => [c.before.node, c.before.state, c.after.state]), origin],
    [2, ["a"], [["b", service]], [["c", "pending", "subscribed"]], "resync"]);
  host.post({ event: "away", away: { since: 5, events: 3 } });
  await turn();
  assert.equal(host.client.inbox.getSnapshot().away.events, 3);
  assert.equal(host.client.inbox.getSnapshot().away.subscriptions, away.subscriptions);
  host.post({ event: "away", away: null });
  await turn();
  assert.equal(host.client.inbox.getSnapshot().away, null);
});

test("the state says where events count as seen", async () => {
  const host = inboxHost();
  await host.client.inbox.ready;
  host.post(empty, { event: "scope", scope: "account" });
  await turn();
  const first = host.client.inbox.getSnapshot();
  assert.equal(first.seenScope, "account");
  host.post({ event: "scope", scope: "account" });
  await turn();
  assert.equal(host.client.inbox.getSnapshot(), first);
  host.post({ event: "scope", scope: "this-device" });
  await turn();
  assert.equal(host.client.inbox.getSnapshot().seenScope, "this-device");
});

test("a catch-up is reported with its gaps and its error", async () => {
  const host = inboxHost();
  const seen = [];
  host.client.on("catchup", (s) => seen.push(s));
  await host.client.inbox.ready;
  const state = { ...idle, phase: "failed", since: 3, nodes: 4, nodesDone: 2, received: 9, elsewhere: 1, completeness: "partial", gaps: [{ service, from: 1, to: 2, reason: "not-archived" }, { service, node: "n", from: 1, to: 2, reason: "error" }, { node: "o", reason: "error" }], error: { code: "timeout", text: "late" } };
  host.post({ event: "catchup", state: { ...idle, phase: "running" } }, { event: "catchup", state });
  await turn();
  const now = host.client.inbox.getSnapshot().catchUp;
  assert.deepEqual(seen.map((s) => s.phase), ["running", "failed"]);
  assert.equal(seen[1], now);
  assert.ok(allFrozen(now));
  const { error, ...rest } = now;
  assert.ok(PamError.is(error, "timeout"));
  assert.deepEqual(rest, {
    phase: "failed", since: new Date(3), nodes: 4, nodesDone: 2, received: 9, likelySeenElsewhere: 1, completeness: "partial",
    gaps: [{ service, from: new Date(1), to: new Date(2), reason: "not-archived" }, { service, node: "n", from: new Date(1), to: new Date(2), reason: "error" }, { service: "", node: "o", from: new Date(0), to: new Date(0), reason: "error" }],
  });
  host.exit("exit code 2");
  await turn();
  assert.deepEqual(host.client.inbox.getSnapshot().catchUp, { phase: "idle", since: null, nodes: 0, nodesDone: 0, received: 0, likelySeenElsewhere: 0, completeness: "unknown", gaps: [] });
});

test("new events are emitted one by one, and then the change", async () => {
  const host = inboxHost();
  const seen = [];
  host.client.on("event", (e) => seen.push([e.id, host.client.inbox.getSnapshot().unseen]));
  host.client.on("events", (c) => seen.push(c));
  await host.client.inbox.ready;
  const e1 = raw("1", { redirect: "xmpp:x", publisher: "bob@example.org", seen: "seen-here", basis: "this-device", seenAt: 5, entry: { title: "T", published: 4, updated: null } });
  const plain = { id: "2", service, node: "n", type: "purged", at: 0, source: "delay", received: 1, delivery: "catch-up", seen: "unknown", basis: "none", omitted: "too-long" };
  host.post({ event: "event", added: e1 });
  await turn();
  assert.deepEqual(seen, []);
  host.post({ event: "event", added: plain }, change({ unseen: 2, removed: ["7"], updated: ["8"], reset: true }));
  await turn();
  const [first, second, last] = seen;
  assert.deepEqual([first, second], [["1", 2], ["2", 2]]);
  const [a, b] = last.added;
  assert.deepEqual({ ...last, added: 0 }, { added: 0, removed: ["7"], updated: ["8"], reset: true });
  assert.deepEqual({ ...a }, {
    id: "1", service, node: "news", itemId: "i1", type: "published", redirect: "xmpp:x", publisher: "bob@example.org", occurredAt: new Date(1000), timeSource: "payload",
    receivedAt: new Date(2000), delivery: "live", seen: { state: "seen-here", basis: "this-device", at: new Date(5) }, namespace: "urn:example:song", xml: e1.xml,
    entry: { title: "T", published: new Date(4) }, payload: { title: "T", published: new Date(4) },
  });
  assert.equal(a.payload, a.entry);
  assert.deepEqual({ ...b }, {
    id: "2", service, node: "n", type: "purged", occurredAt: new Date(0), timeSource: "delay", receivedAt: new Date(1), delivery: "catch-up",
    seen: { state: "unknown", basis: "none" }, omitted: "too-long", xml: null, entry: null, payload: null,
  });
  assert.ok(allFrozen(last));
});

test("what a program had posted only in part is forgotten when it crashes", async () => {
  const host = inboxHost();
  const changes = [];
  host.client.on("events", (c) => changes.push(c));
  await host.client.inbox.ready;
  host.post({ event: "event", added: raw("1") }, { event: "nodes", nodes: [[service, "a", 1, 0, 1]] });
  await turn();
  host.exit("exit code 2");
  await turn();
  await host.client.connect();
  host.post(change({ unseen: 1 }));
  await turn();
  assert.deepEqual([changes.map((c) => c.added), host.client.inbox.getSnapshot().nodes], [[[]], []]);
});

test("a codec runs when the payload is read first, at most once for an event, also if its marks change", async () => {
  const runs = [];
  const codecs = { "urn:example:song": (xml) => (runs.push(xml), { xml }), [atom]: () => undefined };
  const host = inboxHost({ codecs });
  const { inbox } = host.client;
  codecs["urn:example:song"] = () => assert.fail("the options are read once");
  await inbox.ready;
  host.page = { events: [raw("1"), raw("2"), raw("3", { namespace: atom, xml: "<entry/>", entry: { title: "T", published: null, updated: null } }), raw("4", { xml: undefined, omitted: "unreadable" })] };
  const { items } = await inbox.list({ unseenOnly: true });
  assert.equal(runs.length, 0);
  assert.deepEqual(items[0].payload, { xml: raw("1").xml });
  assert.equal(items[0].payload, items[0].payload);
  assert.deepEqual([items[2].payload, items[2].entry.title, items[3].payload], [null, "T", null]);
  assert.equal(runs.length, 1);
  const again = await inbox.list({ unseenOnly: true });
  assert.ok(again.items.every((e, i) => e === items[i]));
  host.page = { events: [raw("1", { seen: "seen-here" }), raw("2", { xml: "<song/>" })] };
  const later = (await inbox.list({ unseenOnly: true })).items;
  assert.ok(later[0] !== items[0] && later[0].payload === items[0].payload);
  assert.deepEqual(later[1].payload, { xml: "<song/>" });
  assert.deepEqual(items[1].payload, { xml: raw("2").xml });
  assert.deepEqual(runs, [raw("1").xml, "<song/>", raw("2").xml]);
});

test("the namespace selects the codec, also no namespace, and a payload is decoded again if its namespace differs", async () => {
  const runs = [];
  const codecs = Object.fromEntries(["", "urn:a", "urn:b"].map((name) => [name, (xml) => (runs.push(`${name} ${xml}`), { name })]));
  const host = inboxHost({ codecs });
  const { inbox } = host.client;
  await inbox.ready;
  const read = async (more) => {
    host.page = { events: [raw("1", { xml: "<x/>", ...more })] };
    return (await inbox.list({ unseenOnly: true })).items[0];
  };
  const events = [];
  for (const more of [{ namespace: undefined }, { namespace: "urn:a" }, { namespace: "urn:b" }, { namespace: "urn:b", seen: "seen-here" }, { namespace: "urn:c" }, { namespace: "urn:b", xml: undefined }]) events.push(await read(more));
  assert.deepEqual(events.map((e) => ({ ...e }).payload), [{ name: "" }, { name: "urn:a" }, { name: "urn:b" }, { name: "urn:b" }, null, null]);
  assert.ok(Object.keys(events[0]).includes("payload"));
  assert.equal(events[2].payload, events[3].payload);
  assert.deepEqual(runs, [" <x/>", "urn:a <x/>", "urn:b <x/>"]);
});

test("an event is made anew if any of its members differs, and only then", async () => {
  const host = inboxHost();
  const { inbox } = host.client;
  await inbox.ready;
  const entry = { title: "T", published: 4, updated: null };
  const base = { entry, publisher: "bob@example.org" };
  let last;
  for (const more of [
    {}, { node: "n" }, { item: undefined }, { item: "j" }, { type: "retracted" }, { at: 1001 }, { source: "delay" }, { received: 2001 }, { delivery: "catch-up" }, { seen: "seen-here" }, { basis: "mds" }, { seenAt: 5 },
    { xml: "<y/>" }, { redirect: "xmpp:x" }, { publisher: undefined }, { omitted: "too-long" }, { entry: undefined }, { entry: { ...entry, title: "U" } }, { entry: { ...entry, published: null } }, { entry: { ...entry, id: "i" } }, {},
  ]) {
    for (const same of [false, true]) {
      host.page = { events: [raw("1", { ...base, ...more })] };
      const [event] = (await inbox.list({ unseenOnly: true })).items;
      assert.equal(event === last, same, JSON.stringify(more));
      last = event;
    }
  }
});

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc");

test("an event that the page holds stays the same object, however many there are", async () => {
  const host = inboxHost();
  const { inbox } = host.client;
  const ids = Array.from({ length: 2500 }, (_, i) => `e${i}`);
  host.page = { events: ids.map((id) => raw(id)) };
  const first = (await inbox.list({ unseenOnly: true })).items;
  await turn();
  collectGarbage();
  const again = (await inbox.list({ unseenOnly: true })).items;
  assert.ok(again.every((e, i) => e === first[i]));
});

test("an event that no longer has a member is made anew, without it", async () => {
  const host = inboxHost();
  const { inbox } = host.client;
  await inbox.ready;
  host.page = { events: [raw("1", { xml: undefined, omitted: "unreadable" })] };
  const [before] = (await inbox.list({ unseenOnly: true })).items;
  host.page = { events: [raw("1", { xml: undefined })] };
  const [event] = (await inbox.list({ unseenOnly: true })).items;
  assert.equal(before.omitted, "unreadable");
  assert.ok(event !== before && !("omitted" in event));
});

test("a codec that throws gives null and one warning, after the code that reads the payload", async () => {
  const host = inboxHost({ codecs: { "urn:example:song": () => { throw new TypeError("no song"); } } });
  const warnings = [];
  host.client.on("warning", (e) => warnings.push(e));
  await host.client.inbox.ready;
  host.page = { events: [raw("1")] };
  const { items: [event] } = await host.client.inbox.list({ unseenOnly: true });
  assert.equal(event.payload, null);
  assert.equal(event.payload, null);
  assert.equal(warnings.length, 0);
  await turn();
  assert.deepEqual(warnings.map((e) => [e.code, /urn:example:song.*no song/.test(e.message), e.cause instanceof TypeError]), [["bad-options", true, true]]);
});

test("the newest events are requested again after a change, once for all in 100 ms", async (t) => {
  const real = setTimeout;
  const resting = []; // clients of other tests may be among them
  t.mock.method(globalThis, "setTimeout", (fn, ms, ...args) => (ms === 100 ? void resting.push(fn) : real(fn, ms, ...args)));
  const rested = () => { for (const end of resting.splice(0)) end(); }; // ends the 100 ms
  const pending = [];
  const host = inboxHost({}, { events: (r) => void pending.push(r) });
  const { newest } = host.client.inbox;
  const lists = [];
  newest.subscribe((l) => lists.push(l));
  await host.client.inbox.ready;
  await host.until("events");
  assert.deepEqual(pending.map(({ id: _, ...r }) => r), [{ op: "events", service: "", node: "", unseenOnly: false, before: "", limit: 50 }]);
  for (let i = 0; i < 3; i++) host.post(change({ unseen: i }));
  await turn();
  assert.equal(pending.length, 1);
  host.answer(pending[0], { events: [raw("1")] });
  await turn();
  host.post(change({ unseen: 4 }));
  await turn();
  assert.equal(pending.length, 1);
  rested();
  await host.until("events", 2);
  host.answer(pending[1], { events: [raw("2"), raw("1")] });
  await turn();
  rested();
  await turn();
  assert.equal(pending.length, 2);
  assert.deepEqual(lists.map((l) => l.map((e) => e.id)), [[], ["1"], ["2", "1"]]);
  assert.equal(lists[2][1], lists[1][0]);
  host.post(change({ unseen: 7 }));
  await host.until("events", 3);
  host.answer(pending[2], { events: [raw("2"), raw("1")] });
  await turn();
  assert.equal(newest.getSnapshot(), lists[2]);
  assert.ok(Object.isFrozen(lists[2]));
  host.post(change());
  await turn();
  host.exit("exit code 2");
  await turn();
  assert.equal(newest.getSnapshot(), lists[2]);
});

test("list() passes its query on, and returns a page", async () => {
  const host = inboxHost({ page: { events: [raw("1")], cursor: "c" } });
  const page = await host.client.inbox.list({ target: { service, node: "n" }, unseenOnly: true, before: "b", limit: 7 });
  assert.deepEqual([page.items.map((e) => e.id), page.cursor], [["1"], "c"]);
  assert.ok(Object.isFrozen(page) && Object.isFrozen(page.items));
  const { id: _, op: __, ...query } = host.request("events");
  assert.deepEqual(query, { service, node: "n", unseenOnly: true, before: "b", limit: 7 });
  for (const [given, sent] of [[{}, { service: "", node: "", limit: 50 }], [{ target: { service } }, { service, node: "", limit: 50 }], [{ limit: 9999 }, { service: "", node: "", limit: 500 }]]) {
    host.requests.length = 0;
    host.page = { events: [] };
    assert.ok(!("cursor" in await host.client.inbox.list(given)));
    const found = host.requests.findLast((r) => r.op === "events" && r.limit === sent.limit);
    assert.deepEqual([found.service, found.node], [sent.service, sent.node]);
  }
});

test("list() does not wait for the state of the inbox", async () => {
  const host = inboxHost({ page: { events: [raw("1")] } }, { inbox: () => undefined });
  const page = await host.client.inbox.list({ timeoutMs: 5000 });
  assert.deepEqual(page.items.map((e) => e.id), ["1"]);
});

test("catchUp() waits for the end of the catch-up, and cancels it when its signal is aborted", async () => {
  const state = { ...empty, catchUp: { ...idle, phase: "running", nodes: 2 } };
  const progress = (phase, more) => ({ event: "catchup", state: { ...state.catchUp, phase, ...more } });
  const host = inboxHost({ state }, { catchUp: (_, h) => (h.post(state), null), cancelCatchUp: () => null });
  const { client } = host;
  await client.connect();
  const first = client.inbox.catchUp();
  const controller = new AbortController();
  const second = client.inbox.catchUp({ signal: controller.signal }).catch((e) => e.code);
  await host.until("catchUp");
  await turn();
  controller.abort();
  assert.equal(await second, "aborted");
  await turn();
  assert.equal(host.requests.filter((r) => r.op === "cancelCatchUp").length, 1);
  host.post(progress("done", { nodesDone: 2, completeness: "complete" }));
  const { phase, completeness } = await first;
  assert.deepEqual([phase, completeness, host.requests.filter((r) => r.op === "cancelCatchUp").length], ["done", "complete", 1]);
  const timed = inboxHost({ state }, { catchUp: (_, h) => (h.post(state), null), cancelCatchUp: () => null });
  await timed.client.connect();
  assert.equal(await timed.client.inbox.catchUp({ timeoutMs: 20 }).catch((e) => e.code), "timeout");
  await timed.until("cancelCatchUp");
  const done = inboxHost({}, { catchUp: (_, h) => (h.post(empty), null) });
  await done.client.connect();
  assert.equal((await done.client.inbox.catchUp()).phase, "idle"); // nothing to wait for
});

test("markSeen(), looked() and setInterests() reach the program", async () => {
  const host = inboxHost({ interests: [{ service, node: "a", prefix: true }, { payload: atom, prefix: false }] });
  const { client } = host;
  await client.setInterests([{ node: "b" }]);
  assert.equal(host.starts, 0);
  await client.inbox.markSeen(["1", "2"]);
  await client.inbox.markSeen({ upTo: "3" });
  await client.inbox.looked();
  await client.setInterests(null);
  await client.setInterests([]);
  const sent = (op) => host.requests.filter((r) => r.op === op).map(({ id: _, op: __, ...r }) => r);
  assert.deepEqual(sent("markSeen"), [{ ids: ["1", "2"], upTo: "" }, { ids: [], upTo: "3" }]);
  assert.deepEqual(sent("looked"), [{}]);
  assert.deepEqual(sent("setInterests"), [{ interests: null }, { interests: [] }]);
  assert.deepEqual(host.request("create").interests, [["", "b", "", ""]]);
  host.exit("exit code 2");
  await turn();
  await client.connect();
  assert.deepEqual(host.requests.filter((r) => r.op === "create").at(-1).interests, []);
  const other = inboxHost({ interests: [{ service, node: "a", prefix: true }, { payload: atom, prefix: false }] });
  await other.client.connect();
  assert.deepEqual(other.request("create").interests, [[service, "a", "*", ""], ["", "", "", atom]]);
  const none = inboxHost();
  await none.client.connect();
  assert.equal(none.request("create").interests, null);
});

test("arguments with any value reject the promise with an error of this library", async () => {
  const host = inboxHost();
  const { client } = host;
  await client.inbox.ready;
  await turn();
  const runs = [
    (x) => client.inbox.list(x), (x) => client.inbox.list({ target: x }), (x) => client.inbox.list({ target: { service: x } }), (x) => client.inbox.list({ target: { service, node: x } }),
    (x) => client.inbox.list({ unseenOnly: x }), (x) => client.inbox.list({ before: x }), (x) => client.inbox.list({ limit: x }), (x) => client.inbox.markSeen(x), (x) => client.inbox.markSeen([x]),
    (x) => client.inbox.markSeen({ upTo: x }), (x) => client.setInterests(x), (x) => client.setInterests([x]), (x) => client.setInterests([{ node: x }]), (x) => client.setInterests([{ node: "a", prefix: x }]),
  ];
  const before = host.requests.length;
  for (const run of runs) {
    for (const x of [Symbol("s"), -1, "", ...odd]) {
      await run(x).then(() => undefined, (e) => assert.ok(PamError.is(e), `${run}: ${String(e)}`));
    }
  }
  for (const call of [() => client.inbox.list({ target: {} }), () => client.inbox.list({ target: { service: "" } }), () => client.inbox.list({ limit: 0 }), () => client.inbox.list({ unseenOnly: 1 }), () => client.inbox.list({ other: 1 }),
    () => client.inbox.markSeen("1"), () => client.inbox.markSeen([1]), () => client.inbox.markSeen({ upTo: "" }), () => client.inbox.markSeen({ upTo: "1", also: 1 }), () => client.setInterests([{}]), () => client.setInterests([{ prefix: true }]),
    () => client.setInterests("a"), () => client.setInterests(undefined), () => client.setInterests([{ node: 1 }])]) await rejects(call(), "bad-options");
  assert.ok(host.requests.length < before + 200);
  assert.throws(() => client.inbox.get({ service: 1, node: "a" }), (e) => PamError.is(e, "bad-options"));
  for (const bad of [{ codecs: 5 }, { codecs: { a: 1 } }, { codecs: [] }, { interests: 5 }, { interests: [{}] }, { interests: [{ node: "a", more: 1 }] }]) {
    assert.throws(() => makeHost(bad), (e) => PamError.is(e, "bad-options"), JSON.stringify(bad));
  }
});

test("ready rejects when the client is closed, and a program that ends leaves nothing open", async () => {
  const host = inboxHost({}, { inbox: () => undefined });
  const ready = rejects(host.client.inbox.ready, "closed");
  await host.until("inbox");
  await host.client.close();
  await ready;
  await rejects(host.client.inbox.list(), "closed");
});
