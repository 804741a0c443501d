// The page reads the stored list before the program runs, here from a simulated database.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { afterEach, beforeEach, test } from "node:test";
import { makeHost, rawState, turn } from "./host.mjs";

const dump = JSON.parse(readFileSync(new URL("../../sdk/internal/engine/testdata/stored/format-2.json", import.meta.url), "utf8"));
const account = "alice@localhost";
const database = "xmpp-pam:alice@localhost";
const kind = (service) => (service.includes("@") ? "pep" : "pubsub");
const rows = dump.rows.map((r) => [...r, kind(r[0])]);
const asOf = new Date(dump.lastSynced).toISOString();

let items, databases, log;

beforeEach(() => {
  items = new Map();
  databases = { [database]: { version: 1, records: new Map(Object.entries(dump.records).sort().map(([key, value]) => [key, new Uint8Array(Buffer.from(value, "base64"))])) } };
  log = [];
  globalThis.localStorage = new Proxy({
    getItem: (key) => items.get(key) ?? null, setItem: (key, value) => void items.set(key, value), removeItem: (key) => void items.delete(key),
  }, { ownKeys: () => [...items.keys()], getOwnPropertyDescriptor: () => ({ enumerable: true, configurable: true }) });
  globalThis.IDBKeyRange = { bound: (from, to, above, below) => (key) => (above ? key > from : key >= from) && (below ? key < to : key <= to) };
  globalThis.indexedDB = { open };
});
afterEach(() => {
  for (const name of ["localStorage", "IDBKeyRange", "indexedDB"]) delete globalThis[name];
});

/** Simulates IDBFactory.open, as far as the page uses it. */
function open(name, version) {
  log.push(["open", name, version]);
  const request = { transaction: { abort: () => log.push(["abort"]) } };
  setTimeout(() => {
    const found = databases[name];
    if (!found) {
      request.onupgradeneeded();
      return request.onerror();
    }
    request.result = Object.assign(new EventTarget(), {
      version: found.version,
      close: () => log.push(["close"]),
      transaction(store, mode = "readonly") {
        log.push(["transaction", store, mode]);
        if (!found.records) throw new DOMException("no such store", "NotFoundError");
        const last = {};
        const tx = {
          objectStore: () => ({
            get: (key) => Object.assign(last, { result: found.records.get(key) }),
            getAll: (range) => ({ result: [...found.records].filter(([key]) => range(key)).map(([, value]) => value) }),
            getAllKeys: (range) => ({ result: [...found.records.keys()].filter(range) }),
          }),
        };
        (found.before ?? ((go) => go()))(() => setTimeout(() => last.onsuccess()), request.result, tx);
        return tx;
      },
    });
    request.onsuccess();
  });
  return request;
}

/** Makes a client whose program cannot start, because the module never arrives. */
const held = (options = {}) => makeHost({ account, storage: "indexeddb", ...options, runtime: { wasm: new Promise(() => undefined) } });

async function until(condition) {
  for (const end = Date.now() + 5000; !condition();) {
    assert.ok(Date.now() < end, String(condition));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("the complete stored list is shown before the program has loaded", async () => {
  const { client, starts } = held();
  assert.equal(client.subscriptions.getSnapshot().source, "unread");
  const list = await client.subscriptions.ready;
  assert.equal(list, client.subscriptions.getSnapshot());
  assert.deepEqual([list.source, list.ver, list.asOf, list.length], ["cache", dump.version, asOf, rows.length]);
  const shown = list.map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state, r.kind]);
  assert.deepEqual(shown.sort(), rows.toSorted());
  assert.ok(list.every((r, i) => Object.isFrozen(r) && (i === 0 || list[i - 1].key < r.key)));
  assert.equal(starts, 0);
  assert.deepEqual(log, [["open", database, undefined], ["transaction", "records", "readonly"], ["close"]]);
});

