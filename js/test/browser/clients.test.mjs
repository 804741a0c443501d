// Two clients on one page, and two versions of the package on one origin.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { nextVersion, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { databaseOf, readRecords, storedList } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";

const service = "pubsub.localhost";

describe("several clients", { skip: missing(), timeout: 120_000 }, () => {
  let demo, lab, browser, server;
  let accounts = 0;
  before(async () => {
    await Promise.all([startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; })]);
    server = socketOf(await demo.device("Phone"));
    for (const name of ["first", "second", "third"]) await demo.post("node", { name });
  });
  after(() => Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]));

  async function openProfile(t) {
    const context = await browser.newContext();
    const proxy = await startProxy(server);
    t.after(async () => {
      await context.close();
      await proxy.stop();
    });
    const account = async () => {
      const name = `several${accounts++}`;
      await demo.post("account", { name, password: canary });
      return name;
    };
    /** Opens a page that has the function `start(account, options, folder)`, which returns a client. */
    const open = async () => {
      const page = await context.newPage();
      await page.goto(lab.url);
      await page.evaluate(([service, password]) => {
        globalThis.start = async (account, options = {}, folder = "pkg") => {
          const { createClient } = await import(`/${folder}/index.js`);
          const made = createClient({ account: `${account}@localhost`, credentials: { password }, service, reconnect: { baseMs: 50, maxMs: 200 }, ...options });
          made.on("crash", (e) => faults.push(e.message));
          made.on("warning", (e) => faults.push(`${e.code} ${e.message}`));
          return made;
        };
        globalThis.faults = [];
        globalThis.nodesOf = (client) => client.subscriptions.getSnapshot().map((r) => `${r.node} ${r.state}${r.local ? ` ${r.local}` : ""}`).join();
        globalThis.shows = async (client, nodes) => {
          for (const end = performance.now() + 10_000; nodesOf(client) !== nodes; await new Promise((resolve) => setTimeout(resolve, 10))) {
            if (performance.now() > end) throw new Error(`a client shows ${nodesOf(client)} instead of ${nodes}`);
          }
        };
      }, [proxy.url, canary]);
      return page;
    };
    return { account, open, proxy, context };
  }
  const change = (account, node, state) => demo.post("change", { account, node, state });

  for (const [tabs, connections] of [["shared", 1], ["independent", 2]]) {
    test(`two clients of one account on a page, ${tabs}: one is closed, and the other goes on`, async (t) => {
      const { account, open, proxy } = await openProfile(t);
      const [name, page] = [await account(), await open()];
      await page.evaluate(async ([name, tabs, service]) => {
        [globalThis.a, globalThis.b] = [await start(name, { tabs }), await start(name, { tabs })];
        await Promise.all([a.connect(), b.connect()]);
        await a.subscribe({ service, node: "first" });
        await Promise.all([shows(a, "first subscribed"), shows(b, "first subscribed")]);
        await b.subscribe({ service, node: "second" });
        await Promise.all([shows(a, "first subscribed,second subscribed"), shows(b, "first subscribed,second subscribed")]);
      }, [name, tabs, service]);
      assert.equal(proxy.links.size, connections);
      await page.evaluate(() => a.close());
      await change(name, "first", "none");
      await page.evaluate(async () => {
        await shows(b, "second subscribed");
        const error = await a.subscribe({ service: "pubsub.localhost", node: "third" }).then(() => undefined, (e) => e.code);
        if (error !== "closed") throw new Error(`the closed client answers ${error}`);
        await b.close();
      });
      assert.deepEqual(await page.evaluate(() => faults), []);
      const stored = storedList(await page.evaluate(readRecords, databaseOf(`${name}@localhost`)));
      assert.deepEqual(stored.rows.map((row) => row[1]), ["second"]);
    });
  }

  test("clients of two accounts on a page know nothing of each other", async (t) => {
    const { account, open, proxy } = await openProfile(t);
    const [one, two, page] = [await account(), await account(), await open()];
    await page.evaluate(async ([one, two, service]) => {
      [globalThis.a, globalThis.b] = [await start(one), await start(two)];
      await Promise.all([a.connect(), b.connect()]);
      await a.subscribe({ service, node: "first" });
      await b.subscribe({ service, node: "second" });
      await Promise.all([shows(a, "first subscribed"), shows(b, "second subscribed")]);
    }, [one, two, service]);
    assert.equal(proxy.links.size, 2);
    await page.evaluate(async () => {
      await a.forget();
      await shows(b, "second subscribed");
    });
    const stored = await Promise.all([one, two].map(async (name) => storedList(await page.evaluate(readRecords, databaseOf(`${name}@localhost`)))));
    assert.deepEqual(stored.map((list) => list?.rows.map((row) => row[1])), [undefined, ["second"]]);
    assert.deepEqual(await page.evaluate(() => faults), []);
  });

  for (const [tabs, programs] of [["shared", 2], ["independent", 0]]) {
    test(`two versions of the package on one origin, ${tabs}: each has its own program, and they share the store`, async (t) => {
      const { account, open, proxy } = await openProfile(t);
      const name = await account();
      const [old, current] = [await open(), await open()];
      const begin = (page, folder) => page.evaluate(async ([name, tabs, folder]) => {
        globalThis.client = await start(name, { tabs }, folder);
        await client.connect();
        return client.runtime.getSnapshot().info.version;
      }, [name, tabs, folder]);
      const versions = [await begin(old, "pkg"), await begin(current, "next")];
      assert.deepEqual(versions[1], nextVersion);
      assert.notEqual(versions[0], nextVersion);
      assert.equal(proxy.links.size, 2);
      if (programs > 0) {
        const session = await browser.newBrowserCDPSession();
        const { targetInfos } = await session.send("Target.getTargets");
        const names = targetInfos.filter(({ type, title }) => type === "shared_worker" && title.includes(` ${name}@`)).map(({ title }) => title);
        assert.equal(names.length, programs, names.join());
      }
      const subscribe = (page, node) => page.evaluate(([service, node]) => client.subscribe({ service, node }).then(() => undefined), [service, node]);
      const show = (nodes, ...pages) => Promise.all(pages.map((page) => page.evaluate((nodes) => shows(client, nodes), nodes)));
      await subscribe(old, "first");
      await show("first subscribed", old, current);
      await Promise.all([subscribe(current, "second"), change(name, "third", "subscribed"), old.evaluate(() => client.unsubscribe({ service: "pubsub.localhost", node: "first" }).then(() => undefined))]);
      await show("second subscribed,third subscribed", old, current);

      // The new version is installed: the page of the old one is reloaded.
      await old.evaluate(() => client.close());
      await change(name, "second", "none");
      await show("third subscribed", current);
      await current.evaluate(() => client.close());
      const again = await open();
      assert.equal(await again.evaluate(async (name) => {
        const client = await start(name, {}, "next");
        let found;
        client.subscriptions.subscribe(({ source }) => { if (source !== "unread") found ??= `${source}: ${nodesOf(client)}`; });
        await client.connect();
        await client.close();
        return found;
      }, name), "cache: third subscribed");
      for (const page of [old, current, again]) assert.deepEqual(await page.evaluate(() => faults), []);
    });
  }
});
