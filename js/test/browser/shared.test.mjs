// Several tabs of one account share a program, a connection and a session, whatever happens to one of them.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openProfile, removeProfile, startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { generator, seed } from "./lib/random.mjs";
import { canary } from "./lib/secrets.mjs";

const rounds = Number(process.env.ROUNDS ?? (process.env.SOAK ? 300 : 30));
const service = "pubsub.localhost";
const nodes = Array.from({ length: 6 }, (_, i) => `node-${i}`);

describe("tabs that share a program", { skip: missing(), timeout: 400_000, concurrency: 3 }, () => {
  let demo, lab, browser;
  let accounts = 0;
  before(async () => {
    await Promise.all([startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; })]);
    for (const name of nodes) await demo.post("node", { name });
  });
  after(() => Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]));

  /** A browser profile with an account of its own, whose tabs connect through a proxy. */
  async function makeProfile(t, context) {
    const account = `shared${accounts++}`;
    await demo.post("account", { name: account, password: canary });
    const proxy = await startProxy(socketOf(await demo.device("Phone")));
    const given = context !== undefined;
    context ??= await browser.newContext();
    t.after(async () => {
      if (!given) await context.close();
      await proxy.stop();
    });
    const profile = {
      account, proxy, context,
      /** Makes the client of a page. */
      async begin(page, options) {
        await makeClient(page, proxy.url, { account: `${account}@localhost`, tabs: "shared", inspector: false, reconnect: { baseMs: 50, maxMs: 200 }, ...options });
      },
      async open(options) {
        const page = await context.newPage();
        await page.goto(lab.url);
        await profile.begin(page, options);
        return page;
      },
      async openConnected(options) {
        const page = await profile.open(options);
        await connect(page);
        return page;
      },
      change: (node, state) => demo.post("change", { account, node, state }),
      /** Waits until all pages are live and show the server's list. */
      async equal(...pages) {
        for (const page of pages) {
          const { ver, list } = await demo.get("list", { account });
          await page.waitForFunction((ver) => client.sync.getSnapshot().phase === "live" && state().ver === ver, ver, { polling: 20, timeout: 40_000 });
          assert.deepEqual((await page.evaluate(() => state())).rows, list.map((r) => [r.service, r.node, r.subid, r.jid, r.state].join(" ")).sort());
        }
      },
      async forEachWorker(run) {
        const session = await browser.newBrowserCDPSession();
        const { targetInfos } = await session.send("Target.getTargets");
        const found = targetInfos.filter(({ type, title }) => type === "shared_worker" && title.includes(` ${account}@localhost`));
        for (const target of found) await run(session, target);
        return found.length;
      },
    };
    return profile;
  }
  /** Evaluates an expression in a worker, without waiting for its value. */
  async function evaluate(session, targetId, expression) {
    const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id: 1, method: "Runtime.evaluate", params: { expression } }) });
    await sleep(300);
  }
  const connect = (page) => page.evaluate(() => client.connect().then(() => undefined));
  /** Waits until the clients of all pages say how many tabs share their program. */
  const counted = (tabs, ...pages) => Promise.all(pages.map((page) => page.waitForFunction((tabs) => {
    const state = client.tabs.getSnapshot();
    return state.sharing === "shared-worker" && state.tabs === tabs;
  }, tabs, { polling: 20, timeout: 10_000 })));
  const where = (page) => page.evaluate(() => client.runtime.getSnapshot().where);
  const ask = (page, node, op = "subscribe") => page.evaluate(([op, service, node]) => outcome(client[op]({ service, node })), [op, service, node]);
  const warnings = (page) => page.evaluate(() => events);

  test("five tabs have one connection, and each sees what another does as done by this device", async (t) => {
    const { openConnected, proxy, equal, change } = await makeProfile(t);
    const pages = [];
    for (let i = 0; i < 5; i++) pages.push(await openConnected());
    assert.deepEqual([proxy.opened, await Promise.all(pages.map(where))], [1, Array(5).fill("shared-worker")]);
    await counted(5, ...pages);
    for (const page of pages) await page.evaluate(() => { globalThis.origins = []; client.on("subscriptions", ({ origin }) => origins.push(origin)); });
    assert.equal((await ask(pages[1], nodes[0])).code, undefined);
    await equal(...pages);
    await change(nodes[1], "subscribed");
    await equal(...pages);
    for (const page of pages) assert.deepEqual(await page.evaluate(() => origins), ["this-device", "other-device"]);
    for (const page of pages.slice(0, 4)) await page.evaluate(() => client.close());
    await change(nodes[2], "subscribed");
    await equal(pages[4]);
    await counted(1, pages[4]);
    assert.deepEqual(await pages[0].evaluate(() => client.tabs.getSnapshot()), { sharing: "independent", tabs: 0 });
    assert.deepEqual([proxy.opened, proxy.links.size], [1, 1]);
    await pages[4].evaluate(() => client.close());
    for (const end = Date.now() + 5000; proxy.links.size > 0 && Date.now() < end;) await sleep(10);
    assert.equal(proxy.links.size, 0, "the connection outlives the last client");
  });

  test("the connection ends when the last tab that wants it disconnects", async (t) => {
    const { openConnected, proxy } = await makeProfile(t);
    const [a, b] = [await openConnected(), await openConnected()];
    await a.evaluate(() => client.disconnect());
    assert.equal(proxy.links.size, 1);
    assert.equal((await ask(b, nodes[0])).code, undefined);
    await b.evaluate(() => client.disconnect());
    for (const end = Date.now() + 5000; proxy.links.size > 0 && Date.now() < end;) await sleep(10);
    assert.deepEqual([proxy.links.size, await a.evaluate(() => client.sync.getSnapshot().phase)], [0, "offline"]);
  });

  test("a reload, a navigation and the end of the first tab keep the session", async (t) => {
    const { openConnected, begin, proxy, equal, change, context } = await makeProfile(t);
    const a = await openConnected();
    await change(nodes[0], "subscribed");
    await equal(a);
    await a.reload();
    await change(nodes[1], "subscribed");
    await begin(a);
    await connect(a);
    await equal(a);
    await a.goto("about:blank");
    await change(nodes[2], "subscribed");
    await a.goto(lab.url);
    await begin(a);
    await connect(a);
    await equal(a);
    const b = await openConnected();
    await a.close();
    await change(nodes[3], "subscribed");
    await equal(b);
    await b.close();
    await change(nodes[4], "subscribed");
    await sleep(200);
    const c = await openConnected();
    await equal(c);
    assert.deepEqual([proxy.opened, context.pages().length], [1, 1]);
  });

  // `noticed`: the first tab, which has no call pending, starts another program as well.
  for (const [name, end, code, noticed] of [
    ["the tab that started it crashes", async (_profile, [first]) => {
      const session = await first.context().newCDPSession(first);
      const crashed = new Promise((resolve) => first.once("crash", resolve));
      session.send("Page.crash").catch(() => undefined);
      await crashed;
    }, "crashed"],
    ["the browser ends the worker", async ({ forEachWorker }) => {
      assert.equal(await forEachWorker((session, { targetId }) => session.send("Target.closeTarget", { targetId })), 1);
    }, "crashed", true],
    ["the worker hangs", async ({ forEachWorker }) => {
      assert.equal(await forEachWorker((session, { targetId }) => evaluate(session, targetId, "for (;;);")), 1);
    }, "crashed"],
  ]) {
    test(`${name}: pending calls are rejected, and the tabs start another program`, async (t) => {
      const profile = await makeProfile(t);
      const { openConnected, proxy, equal, change } = profile;
      const pages = [await openConnected(), await openConnected(), await openConnected()];
      assert.equal((await ask(pages[0], nodes[0])).code, undefined);
      await equal(...pages);
      const rest = pages.slice(1);
      proxy.onMessage = ({ dir, text }) => (dir === "in" && text.includes("<iq") ? sleep(60_000) : undefined); // no call is answered
      const pending = rest.map((page) => ask(page, nodes[1]));
      await sleep(200);
      await end(profile, pages);
      proxy.onMessage = () => undefined;
      assert.deepEqual((await Promise.all(pending)).map((o) => o.code), rest.map(() => code));
      await change(nodes[2], "subscribed");
      await equal(...rest);
      assert.deepEqual(await Promise.all(rest.map(where)), rest.map(() => "shared-worker"));
      const added = await profile.openConnected();
      await equal(added);
      assert.equal(proxy.opened, 2, "connections");
      await counted(noticed ? 4 : 3, ...rest, added);
      for (const page of [...rest, added]) assert.deepEqual(await warnings(page), []);
    });
  }

  test("a crash of the program is seen by all tabs, and the next connect() starts another", async (t) => {
    const { openConnected, equal, forEachWorker, proxy } = await makeProfile(t);
    const pages = [await openConnected(), await openConnected()];
    await forEachWorker((session, { targetId }) => evaluate(session, targetId,
      "const { now } = performance; performance.now = () => { performance.now = now; throw new WebAssembly.RuntimeError('unreachable'); }"));
    for (const page of pages) {
      const { code = "none" } = await ask(page, nodes[0]);
      assert.match(code, /crashed|offline|none/); // the worker may evaluate that before or after the call
      await page.waitForFunction(() => events.length > 0, undefined, { polling: 20, timeout: 20_000 });
      assert.deepEqual(await warnings(page), [["crash", "crashed"]]);
    }
    for (const page of pages) await connect(page);
    await equal(...pages);
    assert.equal(proxy.links.size, 1);
  });

  test("credentials are requested from the visible tab that was used last, and from the next one when it ends", async (t) => {
    const { open, proxy } = await makeProfile(t);
    const pages = [];
    for (let i = 0; i < 3; i++) {
      const page = await open();
      await page.evaluate(() => { globalThis.password = new Promise((resolve) => { globalThis.give = resolve; }); });
      await page.evaluate(() => client.subscriptions.ready.then(() => undefined));
      pages.push(page);
    }
    await pages[1].evaluate(() => dispatchEvent(new Event("focus")));
    await sleep(50);
    for (const page of pages) await page.evaluate(() => { globalThis.connected = outcome(client.connect()); });
    await sleep(300);
    await pages[1].close();
    await pages[2].evaluate((password) => give(password), canary);
    assert.equal((await pages[0].evaluate(() => connected)).code, undefined);
    assert.equal(proxy.opened, 1);
  });

  test("a tab with other options, or that gives a module or a worker, has its own program and a warning", async (t) => {
    const { openConnected, open, proxy, equal, change } = await makeProfile(t);
    const first = await openConnected();
    const others = [await openConnected({ mechanisms: ["SCRAM-SHA-256"] }), await openConnected({ worker: "killable.js?id=0" })];
    assert.deepEqual(await Promise.all([first, ...others].map(where)), ["shared-worker", "worker", "worker"]);
    for (const page of others) assert.deepEqual(await warnings(page), [["warning", "bad-options"]]);
    const alone = await open({ tabs: "independent" });
    await connect(alone);
    assert.deepEqual([await where(alone), await warnings(alone), proxy.opened], ["worker", [], 4]);
    await change(nodes[0], "subscribed");
    await equal(first, ...others, alone);
  });

  test("forget() acts for all tabs", async (t) => {
    const { openConnected, change, equal } = await makeProfile(t);
    const pages = [await openConnected(), await openConnected()];
    await change(nodes[0], "subscribed");
    await equal(...pages);
    await pages[0].evaluate(() => client.forget());
    for (const page of pages) {
      await page.waitForFunction(() => rows().length === 0 && client.sync.getSnapshot().phase === "offline");
      assert.equal(await page.evaluate(() => state().ver), null);
    }
  });

  test("a tab that is frozen shows what it missed when it is thawed, and the others do not wait for it", async (t) => {
    const { openConnected, change, equal, proxy } = await makeProfile(t);
    const [first, other] = [await openConnected(), await openConnected()];
    const session = await first.context().newCDPSession(first);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await change(nodes[0], "subscribed");
    await equal(other);
    assert.equal((await ask(other, nodes[1])).code, undefined);
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await equal(first, other);
    assert.equal(proxy.opened, 1);
  });

  test("a tab comes back from the back/forward cache, and shows what it missed", async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-profile-"));
    const own = await openProfile(folder); // playwright turns the cache off in the browsers that it starts
    t.after(async () => {
      await own.kill();
      await removeProfile(folder);
    });
    const { openConnected, change, equal, proxy } = await makeProfile(t, own.context);
    const [page, other] = [await openConnected(), await openConnected()];
    await page.evaluate(() => { globalThis.kept = true; addEventListener("pageshow", ({ persisted }) => { globalThis.persisted = persisted; }); });
    await page.goto(`${lab.url}/?2`);
    await change(nodes[0], "subscribed");
    await equal(other);
    const third = await openConnected();
    await counted(3, other, third); // one is in the cache
    await page.evaluate(() => history.back()).catch(() => undefined);
    await page.waitForFunction(() => globalThis.persisted, undefined, { polling: 20, timeout: 10_000 });
    await equal(page, other);
    await counted(3, page, other, third);
    assert.deepEqual([await page.evaluate(() => kept), proxy.opened], [true, 1]);
  });

  // A SharedWorker goes on without its pages only in a browser that knows the option extendedLifetime. Others, and Chromium
  // without the option, suspend it with the last page that goes into the back/forward cache, as they suspend the Worker of a
  // page. The network process of Chromium then still answers the server's pings.
  for (const [name, { tabs = "shared", knowsOption = true, connections }] of Object.entries({
    "a shared program that outlives its pages keeps its connection": { connections: [1, 1, 1] },
    "a shared program that does not has closed it before": { knowsOption: false, connections: [1, 1, 0] },
    "the program of a tab has closed it before": { tabs: "independent", connections: [2, 1, 0] },
  })) {
    test(`all tabs go into the back/forward cache: ${name}`, async (t) => {
      const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-profile-"));
      const own = await openProfile(folder);
      t.after(async () => {
        await own.kill();
        await removeProfile(folder);
      });
      if (!knowsOption) await own.context.addInitScript(() => {
        globalThis.SharedWorker = class extends SharedWorker {
          constructor(url, { type, name }) { super(url, { type, name }); }
        };
      });
      const { begin, openConnected, change, equal, proxy } = await makeProfile(t, own.context);
      const pages = [await openConnected({ tabs }), await openConnected({ tabs })];
      async function leave(page) {
        await page.evaluate(() => {
          globalThis.persisted = false;
          addEventListener("pageshow", (e) => { persisted = e.persisted; }, { once: true });
        });
        await page.goto(`${lab.url}/?2`);
      }
      let restored = 0;
      async function comeBack(page) {
        await page.evaluate(() => history.back()).catch(() => undefined);
        await page.waitForFunction(() => location.search === "" && document.readyState === "complete", undefined, { polling: 20, timeout: 10_000 });
        if (await page.evaluate(() => globalThis.persisted !== undefined)) {
          await page.waitForFunction(() => globalThis.persisted, undefined, { polling: 20, timeout: 10_000 });
          restored++;
        } else { // on a busy machine, Chromium may not keep the page
          await begin(page, { tabs });
          await connect(page);
        }
      }
      const open = () => proxy.links.size;
      assert.equal(open(), connections[0]);
      for (const [i, page] of pages.entries()) {
        const want = connections[i + 1];
        await leave(page);
        if (open() === want) await sleep(500);
        for (let times = 1; open() !== want; times++) { // on a busy machine, the browser may suspend it before it can act
          for (const deadline = Date.now() + 3000; open() > want && Date.now() < deadline;) await sleep(20);
          if (open() === want) break;
          assert.ok(times < 4 && open() > want, `${open()} connections after tab ${i} was left`);
          await comeBack(page);
          await equal(page);
          await leave(page);
        }
      }
      const before = proxy.opened;
      await change(nodes[0], "subscribed");
      restored = 0;
      for (const page of pages) await comeBack(page);
      await equal(...pages);
      t.diagnostic(`${restored} of 2 pages were restored`);
      assert.equal(open(), connections[0]);
      if (tabs === "shared") assert.equal(proxy.doubles, 0);
      if (restored === 2) {
        assert.equal(proxy.opened - before, connections[0] - connections[2]);
        for (const page of pages) assert.equal(await page.evaluate(() => client.sync.getSnapshot().resumed), connections[2] === 0);
      }
      assert.deepEqual(await Promise.all(pages.map(warnings)), [[], []]);
    });
  }

  test("two accounts have two programs", async (t) => {
    const [one, two] = [await makeProfile(t), await makeProfile(t)];
    const a = await one.openConnected();
    const b = await one.open({ account: `${two.account}@localhost` });
    await connect(b);
    await one.change(nodes[0], "subscribed");
    await one.equal(a);
    assert.deepEqual([await b.evaluate(() => rows()), await one.forEachWorker(() => undefined)], [[], 1]);
  });

  test(`${rounds} rounds of opening, reloading, closing and killing tabs: the list and the inbox are right, and each call settles`, { timeout: 60_000 + rounds * 10_000 }, async (t) => {
    t.diagnostic(`SEED=${seed} ROUNDS=${rounds}`);
    const random = generator(seed);
    const { account, open, begin, proxy, equal, change, forEachWorker } = await makeProfile(t);
    let pages = [];
    let published = 0;
    const calls = [];
    const settled = async (promise, page) => {
      const gone = new Promise((resolve) => page.once("close", resolve));
      const result = await Promise.race([promise.catch((e) => ({ code: `page: ${e.message}` })), gone.then(() => ({ code: "page: closed" })), sleep(60_000, { code: "never" })]);
      assert.ok(result.code === undefined || ["crashed", "offline", "outcome-unknown", "transport", "timeout", "aborted"].includes(result.code) || result.code.startsWith("page: "), result.code);
    };
    const wish = (page) => calls.push(settled(page.evaluate(() => outcome(client.connect().then(() => undefined))), page));
    await change(nodes[0], "subscribed");
    for (let round = 0; round < rounds; round++) {
      const page = pages.length > 0 ? random.choose(pages) : undefined;
      const step = random.choose(["open", "open", "close", "reload", "kill", "cut", "publish", "publish", "change", "call"]);
      const others = pages.filter((p) => p !== page);
      if (step === "open" && pages.length < 5) {
        const added = await open();
        wish(added);
        pages.push(added);
      } else if (step === "close" && others.length > 0) {
        pages = others;
        await page.close();
      } else if (step === "reload" && page) {
        await page.reload();
        await begin(page);
        wish(page);
      } else if (step === "kill" && page) {
        await forEachWorker((session, { targetId }) => session.send("Target.closeTarget", { targetId }));
      } else if (step === "cut") {
        proxy.cut();
      } else if (step === "publish") {
        await demo.publish(nodes[0], 1);
        published++;
      } else if (step === "change") {
        await change(random.choose(nodes.slice(1)), random.choose(["subscribed", "none"]));
      } else if (step === "call" && page) {
        calls.push(settled(ask(page, random.choose(nodes.slice(1)), random.choose(["subscribe", "unsubscribe"])), page));
      }
      if (random.below(3) === 0) await sleep(random.below(60));
      if (round % 10 === 9 || round === rounds - 1) {
        if (pages.length === 0) {
          pages.push(await open());
          wish(pages[0]);
        }
        await Promise.all(calls.splice(0));
        for (const p of pages) await p.evaluate(() => outcome(client.connect().then(() => undefined)));
        await equal(...pages);
        for (const p of pages) {
          await p.waitForFunction((n) => client.inbox.getSnapshot().unseen === n, published, { polling: 50, timeout: 20_000 }).catch(async () => {
            const { unseen, catchUp } = await p.evaluate(() => client.inbox.getSnapshot());
            assert.fail(`round ${round}: ${unseen} of ${published} events, ${JSON.stringify(catchUp)} (SEED=${seed})`);
          });
          const { items } = await p.evaluate(() => client.inbox.list({ limit: 500 }));
          assert.equal(new Set(items.map((e) => e.itemId)).size, published, `events of ${account} (SEED=${seed})`);
        }
        for (const end = Date.now() + 5000; proxy.links.size !== 1 && Date.now() < end;) await sleep(20);
        assert.equal(proxy.links.size, 1, `connections (SEED=${seed})`);
      }
    }
  });
});