test("the list of an account that is spelled otherwise is found by an entry in localStorage", async () => {
  const spelled = "Alice@Localhost";
  const without = held({ account: spelled }).client;
  without.subscriptions.ready.catch(() => undefined);
  await turn();
  await turn();
  assert.equal(without.subscriptions.getSnapshot().source, "unread");
  assert.deepEqual(log, [["open", `xmpp-pam:${spelled}`, undefined], ["abort"]]);
  items.set(`xmpp-pam:database:${spelled}`, database);
  log = [];
  const { client } = held({ account: spelled });
  assert.equal((await client.subscriptions.ready).length, rows.length);
  assert.deepEqual(log, [["open", `xmpp-pam:${spelled}`, undefined], ["abort"], ["open", database, undefined], ["transaction", "records", "readonly"], ["close"]]);
});

const record = (...rows) => new TextEncoder().encode(rows.map((fields) => `${fields.join("\u001F")}\u001F\u001E`).join(""));
const chunks = [record([account, "a", "", account, "subscribed", "pep"], ["s", "b", "x", account, "pending", "pubsub"]), record(["s", "a", "", account, "subscribed", "pubsub"])];
/** A list in two chunks. `meta` and `sync` are fields of the records, by their positions. */
function small({ meta = {}, first = {}, sync = {}, all = chunks, more = [] } = {}) {
  const head = Object.assign(["2", "0", "v", "pam", `${all.length && 3}`, `${all.length}`, "0"], meta);
  const others = all.map((chunk, i) => [`list/00${i}`, ["2", "1"][i], `${chunk.length}`, "0"]);
  if (others[0]) Object.assign(others[0], first);
  return new Map(Object.entries({ "list/meta": record(head, ...others, ...more), ...Object.fromEntries(all.map((c, i) => [`list/00${i}`, c])), sync: record(Object.assign(["2", "", "", "5"], sync)) }));
}

test("version and time of the stored list may be absent, and an empty list with a version is a list", async () => {
  for (const [given, want] of [
    [{}, ["cache", "v", "1970-01-01T00:00:00.005Z", "a,a,b"]], [{ meta: { 2: "" } }, ["cache", null, "1970-01-01T00:00:00.005Z", "a,a,b"]], [{ sync: { 3: "" } }, ["cache", "v", null, "a,a,b"]],
    [{ all: [] }, ["cache", "v", "1970-01-01T00:00:00.005Z", ""]], [{ all: [], meta: { 2: "" } }, ["unread", null, null, ""]],
  ]) {
    databases[database].records = small(given);
    const { client } = held();
    client.subscriptions.ready.catch(() => undefined);
    await until(() => log.some(([what]) => what === "close"));
    await turn();
    const list = client.subscriptions.getSnapshot();
    assert.deepEqual([list.source, list.ver, list.asOf, list.map((r) => r.node).join()], want, JSON.stringify(given));
    log = [];
    await client.close();
  }
});

test("a name keeps all of its characters", async () => {
  const names = ["\uFEFFs", "\uFEFF", "\u00e9", "\u{1F600}", " s "];
  databases[database].records = small({ all: names.map((name) => record([name, `n${name}`, "", account, "subscribed", "pubsub"])), meta: { 4: `${names.length}` } });
  const meta = ["list/000", "list/001", "list/002", "list/003", "list/004"].map((key) => [key, "1", `${databases[database].records.get(key).length}`, "0"]);
  databases[database].records.set("list/meta", record(["2", "0", "v", "pam", `${names.length}`, `${names.length}`, "0"], ...meta));
  const { client } = held();
  assert.deepEqual((await client.subscriptions.ready).map((r) => [r.service, r.node]), names.toSorted().map((name) => [name, `n${name}`]));
});

test("connect() also shows the stored list", async () => {
  const { client } = held();
  client.connect().catch(() => undefined);
  await until(() => client.subscriptions.getSnapshot().length === rows.length);
});

