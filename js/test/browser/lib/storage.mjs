// The set-up of tests of the stored list: tabs of one browser context, each with a client of the same account.

import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChromium } from "./chromium.mjs";
import { startDemo } from "./demo.mjs";
import { makeClient, socketOf, startLab } from "./lab.mjs";
import { databaseOf } from "./records.mjs";
import { canary } from "./secrets.mjs";

export const target = "pubsub.localhost";
export const nodes = Array.from({ length: 6 }, (_, i) => `node-${i}`);

/** Adds the set-up to the current suite: before each test a new context, and a new account with the first three nodes. */
export function storageTests() {
  const at = {}; // demo, lab, browser, service; for each test: context, account
  let desk;
  let serial = 0;

  before(async () => {
    await Promise.all([ // all must be stopped if one fails
      startDemo("mem").then((d) => { at.demo = d; }), startLab().then((l) => { at.lab = l; }), startChromium().then((b) => { at.browser = b; }),
    ]);
    at.service = socketOf(await at.demo.device("Phone"));
    for (const name of nodes) await at.demo.post("node", { name });
  });
  after(() => Promise.allSettled([at.browser?.close(), at.demo?.stop(), at.lab?.stop()]));
  beforeEach(async () => {
    at.context = await at.browser.newContext();
    at.account = `keeper${serial++}`;
    await at.demo.post("account", { name: at.account, password: canary });
    for (const node of nodes.slice(0, 3)) await change(node, "subscribed");
  });
  afterEach(() => at.context.close());

  const change = (node, state) => at.demo.post("change", { account: at.account, node, state });
  const database = () => databaseOf(`${at.account}@localhost`);

  /** Opens a tab with a client, which connects unless `connect` is false. */
  async function open({ connect = true, worker, account } = {}) {
    const page = await at.context.newPage();
    await page.goto(at.lab.url);
    await begin(page, connect, worker, account);
    return page;
  }
  async function begin(page, connect, worker, account = `${at.account}@localhost`) {
    await makeClient(page, at.service, { account, mechanisms: ["PLAIN"], worker });
    await page.evaluate((connect) => (connect ? client.connect() : client.subscriptions.ready), connect);
    await until(() => page.evaluate(() => client.runtime.getSnapshot().phase === "running")); // the page itself may have read the list
  }
  const shown = (page) => page.evaluate(() => client.subscriptions.getSnapshot().map((r) => r.node));
  const version = (page) => page.evaluate(() => client.subscriptions.getSnapshot().ver);
  const storage = (page) => page.evaluate(() => client.sync.getSnapshot().storage);

  /** Waits until the page shows the server's list. */
  async function equal(page) {
    const { ver, list } = await at.demo.get("list", { account: at.account });
    const want = list.map((r) => r.node).sort();
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline && ((await version(page)) !== ver || String(await shown(page)) !== String(want))) await sleep(10);
    assert.deepEqual([await shown(page), await version(page)], [want, ver]);
  }

  /** Returns the stored list, as a tab without a network shows it. */
  async function stored(account) {
    const page = await open({ connect: false, account });
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
  const server = async () => { const { ver, list } = await at.demo.get("list", { account: at.account }); return [list.map((r) => r.node).sort(), ver]; };

  /** Opens a page of the same origin without a client. */
  async function bystander() {
    if (desk?.context() !== at.context) {
      desk = await at.context.newPage();
      await desk.goto(at.lab.url);
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

  return { at, begin, bystander, change, database, databases, equal, open, records, server, shown, storage, stored, until, version };
}
