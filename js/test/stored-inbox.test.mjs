// The page reads the newest events and all counts before the program runs, here from a simulated database. The records are
// those that sdk/internal/inbox/records.go describes; test/browser/inbox.test.mjs reads those that the program writes.

import assert from "node:assert/strict";
import { afterEach, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allFrozen, makeHost, rawState, turn } from "./host.mjs";

const account = "alice@localhost";
const service = "pubsub.localhost";
const [F, R] = ["\u001F", "\u001E"];
const row = (...fields) => fields.map((f) => f + F).join("") + R;
const seal = (...rows) => new TextEncoder().encode(rows.join("") + row("digest"));
const total = 60; // events, of which 53 are in the page
const kept = 53;

const key = (i) => (2n ** 63n + BigInt(1000 * i)).toString(16) + i.toString(16).padStart(16, "0");
const withoutBody = row("", "", "", "", "", "", ...Array(9).fill("")).slice(0, -1);
const entryBody = (i) => row("bob@localhost", "", "http://www.w3.org/2005/Atom", "", `<entry>${i}</entry>`, "1", "", `No. ${i}`, "S", "C", "https://l/", "https://i/", "A", "5", "").slice(0, -1);
const pageRow = (i, { body = entryBody(i), bodyKey = "", seen = ["unseen", "none", ""], type = "published" } = {}) =>
  [key(i), i.toString(36), service, i % 2 ? "news" : "songs", `item-${i}`, type, `${1000 * i}`, "payload", `${1000 * i + 1}`, "live", ...seen, bodyKey].map((f) => f + F).join("") + body + R;

/** The records of an inbox. */
function makeRecords() {
  const rows = Array.from({ length: kept }, (_, n) => n + total - kept).map((i) => pageRow(i, {
    ...(i === 58 && { seen: ["seen-here", "this-device", "99"] }), ...(i === 57 && { body: withoutBody, bodyKey: "inbox/xml/a" }), ...(i === 56 && { body: withoutBody, bodyKey: "inbox/xml/b" }),
    ...(i === 55 && { body: withoutBody, type: "purged" }), ...(i === 54 && { body: row("", "", "urn:x", "too-long", "", "", ...Array(9).fill("")).slice(0, -1) }),
  }));
  return new Map(Object.entries({
    "inbox/event/0": seal(row("for", "the", "program")),
    "inbox/meta": seal(row("1", "e", `${total}`, "31", "4", "3", `${kept}`, "777", "9", "next", "body", "s", "", "d", "1") + row("1", "2")),
    "inbox/node/0": seal(row(service, "songs", "11", "4", "58000", "0", "more"), row(service, "empty", "0", "0", "", "2")),
    "inbox/node/1": seal(row(service, "news", "20", "0", "59000", "1")),
    "inbox/page/0": seal(...rows.slice(20)),
    "inbox/page/1": seal(...rows.slice(0, 20)),
    "inbox/position/0": seal(row("x")),
    "inbox/since": seal(row(service, "a", "", "", "", account, "subscribed"), row("carol@localhost", "b", "id", account, "pending", account, "subscribed"), row(service, "c", "", account, "subscribed", "", "")),
    "inbox/xml/a": seal(row("99", "x"), "1l" + F + row("bob@localhost", "", "urn:long", "", "<long/>", "", ...Array(9).fill(""))),
    "inbox/xml/b": seal(row("other", "x")),
  }).sort());
}

let databases, log;
beforeEach(() => {
  databases = { [`xmpp-pam:${account}`]: { version: 1, records: makeRecords() } };
  log = [];
  globalThis.localStorage = { getItem: () => null, setItem: () => undefined };
  globalThis.IDBKeyRange = { bound: (from, to, above, below) => (key) => (above ? key > from : key >= from) && (below ? key < to : key <= to) };
  globalThis.indexedDB = { open };
});
afterEach(() => {
  for (const name of ["localStorage", "IDBKeyRange", "indexedDB"]) delete globalThis[name];
});