test("an equal list from the program makes no new snapshot; a different one calls the listeners", async () => {
  for (const [list, differs] of [[rows, 0], [rows.slice(1), 1]]) {
    const host = makeHost({ account, storage: "indexeddb" }, {
      create: () => ({ account: account.toLowerCase(), database }),
      load: () => undefined,
    });
    const { client } = host;
    const snapshots = [];
    const deltas = [];
    client.subscriptions.subscribe((s) => snapshots.push(s));
    client.on("subscriptions", (d) => deltas.push(d));
    const first = await client.subscriptions.ready;
    const load = await host.until("load");
    host.post({ event: "state", state: rawState("offline", { lastSynced: dump.lastSynced }) });
    host.post({ event: "more", changes: list.slice(0, 200).map((r) => [null, r]) });
    host.post({ event: "list", changes: list.slice(200).map((r) => [null, r]), provisional: [], ver: dump.version, source: "cache" });
    host.answer(load);
    await until(() => client.runtime.getSnapshot().phase === "running");
    assert.equal(client.subscriptions.getSnapshot() === first, differs === 0);
    assert.deepEqual(snapshots.map((s) => [s.source, s.length]), [["unread", 0], ["cache", rows.length], ...(differs ? [["cache", list.length]] : [])]);
    assert.deepEqual(deltas.map((d) => [d.added.length, d.removed.length, d.changed.length, d.origin]), differs ? [[0, 1, 0, "resync"]] : []);
  }
});

