// The built package and the demo in Firefox and WebKitGTK, against the in-memory server.

import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startDemo } from "../browser/lib/demo.mjs";
import { makeClient, socketOf, startLab } from "../browser/lib/lab.mjs";
import { startProxy } from "../browser/lib/proxy.mjs";
import { canary } from "../browser/lib/secrets.mjs";
import { browsers } from "./lib/browsers.mjs";

const service = "pubsub.localhost";

for (const [name, { skip, start, keepsProgram }] of Object.entries(browsers)) {
  describe(name, { skip, timeout: 240_000 }, () => {
    let demo, lab;
    let accounts = 0;
    before(async () => {
      await Promise.all([startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; })]);
    });
    after(() => Promise.allSettled([demo?.stop(), lab?.stop()]));

    /** Starts the browser with an account of its own, whose pages connect through a proxy. Ends it with the test. */
    async function begin(t) {
      const account = `${name}${accounts++}`;
      await demo.post("account", { name: account, password: canary });
      const nodes = ["news", "sport", "weather"].map((node) => `${node}-${account}`); // in the order of their names
      for (const name of nodes) await demo.post("node", { name });
      const proxy = await startProxy(socketOf(await demo.device("Phone")));
      t.after(() => proxy.stop());
      const browser = await start();
      t.after(() => browser.stop());
      t.diagnostic(browser.version);
      const at = {
        proxy, browser, nodes,
        /** Makes the client of a page. */
        makeClient: (page, options) => makeClient(page, proxy.url, {
          account: `${account}@localhost`, tabs: "shared", inspector: false, reconnect: { baseMs: 50, maxMs: 200 }, ...options,
        }),
        async open(options) {
          const page = await browser.newPage();
          await page.goto(lab.url);
          await at.makeClient(page, options);
          return page;
        },
        async openConnected(options) {
          const page = await at.open(options);
          await connect(page);
          return page;
        },
        change: (node, state) => demo.post("change", { account, node, state }),
      };
      return at;
    }
    const connect = (page) => page.evaluate(() => client.connect().then(() => undefined));
    const ask = (page, op, node) => page.evaluate(([op, service, node]) => outcome(client[op]({ service, node })), [op, service, node]);
    const nodesOf = (page) => page.evaluate(() => client.subscriptions.getSnapshot().map((r) => r.node).sort());
    /** Waits until a page shows these nodes, confirmed by the server. */
    const shows = (page, ...nodes) => page.waitForFunction((want) => {
      const list = client.subscriptions.getSnapshot();
      return list.every((r) => !r.local) && list.map((r) => r.node).sort().join() === want;
    }, nodes.sort().join());
    const unseen = (page, n) => page.waitForFunction((n) => client.inbox.getSnapshot().unseen === n && client.inbox.newest.getSnapshot().length === n, n);
    /** Returns the ids of all events of the inbox. */
    const items = (page) => page.evaluate(() => client.inbox.list({ limit: 500 }).then(({ items }) => items.map((e) => e.itemId)));
    /** Remembers the events that the page is told of from now on. */
    const listen = (page) => page.evaluate(() => {
      globalThis.heard = [];
      client.on("event", (e) => heard.push(e.itemId));
    });
    /** Waits until the clients of the pages say how many tabs share their program. */
    const counted = (tabs, ...pages) => Promise.all(pages.map((page) => page.waitForFunction((tabs) => {
      const state = client.tabs.getSnapshot();
      return state.sharing === "shared-worker" && state.tabs === tabs;
    }, tabs)));
    const where = (page) => page.evaluate(() => client.runtime.getSnapshot().where);
    const links = async (proxy, n) => {
      for (const end = Date.now() + 5000; proxy.links.size !== n && Date.now() < end;) await sleep(10);
      assert.equal(proxy.links.size, n, "connections");
    };

    test("what a page reports is found", async (t) => {
      const { browser } = await begin(t);
      const page = await browser.newPage();
      await page.goto(lab.url);
      await page.evaluate(() => {
        console.error("an error on the console");
        setTimeout(() => { throw new Error("an uncaught error"); });
        Promise.reject(new Error("a rejected promise"));
      });
      await sleep(300);
      const problems = (await browser.problems()).join();
      for (const words of ["an error on the console", "an uncaught error", "a rejected promise"]) assert.match(problems, RegExp(words));
      const html = "<script>console.error('an error while the page loads')</script>";
      const errors = await browser.consoleOf?.(`data:text/html,${encodeURIComponent(html)}`, () => sleep(3000)) ?? ["while"];
      assert.match(errors.join(), /while/);
      await assert.rejects(page.evaluate(() => { throw new Error("to the test"); }), /to the test/);
    });

    for (const runtime of [{}, { where: "worker" }, { where: "main" }]) {
      test(`a page connects, follows a node, and shows what is published: ${JSON.stringify(runtime)}`, async (t) => {
        const { openConnected, browser, proxy, nodes: [news] } = await begin(t);
        const page = await openConnected({ runtime });
        assert.deepEqual(await page.evaluate(() => {
          const { phase, storage } = client.sync.getSnapshot();
          return [phase, storage.kind, client.runtime.getSnapshot().where];
        }), ["live", "indexeddb", runtime.where ?? "shared-worker"]);
        assert.equal((await ask(page, "subscribe", news)).code, undefined);
        await shows(page, news);
        await listen(page);
        await demo.publish(news, 1);
        t.diagnostic(`the page had the entry ${Math.round(await unseen(page, 1))} ms after it was published`);
        const [event] = await page.evaluate(() => client.inbox.newest.getSnapshot().map((e) => ({ node: e.node, delivery: e.delivery, title: e.entry?.title })));
        assert.deepEqual([event.node, event.delivery, typeof event.title], [news, "live", "string"]);
        assert.deepEqual(await page.evaluate(() => heard), await items(page));
        assert.equal((await ask(page, "unsubscribe", news)).code, undefined);
        await shows(page);
        assert.equal((await ask(page, "subscribe", "nowhere")).code, "stanza");
        await page.evaluate(() => client.close());
        await links(proxy, 0);
        assert.deepEqual([await browser.problems(), await page.evaluate(() => events)], [[], []]);
      });
    }

    for (const tabs of ["shared", "independent"]) {
      test(`a reloaded page shows list and inbox before the program runs, and then what it has missed: ${tabs}`, async (t) => {
        const { openConnected, makeClient, change, browser, proxy, nodes: [news, sport, weather] } = await begin(t);
        const page = await openConnected({ tabs });
        for (const node of [news, weather]) await change(node, "subscribed");
        await shows(page, news, weather);
        await demo.publish(news, 2);
        await unseen(page, 2);
        await sleep(600); // the session record is written at most every 250 ms

        await page.reload();
        await makeClient(page, { tabs, runtime: { wasm: `${lab.url}/hang` } }); // it never arrives
        await page.evaluate(() => client.subscriptions.ready);
        await unseen(page, 2);
        assert.deepEqual([await nodesOf(page), await page.evaluate(() => [client.subscriptions.getSnapshot().source, client.runtime.getSnapshot().phase])], [[news, weather], ["cache", "loading"]]);
        await change(sport, "subscribed");
        await demo.publish(news, 1);

        await page.reload();
        await makeClient(page, { tabs });
        await listen(page);
        await connect(page);
        await shows(page, news, weather, sport);
        await unseen(page, 3);
        await demo.publish(news, 1);
        await unseen(page, 4);
        const { resumed, missing } = await page.evaluate(() => client.sync.getSnapshot());
        const [all, heard] = [await items(page), await page.evaluate(() => heard)];
        assert.deepEqual({ resumed, missing, all: [all.length, new Set(all).size], heard: [heard.length, new Set(heard).size] },
          { resumed: true, missing: [], all: [4, 4], heard: [2, 2] });
        await links(proxy, 1);
        assert.deepEqual([await browser.problems(), await page.evaluate(() => events)], [[], []]);
      });
    }

    for (const tabs of ["shared", "independent"]) {
      // Firefox reloads the page. WebKitGTK suspends the program before it can act, and takes the lock of the page away.
      test(`the only tab is left and entered again: ${tabs}`, async (t) => {
        const { openConnected, makeClient, change, browser, proxy, nodes: [news, sport] } = await begin(t);
        const page = await openConnected({ tabs });
        await change(news, "subscribed");
        await shows(page, news);
        await page.evaluate(() => { globalThis.first = true; });
        await page.goto(`${lab.url}/?2`);
        await sleep(500);
        const open = proxy.links.size;
        await change(sport, "subscribed");
        await page.evaluate(() => { setTimeout(() => history.back()); });
        await page.waitForFunction(() => location.search === "" && document.readyState === "complete");
        const restored = await page.evaluate(() => globalThis.first === true);
        t.diagnostic(`${open} connections meanwhile, ${restored ? "restored" : "reloaded"}`);
        if (!restored) {
          await makeClient(page, { tabs });
          await connect(page);
        }
        await shows(page, news, sport);
        await links(proxy, 1);
        const { resumed } = await page.evaluate(() => client.sync.getSnapshot());
        if (!restored) assert.equal(resumed, true);
        assert.deepEqual(await browser.problems(), []);
      });
    }

    test("independent tabs: both show a change at once, also the one that is not connected", async (t) => {
      const { open, openConnected, change, browser, proxy, nodes: [news, , weather] } = await begin(t);
      const pages = [await openConnected({ tabs: "independent" }), await openConnected({ tabs: "independent" }), await open({ tabs: "independent" })];
      await pages[2].evaluate(() => client.subscriptions.ready.then(() => undefined)); // starts its program
      assert.deepEqual([await Promise.all(pages.slice(0, 2).map(where)), proxy.opened], [["worker", "worker"], 2]);
      await change(news, "subscribed");
      const times = [await Promise.all(pages.map((page) => shows(page, news)))];
      assert.equal((await ask(pages[0], "subscribe", weather)).code, undefined);
      times.push(await Promise.all(pages.map((page) => shows(page, news, weather))));
      await demo.publish(news, 1);
      times.push(await Promise.all(pages.map((page) => unseen(page, 1))));
      t.diagnostic(`ms until each tab shows another device's change, the first tab's, and an entry: ${times.map((row) => row.map(Math.round)).join("; ")}`);
      assert.ok(Math.max(...times.flat()) < 3000, "no tab waits for the other");
      const ids = await Promise.all(pages.map(items));
      assert.deepEqual([ids[0].length, ids], [1, ids.map(() => ids[0])]);
      assert.deepEqual([await pages[2].evaluate(() => client.sync.getSnapshot().phase), proxy.opened], ["offline", 2]);
      assert.deepEqual(await browser.problems(), []);
    });

    test("tabs share a program and a connection, which outlive the tab that started them", async (t) => {
      const { openConnected, makeClient, change, browser, proxy, nodes: [news, sport, weather] } = await begin(t);
      const [first, second] = [await openConnected(), await openConnected()];
      await counted(2, first, second);
      assert.deepEqual(await Promise.all([first, second].map(where)), ["shared-worker", "shared-worker"]);
      await change(news, "subscribed");
      const times = await Promise.all([first, second].map((page) => shows(page, news)));
      t.diagnostic(`ms until each tab shows another device's change: ${times.map(Math.round)}`);
      await first.evaluate(() => { globalThis.origins = []; client.on("subscriptions", ({ origin }) => origins.push(origin)); });
      assert.equal((await ask(second, "subscribe", weather)).code, undefined);
      await Promise.all([first, second].map((page) => shows(page, news, weather)));
      assert.deepEqual(await first.evaluate(() => origins), ["this-device"]);

      await first.close();
      await counted(1, second);
      await demo.publish(news, 1);
      await unseen(second, 1);
      const third = await openConnected();
      await counted(2, second, third);
      await second.reload();
      await makeClient(second);
      await connect(second);
      await counted(2, second, third);
      await change(sport, "subscribed");
      for (const page of [second, third]) {
        await shows(page, news, sport, weather);
        assert.deepEqual([await page.evaluate(() => events), (await items(page)).length], [[], 1]);
      }
      assert.deepEqual([proxy.opened, proxy.links.size], [1, 1]);
      for (const page of [second, third]) await page.evaluate(() => client.close());
      await links(proxy, 0);
      assert.deepEqual(await browser.problems(), []);
    });

    test("tabs are closed one after the other: the last one goes on, and has every event once", async (t) => {
      const { openConnected, change, browser, proxy, nodes: [news, sport] } = await begin(t);
      const pages = [];
      for (let i = 0; i < 4; i++) pages.push(await openConnected());
      const last = pages.at(-1);
      await listen(last);
      await change(news, "subscribed");
      await shows(last, news);
      for (const [i, page] of pages.slice(0, 3).entries()) {
        await demo.publish(news, 1);
        await page.close();
        await demo.publish(news, 1);
        await unseen(last, 2 * (i + 1));
        await counted(3 - i, ...pages.slice(i + 1));
      }
      await last.waitForFunction(() => client.sync.getSnapshot().phase === "live");
      await change(sport, "subscribed");
      await shows(last, news, sport);
      const [all, heard] = [await items(last), await last.evaluate(() => heard)];
      assert.deepEqual([all.length, new Set(all).size, heard.length, new Set(heard).size], [6, 6, 6, 6]);
      await links(proxy, 1);
      t.diagnostic(`${proxy.opened} connections, one after the other`);
      assert.deepEqual([proxy.doubles, await last.evaluate(() => events), await browser.problems()], [0, [], []]);
      if (keepsProgram) assert.equal(proxy.opened, 1);
    });

    test("the page of the demo shows two devices live", async (t) => {
      const { browser } = await begin(t);
      const page = await browser.newPage();
      await page.goto(`${demo.origin}/?paused`);
      await page.waitForFunction(() => frames.length === 2);
      const devices = await page.frames();
      const all = (f) => Promise.all(devices.map((device) => device.waitForFunction(f)));
      await all(() => globalThis.pamDemo?.client.sync.getSnapshot().phase === "live");
      await devices[0].evaluate((service) => pamDemo.client.subscribe({ service, node: "news" }).then(() => undefined), service);
      await all(() => document.querySelector("[data-testid=row][data-node=news]") !== null);
      await demo.publish("news", 2);
      await all(() => document.querySelectorAll("[data-testid=entry][data-seen=unseen]").length === 2);
      await page.evaluate(() => document.querySelector(".stage").scrollIntoView());
      if (process.env.PICTURES) writeFileSync(join(process.env.PICTURES, `${name}.png`), await page.screenshot());
      await page.close();
      assert.deepEqual(await browser.problems(), []);
      if (!browser.consoleOf) return;
      const errors = await browser.consoleOf(demo.origin, async () => { // also those of the time until the page was loaded
        for (const device of ["Laptop", "Phone"]) {
          for (const end = Date.now() + 20_000; (await demo.device(device)).sockets !== 1;) {
            assert.ok(Date.now() < end, `${device} is not connected`);
            await sleep(50);
          }
        }
        await sleep(300);
      });
      assert.deepEqual(errors, []);
    });
  });
}