/** Simulates IDBFactory.open, as far as the page uses it: requests succeed in order, each in its own turn. */
function open(name, version) {
  log.push(["open", name, version]);
  const opening = { transaction: { abort: () => log.push(["abort"]) } };
  setTimeout(() => {
    const db = databases[name];
    if (!db) {
      opening.onupgradeneeded();
      return opening.onerror();
    }
    let closed = false;
    let last = sleep(db.delay ?? 0);
    const succeed = (result) => {
      const request = {};
      last = last.then(() => sleep(1)).then(() => {
        request.result = result;
        request.onsuccess?.();
      });
      return request;
    };
    opening.result = Object.assign(new EventTarget(), {
      version: db.version,
      close: () => {
        closed = true;
        log.push(["close"]);
      },
      transaction(store, mode = "readonly") {
        if (closed) throw new DOMException("the connection is closed", "InvalidStateError");
        log.push(["transaction", store, mode]);
        const found = (range) => [...db.records].filter(([k]) => range(k));
        return { objectStore: () => ({
          get: (k) => (log.push(["get", k]), succeed(db.records.get(k))),
          getAll: (range) => (log.push(["getAll"]), succeed(found(range).map(([, value]) => value))),
          getAllKeys: (range) => (log.push(["getAllKeys"]), succeed(found(range).map(([k]) => k))),
        }) };
      },
    });
    db.opened?.(opening.result);
    opening.onsuccess();
  });
  return opening;
}

/** Makes a client whose program cannot start, because the module never arrives. */
const held = (options = {}) => makeHost({ account, storage: "indexeddb", ...options, runtime: { wasm: new Promise(() => undefined) } });

test("counts, the newest events and what was missed are shown before the program has loaded", async () => {
  const { client, starts } = held();
  const states = [];
  client.inbox.subscribe((s) => states.push(s));
  const state = await client.inbox.ready;
  assert.equal(state, client.inbox.getSnapshot());
  assert.deepEqual([state.source, state.unseen, state.dropped, state.catchUp.phase], ["cache", 31, 4, "idle"]);
  assert.deepEqual(state.nodes.map((n) => [n.service, n.node, n.unseen, n.dropped, n.newest.getTime()]), [[service, "news", 20, 0, 59000], [service, "songs", 11, 4, 58000]]);
  const { added, changed, removed } = state.away.subscriptions;
  assert.deepEqual([state.away.since.getTime(), state.away.events, added.map((s) => s.node), changed.map(({ before, after }) => [before.state, after.state, after.subid, after.jid]), removed.map((s) => s.node)],
    [777, 9, ["a"], [["pending", "subscribed", "id", account]], ["c"]]);
  const newest = client.inbox.newest.getSnapshot();
  assert.deepEqual(newest.map((e) => e.itemId), Array.from({ length: 50 }, (_, n) => `item-${total - 1 - n}`));
  assert.ok(allFrozen(state) && allFrozen(newest));
  assert.deepEqual({ ...newest[0] }, {
    id: "1n", service, node: "news", itemId: "item-59", type: "published", publisher: "bob@localhost", occurredAt: new Date(59000), timeSource: "payload", receivedAt: new Date(59001), delivery: "live",
    seen: { state: "unseen", basis: "none" }, namespace: "http://www.w3.org/2005/Atom", xml: "<entry>59</entry>", entry: newest[0].entry, payload: newest[0].entry,
  });
  assert.deepEqual({ ...newest[0].entry }, { title: "No. 59", summary: "S", content: "C", link: "https://l/", image: "https://i/", author: "A", published: new Date(5) });
  assert.deepEqual(newest[1].seen, { state: "seen-here", basis: "this-device", at: new Date(99) });
  assert.deepEqual([newest[2].xml, newest[2].namespace, newest[2].publisher, newest[2].entry], ["<long/>", "urn:long", "bob@localhost", null]);
  assert.deepEqual([newest[3].xml, newest[3].omitted], [null, "unreadable"]);
  assert.deepEqual([newest[4].type, newest[4].xml, "omitted" in newest[4]], ["purged", null, false]);
  assert.deepEqual([newest[5].xml, newest[5].omitted], [null, "too-long"]);
  assert.equal(starts, 0);
  assert.deepEqual(states.map((s) => s.source), ["unread", "cache"]);
  assert.ok(log.every(([what, , mode]) => !["abort", "put"].includes(what) && (what !== "transaction" || mode === "readonly")));
  assert.equal(log.filter(([what]) => what === "close").length, log.filter(([what]) => what === "open").length);
  assert.deepEqual(log.filter(([what]) => what === "get").map(([, k]) => k).sort(), ["inbox/since", "inbox/xml/a", "inbox/xml/b", "sync"]);
});

