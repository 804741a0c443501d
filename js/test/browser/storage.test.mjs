// IndexedDB that is evicted, full, newer than the program, or corrupt. The client then uses the list in memory, `sync` shows
// that storage failed and why, and no version is ever used without its list.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { makeClient } from "./lib/lab.mjs";
import { missing, root } from "./lib/need.mjs";
import { nodes, storageTests, target } from "./lib/storage.mjs";

describe("storage", { skip: missing(), timeout: 300_000 }, () => {
  const { at, begin, bystander, change, database, databases, equal, open, records, server, shown, storage, stored, until, version } = storageTests();

  test("evicted while open: the list stays in memory, and is stored again", async () => {
    const page = await open();
    await page.evaluate(() => {
      globalThis.fewest = Infinity;
      const look = () => { fewest = Math.min(fewest, client.subscriptions.getSnapshot().length); };
      client.subscriptions.subscribe(look);
      look();
    });
    const session = await at.context.newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: new URL(at.lab.url).origin, storageTypes: "indexeddb" });
    await change(nodes[4], "subscribed");
    await equal(page);
    assert.equal(await page.evaluate(() => fewest), 3, "the list vanished for a moment");
    assert.deepEqual(await storage(page), { kind: "indexeddb", persistent: true });
    assert.deepEqual((await page.evaluate(() => events)).map(String).filter((e) => e !== "warning,storage-lost"), []);
    assert.deepEqual(await stored(), await server());
  });

  test("full: the list stays in memory, as `sync` shows, and the stored list stays complete", async () => {
    // Before anything is stored: Chromium caches the available space for some time.
    const blank = await at.context.newPage();
    await blank.goto(at.lab.url);
    const session = await at.context.newCDPSession(blank);
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(at.lab.url).origin, quotaSize: 200_000 });
    const page = await open();
    const before = await stored();
    for (let i = 0; i < 100 && (await storage(page)).persistent; i++) {
      const name = randomBytes(15_000).toString("base64url"); // incompressible
      await at.demo.post("node", { name });
      await change(name, "subscribed");
    }
    await equal(page);
    const { why, ...rest } = await storage(page);
    assert.deepEqual(rest, { kind: "memory", persistent: false, fellBackFrom: "indexeddb" });
    assert.match(why, /Quota/);
    await page.evaluate(([service, node]) => client.subscribe({ service, node }), [target, nodes[5]]);
    await equal(page);
    // The stored version is an older one, with its list.
    await session.send("Storage.overrideQuotaForOrigin", { origin: new URL(at.lab.url).origin });
    const [list, ver] = await stored();
    const { list: then } = await at.demo.get("at", { account: at.account, ver });
    assert.deepEqual(list, then.map((r) => r.node).sort());
    assert.ok(before[0].every((node) => list.includes(node)));
    await page.evaluate(() => client.forget());
    assert.deepEqual(await databases(), [], "what the client had given up is left");
  });

  test("lists stored by programs of every schema are shown and updated", async () => {
    const folder = join(root, "sdk/internal/engine/testdata/stored");
    const dumps = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")));
    at.account = "alice"; // the account of the dumps
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
      const schema = await (await bystander()).evaluate(async (name) => (await indexedDB.databases()).find((db) => db.name === name).version, database());
      assert.ok(dumps.some((d) => d.schema === schema), `no dump was made with schema ${schema}`);
      await page.evaluate(() => client.forget());
      assert.deepEqual(await databases(), []);
      await page.close();
    }
  });

  for (const spelled of ["normally", "otherwise"]) test(`an account spelled ${spelled}: the list is shown before the program runs, and an equal list from the program makes no new snapshot`, async () => {
    const account = `${spelled === "normally" ? at.account : at.account.toUpperCase()}@localhost`;
    const first = await open({ account });
    await first.evaluate(() => client.close());
    const page = await at.context.newPage();
    let release;
    const held = new Promise((resolve) => { release = resolve; });
    await page.route("**/pam.wasm", async (route) => {
      await held;
      await route.continue();
    });
    await page.goto(at.lab.url);
    await makeClient(page, at.service, { account, mechanisms: ["PLAIN"] });
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
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), spelled === "normally" ? [] : [`xmpp-pam:database:${account}`]);
    await page.evaluate(() => client.forget());
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    assert.deepEqual(await databases(), []);
  });

  test("a database that was deleted, or belongs to another account: only the program's list is shown", async () => {
    const account = `${at.account.toUpperCase()}@localhost`;
    const first = await open({ account });
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
      assert.deepEqual(await stored(account), await server(), other);
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
    const page = await at.context.newPage();
    await page.goto(at.lab.url);
    await page.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name, 1);
      request.onupgradeneeded = () => request.result.createObjectStore("records");
      request.onsuccess = () => {
        globalThis.held = request.result; // it ignores the event versionchange
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
    const page = await at.context.newPage();
    await page.goto(at.lab.url);
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
    const page = await at.context.newPage();
    await page.goto(at.lab.url);
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
});
