// IndexedDB that is evicted, full, newer than the program, corrupt, or shared by several tabs. The client then uses the list
// in memory, `sync` shows that storage failed and why, and no version is ever used without its list.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing, root } from "./lib/need.mjs";
import { databaseOf } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";

const skip = missing();
const target = "pubsub.localhost";
const nodes = Array.from({ length: 6 }, (_, i) => `node-${i}`);

describe("storage", { skip, timeout: 300_000 }, () => {
  let demo, lab, browser, service, context, account, desk;
  let serial = 0;

  before(async () => {
    await Promise.all([ // all must be stopped if one fails
      startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; }),
    ]);
    service = socketOf(await demo.device("Phone"));
    for (const name of nodes) await demo.post("node", { name });
  });
  after(() => Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]));
  beforeEach(async () => {
    context = await browser.newContext();
    account = `keeper${serial++}`;
    await demo.post("account", { name: account, password: canary });
    for (const node of nodes.slice(0, 3)) await change(node, "subscribed");
  });
  afterEach(() => context.close());

  const change = (node, state) => demo.post("change", { account, node, state });
  const database = () => databaseOf(`${account}@localhost`);

  /** Opens a tab with a client, which connects unless `connect` is false. */
  async function open({ connect = true, worker } = {}) {
    const page = await context.newPage();
    await page.goto(lab.url);
    await begin(page, connect, worker);
    return page;
  }
  async function begin(page, connect, worker) {
    await makeClient(page, service, { account: `${account}@localhost`, mechanisms: ["PLAIN"], worker });
    await page.evaluate((connect) => (connect ? client.connect() : client.subscriptions.ready), connect);
    await until(() => page.evaluate(() => client.runtime.getSnapshot().phase === "running")); // the page itself may have read the list
  }
  const shown = (page) => page.evaluate(() => client.subscriptions.getSnapshot().map((r) => r.node));
  const version = (page) => page.evaluate(() => client.subscriptions.getSnapshot().ver);
  const storage = (page) => page.evaluate(() => client.sync.getSnapshot().storage);

  /** Waits until the page shows the server's list. */
  async function equal(page) {
    const { ver, list } = await demo.get("list", { account });
    const want = list.map((r) => r.node).sort();
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline && ((await version(page)) !== ver || String(await shown(page)) !== String(want))) await sleep(10);
    assert.deepEqual([await shown(page), await version(page)], [want, ver]);
  }

  /** Returns the stored list, as a tab without a network shows it. */
  async function stored() {
    const page = await open({ connect: false });
    const found = [await shown(page), await version(page)];
    await page.close();
    return found;
  }
  async function until(condition) {
    for (const deadline = Date.now() + 10_000; !(await condition());) {
      assert.ok(Date.now() < deadline, String(condition));
      await sleep(20);
    }
  }
  const server = async () => { const { ver, list } = await demo.get("list", { account }); return [list.map((r) => r.node).sort(), ver]; };

  /** Opens a page of the same origin without a client. */
  async function bystander() {
    if (desk?.context() !== context) {
      desk = await context.newPage();
      await desk.goto(lab.url);
    }
    return desk;
  }
  const databases = async () => (await bystander()).evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

  /** Runs a function on the records, which must exist. */
  async function records(run, ...args) {
    return (await bystander()).evaluate(async ([name, run, args]) => {
      const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
      const db = await done(indexedDB.open(name));
      try {
        return await (0, eval)(`(${run})`)(db.transaction("records", "readwrite").objectStore("records"), done, ...args);
      } finally {
        db.close();
      }
    }, [database(), String(run), args]);
  }

  test("evicted while open: the list stays in memory, and is stored again", async () => {
    const page = await open();
    await page.evaluate(() => {
      globalThis.fewest = Infinity;
      const look = () => { fewest = Math.min(fewest, client.subscriptions.getSnapshot().length); };
      client.subscriptions.subscribe(look);
      look();
    });
    const session = await context.newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: new URL(lab.url).origin, storageTypes: "indexeddb" });
    await change(nodes[4], "subscribed");
    await equal(page);
    assert.equal(await page.evaluate(() => fewest), 3, "the list vanished for a moment");
    assert.deepEqual(await storage(page), { kind: "indexeddb", persistent: true });
    assert.deepEqual((await page.evaluate(() => events)).map(String).filter((e) => e !== "warning,storage-lost"), []);
    assert.deepEqual(await stored(), await server());
  });

  test("full: the list stays in memory, as `sync` shows, and the stored list stays complete", async () => {
    // Before anything is stored: Chromium caches the available space for some time.
    const blank = await context.newPage();
    await blank.goto(lab.url);
    const session = await context.newCDPSession(blank);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(lab.url).origin, quotaSize: 200_000 });
    const page = await open();
    const before = await stored();
    for (let i = 0; i < 100 && (await storage(page)).persistent; i++) {
      const name = randomBytes(15_000).toString("base64url"); // incompressible
      await demo.post("node", { name });
      await change(name, "subscribed");
    }
    await equal(page);
    const { why, ...rest } = await storage(page);
    assert.deepEqual(rest, { kind: "memory", persistent: false, fellBackFrom: "indexeddb" });
    assert.match(why, /Quota/);
    await page.evaluate(([service, node]) => client.subscribe({ service, node }), [target, nodes[5]]);
    await equal(page);
    // The stored version is an older one, with its list.
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(lab.url).origin });
    const [list, ver] = await stored();
    const { list: then } = await demo.get("at", { account, ver });
    assert.deepEqual(list, then.map((r) => r.node).sort());
    assert.ok(before[0].every((node) => list.includes(node)));
    await page.evaluate(() => client.forget());
    assert.deepEqual(await databases(), [], "what the client had given up is left");
  });

  test("lists stored by programs of every schema are shown and updated", async () => {
    const folder = join(root, "sdk/internal/engine/testdata/stored");
    const dumps = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
    account = "alice"; // the account of the dumps
    for (const dump of dumps) {
      await (await bystander()).evaluate(([name, { schema, records }]) => new Promise((resolve, reject) => {
        const request = indexedDB.open(name, schema);
        request.onupgradeneeded = () => {
          const table = request.result.createObjectStore("records");
          for (const [key, value] of Object.entries(records)) table.put(Uint8Array.from(atob(value), (c) => c.charCodeAt(0)), key);
        };
        request.onsuccess = () => resolve(request.result.close());
        request.onerror = () => reject(request.error);
      }), [database(), dump]);
      const page = await open({ connect: false });
      assert.deepEqual(await page.evaluate(() => client.subscriptions.getSnapshot().map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state])), dump.rows);
      assert.equal(await version(page), dump.version);
      await page.evaluate(() => client.connect());
      await equal(page);
      assert.deepEqual(await stored(), await server());
      const schema = await desk.evaluate(async (name) => (await indexedDB.databases()).find((db) => db.name === name).version, database());
      assert.ok(dumps.some((d) => d.schema === schema), `no dump was made with schema ${schema}`);
      await page.evaluate(() => client.forget());
      assert.deepEqual(await databases(), []);
      await page.close();
    }
  });

  test("the list is shown before the program runs, and an equal list from the program makes no new snapshot", async () => {
    const first = await open();
    await first.evaluate(() => client.close());
    const page = await context.newPage();
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route("**/pam.wasm", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(lab.url);
    await makeClient(page, service, { account: `${account}@localhost`, mechanisms: ["PLAIN"] });
    await page.evaluate(() => {
      globalThis.snapshots = [];
      client.subscriptions.subscribe((s) => snapshots.push(s));
      return client.subscriptions.ready.then(() => undefined);
    });
    assert.deepEqual([await shown(page), await version(page)], await server());
    const running = () => page.evaluate(() => client.runtime.getSnapshot().phase);
    assert.equal(await running(), "loading");
    release();
    await until(async () => (await running()) === "running");
    assert.deepEqual(await page.evaluate(() => snapshots.map((s) => [s.source, s.length])), [["unread", 0], ["cache", 3]]);
    await page.evaluate(() => client.connect());
    await equal(page);
    assert.notDeepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    await page.evaluate(() => client.forget());
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    assert.deepEqual(await databases(), []);
  });

  test("a database that was deleted, or belongs to another account: only the program's list is shown", async () => {
    const first = await open();
    const place = await first.evaluate(() => Object.keys(localStorage)[0]);
    for (const other of ["deleted", "another's"]) {
      await first.evaluate(([place, other]) => {
        localStorage.setItem(place, other);
        if (other === "deleted") return undefined;
        return new Promise((resolve) => {
          const request = indexedDB.open(other, 1);
          request.onupgradeneeded = () => request.result.createObjectStore("things");
          request.onsuccess = () => resolve(request.result.close());
        });
      }, [place, other]);
      assert.deepEqual(await stored(), await server(), other);
    }
    assert.deepEqual((await databases()).sort(), ["another's", database()]);
  });

  test("a higher format: the records stay unchanged, and the list is in memory", async () => {
    const first = await open();
    await first.evaluate(() => client.close());
    const all = () => records(async (store, done) => (await done(store.getAll())).map((v) => Array.from(v)));
    await records(async (store, done) => {
      const meta = await done(store.get("list/meta"));
      meta[0] = "3".charCodeAt(0);
      await done(store.put(meta, "list/meta"));
    });
    const before = await all();
    const tab = await open();
    await equal(tab);
    await change(nodes[4], "subscribed");
    await equal(tab);
    const { why, ...rest } = await storage(tab);
    assert.deepEqual(rest, { kind: "memory", persistent: false, fellBackFrom: "indexeddb" });
    assert.match(why, /newer version/);
    assert.deepEqual(await all(), before);
    await tab.evaluate(() => client.forget());
    assert.deepEqual(await databases(), []);
  });

  test("a deletion that another page blocks: the list is in memory", async () => {
    const page = await context.newPage();
    await page.goto(lab.url);
    await page.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => {
        globalThis.held = request.result; // it does not close when it is asked to
        indexedDB.deleteDatabase(name).onblocked = resolve;
      };
      request.onerror = () => reject(request.error);
    }), database());
    const tab = await open();
    await equal(tab);
    const { why, kind } = await storage(tab);
    assert.equal(kind, "memory");
    assert.match(why, /TimeoutError/);
  });

  test("a newer schema: the database stays unchanged, and the list is in memory", async () => {
    const page = await context.newPage();
    await page.goto(lab.url);
    await page.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 99);
      request.onupgradeneeded = () => request.result.createObjectStore("records").put(new Uint8Array([1, 2, 3]), "list/meta");
      request.onsuccess = () => resolve(request.result.close());
      request.onerror = () => reject(request.error);
    }), database());
    const tab = await open();
    await equal(tab);
    const { why, ...rest } = await storage(tab);
    assert.deepEqual(rest, { kind: "memory", persistent: false, fellBackFrom: "indexeddb" });
    assert.match(why, /VersionError/);
    assert.deepEqual(await records(async (store, done) => Array.from(await done(store.get("list/meta")))), [1, 2, 3]);
  });

  test("a newer program upgrades the schema meanwhile: it is not blocked, and the old program uses memory", async () => {
    const old = await open();
    const page = await context.newPage();
    await page.goto(lab.url);
    const blocked = await page.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 99);
      let blocked = false;
      request.onblocked = () => { blocked = true; };
      request.onsuccess = () => { request.result.close(); resolve(blocked); };
      request.onerror = () => reject(request.error);
    }), database());
    assert.equal(blocked, false);
    await change(nodes[4], "subscribed");
    await equal(old);
    const { why, kind } = await storage(old);
    assert.equal(kind, "memory");
    assert.match(why, /VersionError/);
  });

  test("corrupt records: no version is used without its list, and the next sync repairs the store", async () => {
    const tab = await open();
    await tab.evaluate(() => client.close());
    const good = await records(async (store, done) => (await done(store.getAllKeys())).filter((k) => k.startsWith("list/")));
    assert.ok(good.length >= 2, String(good));
    const kinds = {
      gone: async (store, done, key) => { await done(store.delete(key)); },
      shorter: async (store, done, key) => { const v = await done(store.get(key)); await done(store.put(v.slice(0, v.length >> 1), key)); },
      flipped: async (store, done, key) => { const v = await done(store.get(key)); v[v.length - 1] ^= 1; await done(store.put(v, key)); },
      "no bytes": async (store, done, key) => { await done(store.put({ what: "is this" }, key)); },
    };
    for (const [kind, spoil] of Object.entries(kinds)) {
      for (const key of kind === "gone" || kind === "no bytes" ? ["list/meta", good[0]] : [good[0]]) {
        await records(spoil, key);
        await begin(tab, false);
        assert.deepEqual([await shown(tab), await version(tab)], [[], null], `${key} ${kind}`);
        await tab.evaluate(() => client.connect());
        await equal(tab);
        await tab.evaluate(() => client.disconnect());
        const { subscriptions, ver } = JSON.parse(await tab.evaluate(async () => (await client.export()).text()));
        assert.deepEqual([subscriptions.map((r) => r.node), ver], await server(), `${key} ${kind}, afterwards`);
        await tab.evaluate(() => client.close());
      }
    }
  });

  test("several tabs: a change in one is shown in all, connected or not, and no commit is lost", async () => {
    const [a, b, offline] = [await open(), await open(), await open({ connect: false })];
    await a.evaluate(([service, node]) => client.subscribe({ service, node }), [target, nodes[3]]);
    await Promise.all([a, b, offline].map(equal));
    await Promise.all([
      a.evaluate(([service, node]) => client.subscribe({ service, node }), [target, nodes[4]]),
      b.evaluate(([service, node]) => client.unsubscribe({ service, node }), [target, nodes[0]]),
    ]);
    await Promise.all([a, b, offline].map(equal));
    assert.deepEqual(await stored(), await server());
    assert.equal(await offline.evaluate(() => client.sync.getSnapshot().phase), "offline");
  });

  test("a forged message between tabs has no effect", async () => {
    const page = await open();
    const before = [await shown(page), await version(page)];
    const other = await context.newPage();
    await other.goto(lab.url);
    await other.evaluate((name) => {
      const channel = new BroadcastChannel(name);
      for (const lie of ["", "reload", { list: [], ver: "forged" }, null, 5, new Uint8Array(8)]) for (let i = 0; i < 50; i++) channel.postMessage(lie);
    }, `xmpp-pam:list:${account}@localhost`);
    await sleep(200);
    assert.deepEqual([await shown(page), await version(page)], before);
    assert.deepEqual(await page.evaluate(() => events), []);
    await change(nodes[4], "subscribed");
    await equal(page);
  });

  test("export() returns what is stored, and forget() removes it", async () => {
    const page = await open();
    const text = await page.evaluate(async () => (await client.export()).text());
    const data = JSON.parse(text);
    assert.equal(data.account, `${account}@localhost`);
    assert.deepEqual([data.subscriptions.map((r) => r.node), data.ver], await server());
    assert.ok(!text.includes(canary));
    await page.evaluate(() => client.forget());
    assert.deepEqual([await shown(page), await version(page), await page.evaluate(() => client.sync.getSnapshot().phase)], [[], null, "offline"]);
    assert.deepEqual(await databases(), []);
    await page.evaluate(() => client.forget());
    assert.deepEqual(await databases(), []);
    assert.deepEqual(await stored(), [[], null]);
    assert.deepEqual(await databases(), [], "a tab that only looked left a database");
    await page.evaluate(() => client.connect());
    await equal(page);
    assert.deepEqual(await databases(), [database()]);
    assert.deepEqual(await stored(), await server());
    assert.deepEqual([await storage(page), await page.evaluate(() => events)], [{ kind: "indexeddb", persistent: true }, []]);
  });

  test("forget() in one tab: an offline tab shows an empty list and creates no database, a connected one stores the list again", async () => {
    const [a, offline] = [await open(), await open({ connect: false })];
    await equal(offline);
    await a.evaluate(() => client.forget());
    await until(async () => (await shown(offline)).length === 0);
    assert.deepEqual([await version(offline), await databases()], [null, []]);
    assert.deepEqual(await storage(offline), { kind: "indexeddb", persistent: true });
    assert.deepEqual(await offline.evaluate(() => events), [["warning", "storage-lost"]]);

    await offline.evaluate(() => client.connect());
    await equal(offline);
    await a.evaluate(() => client.forget());
    await change(nodes[4], "subscribed");
    await equal(offline);
    await until(async () => String((await stored())[0]) === String((await server())[0]));
    assert.deepEqual(await stored(), await server());
    await until(async () => (await shown(a)).length === 4); // offline, and shows the stored list
    assert.deepEqual(await storage(a), { kind: "indexeddb", persistent: true });
    await Promise.all([a, offline].map((page) => page.evaluate(() => client.forget())));
    assert.deepEqual(await databases(), []);
    assert.deepEqual([await shown(a), await shown(offline)], [[], []]);
  });

  test("forget() at any moment of a commit, a sync or another forget() leaves no database", async () => {
    const page = await open();
    for (let i = 0; i < 24; i++) {
      await page.evaluate(() => client.connect());
      if (i % 3 === 0) await change(nodes[i % 6], "subscribed");
      await page.evaluate(async ([ms, kind, service, node]) => {
        if (kind === 1) client.subscribe({ service, node }).catch(() => undefined);
        if (kind === 2) client.subscriptions.refresh({ ignoreVersion: true }).catch(() => undefined);
        await new Promise((resolve) => setTimeout(resolve, ms));
        await Promise.all(kind === 0 ? [client.forget(), client.forget()] : [client.forget()]);
      }, [i * 1.5 - 3, i % 3, target, nodes[i % 6]]);
      assert.deepEqual([await databases(), await shown(page), await version(page)], [[], [], null], `forget ${i}`);
    }
    // connect() waits until forget() has finished.
    await page.evaluate(() => Promise.all([client.forget(), client.connect()]));
    await equal(page);
    assert.deepEqual(await stored(), await server());
    assert.deepEqual(await page.evaluate(() => events), []);
  });

  test("forget() while another page keeps the database open: all records are deleted, a warning reports the empty database, which the browser deletes with that page", async () => {
    const page = await open();
    const holder = await context.newPage();
    await holder.goto(lab.url);
    await holder.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(globalThis.held = request.result); // it does not close when it is asked to
      request.onerror = () => reject(request.error);
    }).then(() => undefined), database());
    const start = Date.now();
    await page.evaluate(() => client.forget());
    assert.ok(Date.now() - start < 15_000);
    assert.deepEqual([await shown(page), await version(page)], [[], null]);
    const left = await holder.evaluate(() => new Promise((resolve) => {
      held.transaction("records").objectStore("records").getAllKeys().onsuccess = ({ target }) => resolve(target.result);
    }));
    assert.deepEqual(left, []);
    assert.deepEqual(await page.evaluate(() => events), [["warning", "storage"]]);
    await holder.close();
    await until(async () => (await databases()).length === 0);
    await page.evaluate(() => client.connect());
    await equal(page);
    assert.deepEqual(await stored(), await server());
  });

  test("a database that stops answering: forget() still deletes it, and close() resolves", async () => {
    const page = await open({ worker: "silent-indexeddb.js" });
    await page.evaluate(() => new BroadcastChannel("silent-indexeddb").postMessage(""));
    await sleep(100);
    await page.evaluate(() => client.forget());
    assert.deepEqual([await databases(), await shown(page), await version(page)], [[], [], null]);
    const { kind, why } = await storage(page);
    assert.equal(kind, "memory");
    assert.match(why, /did not answer/);
    await page.evaluate(() => client.connect());
    await equal(page);
    const start = Date.now();
    await page.evaluate(() => client.close());
    assert.ok(Date.now() - start < 5000);
    assert.deepEqual(await stored(), [[], null]);
  });

  test("tabs that spell the account differently share one database and notify each other", async () => {
    const plain = await open();
    const spellings = [account.toUpperCase() + "@LOCALHOST", account[0].toUpperCase() + account.slice(1) + "@Localhost"];
    for (const spelling of spellings) {
      const other = await context.newPage();
      await other.goto(lab.url);
      await makeClient(other, service, { account: spelling, mechanisms: ["PLAIN"] });
      await other.evaluate(() => client.subscriptions.ready);
      assert.deepEqual([await shown(other), await version(other)], [await shown(plain), await version(plain)]);
      await change(nodes[4], spelling === spellings[0] ? "subscribed" : "none");
      await Promise.all([plain, other].map(equal)); // the other tab is offline
      await other.evaluate(() => client.connect());
      await equal(other);
      assert.deepEqual(await databases(), [database()]);
      await other.close();
    }
    assert.deepEqual(await stored(), await server());
  });
});