test("each field of an event, of its body and of its entry has its place", async () => {
  const { records } = databases[`xmpp-pam:${account}`];
  const texts = { publisher: "p@x", redirect: "xmpp:r", namespace: "urn:n", omitted: "", xml: "<x/>" };
  const entry = { id: "i", title: "t", summary: "s", content: "c", link: "l", image: "im", author: "a" };
  const body = (more) => [...Object.values({ ...texts, ...more }), "1", ...Object.values(entry), "7", "8"];
  const event = (i, more, key, seen) => pageRow(i, { body: key ? withoutBody : row(...body(more)).slice(0, -1), bodyKey: key, seen });
  const own = (id, more) => seal(row("99", "x"), row(id, ...body(more)));
  records.set("inbox/meta", seal(row("1", "e", "3", "31", "4", "3", "3", "", "", "n")));
  records.set("inbox/page/0", seal(event(1, { publisher: "" }, "", ["seen-elsewhere", "mds", "6"]).replace("item-1", "")));
  records.set("inbox/page/1", seal(event(2, {}, "inbox/xml/a"), event(3, { omitted: "too-long", xml: "" })));
  records.set("inbox/xml/a", own("2"));
  const { client } = held();
  const { away } = await client.inbox.ready;
  const [third, second, first] = client.inbox.newest.getSnapshot().map((e) => ({ ...e }));
  const atom = { ...entry, published: new Date(7), updated: new Date(8) };
  const common = (i, node) => ({
    id: `${i}`, service, node, type: "published", occurredAt: new Date(1000 * i), timeSource: "payload", receivedAt: new Date(1000 * i + 1), delivery: "live",
    redirect: "xmpp:r", namespace: "urn:n", entry: atom, payload: atom,
  });
  const unseen = { state: "unseen", basis: "none" };
  assert.deepEqual(first, { ...common(1, "news"), xml: "<x/>", seen: { state: "seen-elsewhere", basis: "mds", at: new Date(6) } });
  assert.deepEqual(second, { ...common(2, "songs"), itemId: "item-2", publisher: "p@x", xml: "<x/>", seen: unseen });
  assert.deepEqual(third, { ...common(3, "news"), itemId: "item-3", publisher: "p@x", xml: null, omitted: "too-long", seen: unseen });
  assert.equal(away, null);
});

test("a page that does not use the inbox does not read it, until it does", async () => {
  const { client } = held();
  client.connect().catch(() => undefined);
  await sleep(50);
  assert.ok(!log.some(([, k]) => k === "inbox/since"));
  const shown = new Promise((resolve) => client.inbox.newest.subscribe((l) => l.length > 0 && resolve(l)));
  client.inbox.getSnapshot();
  assert.equal((await shown).length, 50);
  assert.equal(log.filter(([, k]) => k === "inbox/since").length, 1);
});

test("without storage nothing is read", async () => {
  const { client } = held({ storage: "memory" });
  client.inbox.getSnapshot();
  client.connect().catch(() => undefined);
  await sleep(50);
  assert.deepEqual(log, []);
});