test("the program's list is kept if it arrives first", async () => {
  databases[database].before = (go) => setTimeout(go, 50);
  const host = makeHost({ account, storage: "indexeddb" }, { create: () => ({ account, database }), load: () => ({ list: [], provisional: [], source: "empty" }) });
  const list = await host.client.subscriptions.ready;
  assert.deepEqual([list.length, list.source], [0, "empty"]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(host.client.subscriptions.getSnapshot(), list);
});

test("a record with any unexpected format is ignored until the program has loaded the list", async () => {
  const { records } = databases[database];
  const text = (key) => new TextDecoder().decode(records.get(key));
  const put = (key, value) => records.set(key, typeof value === "string" ? new TextEncoder().encode(value) : value);
  const kinds = {
    "no database": () => { databases = {}; },
    "no store": () => { delete databases[database].records; },
    "another schema": () => { databases[database].version = 2; },
    "no records": () => records.clear(),
    "no meta record": () => records.delete("list/meta"),
    "a higher format": () => put("list/meta", text("list/meta").replace("2", "3")),
    "the format before": () => put("list/meta", Uint8Array.of(1, 2, 3)),
    "another mode": () => put("list/meta", text("list/meta").replace("pam", "map")),
    "a meta record that is cut": () => put("list/meta", text("list/meta").slice(0, 60)),
    "a count that differs": () => put("list/meta", text("list/meta").replace(`${rows.length}`, "291")),
    "a transaction that is aborted": () => { databases[database].before = (_go, _db, tx) => setTimeout(() => tx.onabort()); },
    "text after the meta record": () => put("list/meta", `${text("list/meta")}x`),
    "text after the record of the last sync": () => put("sync", `${text("sync")}x`),
    "another number of rows in a chunk": () => { databases[database].records = small({ first: { 1: "1" } }); },
    "another length of a chunk": () => { databases[database].records = small({ first: { 2: "1" } }); },
    "another key of a chunk": () => { databases[database].records = small({ first: { 0: "list/009" } }); },
    "another number of chunks": () => { databases[database].records = small({ meta: { 5: "3" } }); },
    "a meta record with a field more": () => { databases[database].records = small({ meta: { 7: "" } }); },
    "a time of the last sync of another format": () => { databases[database].records = small({ sync: { 0: "3" } }); },
    "a time of the last sync that is none": () => { databases[database].records = small({ sync: { 3: "x" } }); },
    "no chunk": () => records.delete("list/001"),
    "a chunk that is cut": () => put("list/001", records.get("list/001").slice(0, -10)),
    "a chunk of other length": () => put("list/001", `${text("list/001")}x`),
    "a row without an end": () => put("list/001", text("list/001").replace("\u001E", " ")),
    "a row with a field less": () => put("list/001", text("list/001").replace("\u001F", " ")),
    "no UTF-8": () => put("list/000", records.get("list/000").with(3, 0xff)),
    "no bytes": () => put("list/000", { what: "is this" }),
    "no record of the last sync": () => records.delete("sync"),
    "a record of the last sync of another format": () => put("sync", Uint8Array.of(1, 2)),
    "a database that goes away": () => { databases[database].before = (go, db) => { db.onversionchange(); db.dispatchEvent(new Event("versionchange")); go(); }; },
  };
  for (const [name, spoil] of Object.entries(kinds)) {
    databases = { [database]: { version: 1, records } };
    for (const [key, value] of Object.entries(dump.records)) put(key, new Uint8Array(Buffer.from(value, "base64")));
    spoil();
    log = [];
    const { client } = held();
    client.subscriptions.ready.catch(() => undefined);
    await turn();
    await turn();
    assert.deepEqual([client.subscriptions.getSnapshot().source, client.subscriptions.getSnapshot().length], ["unread", 0], name);
    const count = (what) => log.filter(([w]) => w === what).length;
    assert.ok(count("open") <= count("close") + count("abort"), `${name}: ${JSON.stringify(log)}`);
    await client.close();
  }
});

test("the page reads no list with memory storage or after close()", async () => {
  const { client } = held({ storage: "memory" });
  client.subscriptions.ready.catch(() => undefined);
  await turn();
  assert.deepEqual(log, []);
  const { client: closed } = held();
  closed.subscriptions.ready.catch(() => undefined);
  await closed.close();
  await turn();
  assert.equal(closed.subscriptions.getSnapshot().source, "unread");
  assert.deepEqual(log, [["open", database, undefined], ["close"]]);
});

test("close() closes the database while its records are read", async () => {
  databases[database].before = () => undefined; // the records never arrive
  const { client } = held();
  client.subscriptions.ready.catch(() => undefined);
  await until(() => log.some(([what]) => what === "transaction"));
  assert.notDeepEqual(log.at(-1), ["close"]);
  await client.close();
  assert.deepEqual(log.at(-1), ["close"]);
});

const storedChange = { event: "changed", changes: [], origin: "other-device", source: "server", stored: true };

test("the database name is stored with the first commit if the account is spelled otherwise, and forget() removes it for every spelling", async () => {
  const other = "xmpp-pam:database:someone@else";
  for (const spelled of [account, "Alice@localhost"]) {
    items.clear();
    const entry = `xmpp-pam:database:${spelled}`;
    const host = makeHost({ account: spelled, storage: "indexeddb" }, {
      create: () => ({ account, database }),
      forget: (_request, h) => { h.post(storedChange); return null; },
    });
    await host.client.connect();
    await turn();
    assert.deepEqual([...items], []);
    const noted = spelled === account ? undefined : database;
    host.post(storedChange);
    await turn();
    assert.equal(items.get(entry), noted);
    items.set("xmpp-pam:database:ALICE@localhost", database).set(other, "xmpp-pam:another").set("mine", database);
    await host.client.forget();
    assert.deepEqual([...items], [[other, "xmpp-pam:another"], ["mine", database]]);
    host.post(storedChange);
    await turn();
    assert.equal(items.get(entry), noted);
    await host.client.close();
  }
});

test("the database name is stored when the program has read or written the list there, and not before", async () => {
  const list = (source) => ({ event: "list", changes: [], provisional: [], source });
  const { stored, ...unstored } = storedChange;
  for (const [posted, noted] of [
    [list("cache"), true], [{ ...unstored, stored }, true], [list("empty"), false], [list("server"), false], [unstored, false], [{ ...unstored, stored: false }, false],
    [{ event: "state", state: rawState("live") }, false],
  ]) {
    for (const where of [database, undefined]) {
      items.clear();
      const host = makeHost({ account: "Alice@localhost", storage: "indexeddb" }, { create: () => ({ account, ...(where ? { database: where } : { why: "no room" }) }) });
      await host.client.connect();
      host.post(posted);
      await turn();
      assert.deepEqual([...items], noted && where ? [["xmpp-pam:database:Alice@localhost", database]] : [], JSON.stringify([posted, where]));
      await host.client.close();
    }
  }
});
