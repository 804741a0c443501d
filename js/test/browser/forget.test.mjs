// The stored list in several tabs, export() and forget().

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { makeClient } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";
import { nodes, storageTests, target } from "./lib/storage.mjs";

describe("stored data in tabs, export and forget", { skip: missing(), timeout: 300_000 }, () => {
  const { at, change, database, databases, equal, open, server, shown, storage, stored, until, version } = storageTests();

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
    const other = await at.context.newPage();
    await other.goto(at.lab.url);
    await other.evaluate((name) => {
      const channel = new BroadcastChannel(name);
      for (const lie of ["", "reload", { list: [], ver: "forged" }, null, 5, new Uint8Array(8)]) for (let i = 0; i < 50; i++) channel.postMessage(lie);
    }, `xmpp-pam:list:${at.account}@localhost`);
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
    assert.equal(data.account, `${at.account}@localhost`);
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
    const holder = await at.context.newPage();
    await holder.goto(at.lab.url);
    await holder.evaluate((name) => new Promise((resolve, reject) => {
      const request = indexedDB.open(name);
      request.onsuccess = () => resolve(globalThis.held = request.result); // it ignores the event versionchange
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

  test("a database that stops answering before a page has connected: forget() empties the list too", async () => {
    const online = await open(); // so that there is a list
    await online.evaluate(() => client.close());
    const page = await open({ worker: "silent-indexeddb.js", connect: false });
    assert.notDeepEqual(await shown(page), []);
    await page.evaluate(() => new BroadcastChannel("silent-indexeddb").postMessage(""));
    await sleep(100);
    await page.evaluate(() => client.forget());
    assert.deepEqual([await databases(), await shown(page), await version(page)], [[], [], null]);
    await page.evaluate(() => client.close());
  });

  test("tabs that spell the account differently share one database and notify each other", async () => {
    const plain = await open();
    const spellings = [at.account.toUpperCase() + "@LOCALHOST", at.account[0].toUpperCase() + at.account.slice(1) + "@Localhost"];
    for (const spelling of spellings) {
      const other = await at.context.newPage();
      await other.goto(at.lab.url);
      await makeClient(other, at.service, { account: spelling, mechanisms: ["PLAIN"] });
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