test("list() returns the first page from the page's own records; everything else waits for the program", async () => {
  const { client } = held();
  const page = await client.inbox.list({ limit: 20 });
  assert.deepEqual([page.items.map((e) => e.itemId), page.cursor], [Array.from({ length: 20 }, (_, n) => `item-${total - 1 - n}`), key(total - 20)]);
  const whole = await client.inbox.list({ limit: kept }); // there are older events, which the page does not have
  assert.deepEqual([whole.items.length, whole.cursor], [kept, key(total - kept)]);
  assert.equal((await client.inbox.list()).items.length, 50);
  for (const query of [{ limit: kept + 1 }, { before: page.cursor }, { unseenOnly: true }, { target: { service } }]) {
    assert.equal(await Promise.race([client.inbox.list(query), sleep(50, "waits")]), "waits", JSON.stringify(query));
  }
});

test("list() returns all events if the page has all of them", async () => {
  const { records } = databases[`xmpp-pam:${account}`];
  records.set("inbox/meta", seal(row("1", "e", `${kept}`, "31", "4", "3", `${kept}`, "", "0", "n") ));
  records.delete("inbox/since"); // the user has never looked
  const { client } = held();
  const page = await client.inbox.list({ limit: 500 });
  assert.ok(allFrozen(page));
  assert.deepEqual([page.items.length, "cursor" in page, client.inbox.getSnapshot().away], [kept, false, null]);
  assert.ok(!("cursor" in await client.inbox.list({ limit: kept })));
  assert.equal((await client.inbox.list({ limit: 52 })).cursor, key(total - 52));
});

test("a record with any unexpected format is ignored until the program has loaded the inbox", async () => {
  const { records } = databases[`xmpp-pam:${account}`];
  const text = (k) => new TextDecoder().decode(records.get(k));
  const put = (k, value) => records.set(k, typeof value === "string" ? new TextEncoder().encode(value) : value);
  const kinds = {
    "no meta record": () => records.delete("inbox/meta"),
    "a higher format": () => put("inbox/meta", text("inbox/meta").replace("1", "2")),
    "another value": () => put("inbox/meta", "text"),
    "no bytes": () => records.set("inbox/meta", "text"),
    "no page": () => records.delete("inbox/page/1"),
    "a page that is cut": () => put("inbox/page/0", records.get("inbox/page/0").slice(0, -5)),
    "a row with a field less": () => put("inbox/page/0", text("inbox/page/0").replace(F, " ")),
    "no node": () => records.delete("inbox/node/0"),
    "counts that are none": () => put("inbox/node/1", text("inbox/node/1").replace("20", "x")),
    "a count that is not whole": () => put("inbox/meta", text("inbox/meta").replace("31", "1.5")),
    "a count that is empty": () => put("inbox/meta", text("inbox/meta").replace("31", "")),
    "a dropped count that is none": () => put("inbox/node/1", text("inbox/node/1").replace(`20${F}0`, `20${F}x`)),
    "a page of more rows": () => put("inbox/meta", text("inbox/meta").replace(`${F}${kept}${F}`, `${F}${kept - 1}${F}`)),
    "a page of fewer rows": () => put("inbox/meta", text("inbox/meta").replace(`${F}${kept}${F}`, `${F}${kept + 1}${F}`)),
    "more nodes": () => put("inbox/meta", text("inbox/meta").replace(`${F}3${F}`, `${F}2${F}`)),
    "a change with a field more": () => put("inbox/since", text("inbox/since").replace(`subscribed${F}${R}`, `subscribed${F}${F}${R}`)),
    "a row of the page with a field more": () => put("inbox/page/0", text("inbox/page/0").replace(`payload${F}`, `payload${F}${F}`)),
    "a negative count": () => put("inbox/meta", text("inbox/meta").replace("31", "-1")),
    "no UTF-8": () => put("inbox/page/0", records.get("inbox/page/0").with(3, 0xff)),
    "a change with a field less": () => put("inbox/since", text("inbox/since").replace(F, "")),
    "another schema": () => { databases[`xmpp-pam:${account}`].version = 2; },
    "no database": () => { databases = {}; },
  };
  for (const [kind, spoil] of Object.entries(kinds)) {
    databases = { [`xmpp-pam:${account}`]: { version: 1, records } };
    records.clear();
    for (const [k, value] of makeRecords()) records.set(k, value);
    spoil();
    log = [];
    const { client } = held();
    const ready = client.inbox.ready;
    const count = (...names) => log.filter(([what]) => names.includes(what)).length;
    for (const end = Date.now() + 5000; count("open") < 1 || count("close", "abort") < count("open");) {
      assert.ok(Date.now() < end, kind);
      await sleep(1);
    }
    assert.equal(await Promise.race([ready, sleep(10, "waits")]), "waits", kind);
    assert.deepEqual([client.inbox.getSnapshot().source, client.inbox.newest.getSnapshot().length], ["unread", 0], kind);
    assert.equal(count("close", "abort"), count("open"), kind);
  }
});

test("a body with any unexpected format leaves its event without XML", async () => {
  const { records } = databases[`xmpp-pam:${account}`];
  const text = new TextDecoder().decode(records.get("inbox/xml/a"));
  const bytes = (text) => new TextEncoder().encode(text);
  for (const value of [bytes(text.replace(`<long/>${F}`, "")), bytes(text.replace(`<long/>${F}`, `<long/>${F}${F}`)), bytes(text.replace("1l", "1m")), text, new Uint8Array([0xff]), undefined]) {
    records.set("inbox/xml/a", value);
    const { client } = held();
    await client.inbox.ready;
    const events = client.inbox.newest.getSnapshot();
    assert.deepEqual([events.length, events[2].xml, events[2].omitted, events[0].xml], [50, null, "unreadable", "<entry>59</entry>"]);
  }
});

/** The state and the newest events, as the program would post them for the records. */
function posted(client) {
  const { nodes, away: { since, events } } = client.inbox.getSnapshot();
  const row = (s, node, subid, state, kind) => [s, node, subid, account, state, kind];
  const changes = [
    [null, row(service, "a", "", "subscribed", "pubsub")], [row("carol@localhost", "b", "id", "pending", "pep"), row("carol@localhost", "b", "id", "subscribed", "pep")],
    [row(service, "c", "", "subscribed", "pubsub"), null],
  ];
  const raw = client.inbox.newest.getSnapshot().map((e) => ({
    id: e.id, service, node: e.node, item: e.itemId, type: e.type, ...(e.publisher && { publisher: e.publisher }), at: e.occurredAt.getTime(), source: e.timeSource, received: e.receivedAt.getTime(),
    delivery: e.delivery, seen: e.seen.state, basis: e.seen.basis, ...(e.seen.at && { seenAt: e.seen.at.getTime() }), ...(e.namespace && { namespace: e.namespace }), ...(e.omitted && { omitted: e.omitted }),
    ...(e.xml !== null && { xml: e.xml }), ...(e.entry && { entry: { ...e.entry, published: 5, updated: null } }),
  }));
  const state = {
    event: "inbox", unseen: 31, dropped: 4, away: { since: since.getTime(), events, changes }, nodes: nodes.map((n) => [n.service, n.node, n.unseen, n.dropped, n.newest.getTime()]).reverse(),
    catchUp: { since: null, nodes: 0, nodesDone: 0, received: 0, elsewhere: 0, gaps: [] },
  };
  return { state, raw };
}

test("an equal inbox from the program makes no new snapshot; a different one does", async () => {
  for (const differs of [false, true]) {
    const host = makeHost({ account, storage: "indexeddb" }, {
      create: () => ({ account, database: `xmpp-pam:${account}` }), load: () => undefined, inbox: () => undefined, events: () => undefined,
    });
    const { inbox } = host.client;
    const load = await (inbox.ready.then(() => host.until("load")));
    // What the list says of services is not known, as the database has no list: the program knows that Carol is a person.
    const { state, raw } = posted(host.client);
    if (!differs) for (const pair of state.away.changes) for (const r of pair) if (r) r[5] = "pubsub";
    const [first, newest] = [inbox.getSnapshot(), inbox.newest.getSnapshot()];
    const calls = [];
    inbox.subscribe((s) => calls.push(s));
    inbox.newest.subscribe((l) => calls.push(l));
    host.post({ event: "state", state: rawState("offline") });
    host.post({ event: "list", changes: [], provisional: [], source: "empty" });
    host.answer(load);
    const request = await host.until("inbox");
    host.post(state);
    host.answer(request);
    const events = await host.until("events");
    host.answer(events, { events: differs ? [{ ...raw[0], seen: "unknown" }, ...raw.slice(1)] : raw });
    await turn();
    await turn();
    assert.equal(inbox.getSnapshot() === first, !differs);
    assert.equal(inbox.newest.getSnapshot() === newest, !differs);
    assert.equal(calls.length, differs ? 4 : 2);
    assert.ok(inbox.newest.getSnapshot().every((e, i) => (e === newest[i]) === (!differs || i > 0)));
    assert.equal((await Promise.race([inbox.list({ limit: 5 }), sleep(30, "asks")])), "asks", "the page's records count no longer");
    await host.client.close();
  }
});

test("the kind of a service is what the list says", async () => {
  const { records } = databases[`xmpp-pam:${account}`];
  const chunk = new TextEncoder().encode(row("carol@localhost", "x", "", account, "subscribed", "pep"));
  records.set("list/meta", new TextEncoder().encode(row("2", "0", "v", "pam", "1", "1", "0") + row("list/000", "1", `${chunk.length}`, "0")));
  records.set("list/000", chunk);
  records.set("sync", new TextEncoder().encode(row("2", "", "", "5")));
  const { client } = held();
  const { changed, added } = (await client.inbox.ready).away.subscriptions;
  assert.deepEqual([client.subscriptions.getSnapshot().length, changed[0].after.kind, added[0].kind], [1, "pep", "pubsub"]);
});

test("the program's inbox is kept if it arrives first, and nothing is shown after close()", async () => {
  databases[`xmpp-pam:${account}`].delay = 60;
  const state = { event: "inbox", nodes: [], unseen: 0, dropped: 0, away: null, catchUp: { since: null, nodes: 0, nodesDone: 0, received: 0, elsewhere: 0, gaps: [] } };
  const host = makeHost({ account, storage: "indexeddb" }, { create: () => ({ account, database: `xmpp-pam:${account}` }), inbox: (_, h) => (h.post(state), null), events: () => ({ events: [] }) });
  assert.equal((await host.client.inbox.ready).unseen, 0);
  await sleep(200);
  assert.equal(host.client.inbox.getSnapshot().unseen, 0);
  const closed = held();
  closed.client.inbox.ready.catch(() => undefined);
  await sleep(5);
  await closed.client.close();
  await sleep(200);
  assert.equal(closed.client.inbox.getSnapshot().source, "unread");
});

test("the connection is closed when another page wants to change the database", async () => {
  let db;
  databases[`xmpp-pam:${account}`].delay = 50;
  databases[`xmpp-pam:${account}`].opened = (opened) => { db = opened; };
  const { client } = held();
  client.inbox.ready.catch(() => undefined);
  while (!log.some(([, k]) => k === "inbox/since")) await sleep(1);
  const closes = log.filter(([what]) => what === "close").length;
  db.onversionchange();
  db.dispatchEvent(new Event("versionchange"));
  assert.equal(log.filter(([what]) => what === "close").length, closes + 1);
  await sleep(100);
  assert.equal(client.inbox.getSnapshot().source, "unread");
});
