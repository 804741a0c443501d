// Plays random schedules of the inbox in Chromium, with real IndexedDB, real WebSockets, and two tabs of a device that share
// a store. In each lane a publisher changes nodes of two services, and another device of the account subscribes and marks
// events as seen, while connections, sessions, pages and workers of the tabs end. When all is settled,
// - the records, read without the program, agree with each other, and with the snapshot and the list of both tabs;
// - each event of the log that a means could bring is in the inbox: what the archive has of the nodes that the device
//   follows, or did when it happened; without an archive, what was sent to a session that has lasted. None is there twice,
//   and none that was not published;
// - what a tab was told, before its worker or page ended, is still there, and no tab was told it again;
// - what a tab showed as seen is still seen.
//
// SCHEDULES=n plays n, SOAK=1 plays 400. SEED=n repeats a run, except for what depends on time.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { storedInbox } from "./lib/inbox-records.mjs";
import { socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { generator, seed } from "./lib/random.mjs";
import { databaseOf, readRecords } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";

const count = Number(process.env.SCHEDULES ?? (process.env.SOAK ? 400 : 25));
const lanes = 3;
const timeout = 15_000;

/** The steps of schedules, and how often each is chosen. */
const weights = {
  publish: 10, retract: 2, purge: 1, remove: 1, follow: 3, unfollow: 2, followElsewhere: 2, unfollowElsewhere: 1, seen: 3, seenElsewhere: 1, looked: 1,
  cut: 3, down: 2, up: 3, expire: 1, forget: 1, absence: 1, disconnect: 1, reload: 2, crash: 1, settle: 2,
};
const bag = Object.entries(weights).flatMap(([step, n]) => Array(n).fill(step));

const skip = missing();
const stages = [];
const steps = {};
let demo, lab, browser, bob;

before(async () => {
  if (skip) return;
  await Promise.all([ // all must be stopped if one fails
    startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; }),
  ]);
  bob = await openPage(await browser.newContext());
  await bob.evaluate((options) => boot(options), { account: "bob@localhost", service: socketOf(await demo.device("Laptop")), storage: "memory" });
  await bob.evaluate(() => client.connect());
});
after(async () => {
  await Promise.allSettled(stages.map((stage) => stage.close()));
  await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
});

test(`${count} schedules leave the inbox that the publisher's log describes`, { skip, timeout: 120_000 + count * 5000 }, async (t) => {
  t.diagnostic(`SEED=${seed} SCHEDULES=${count}`);
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async (_, i) => {
    const stage = await openStage(`lane${i}`);
    stages.push(stage);
    while (next < count) {
      const n = next++;
      const trace = [];
      try {
        await stage.play(n, trace);
      } catch (e) {
        next = count;
        throw new Error(`schedule ${n} (SEED=${seed} SCHEDULES=${count}): ${e.message}\n${trace.join("\n")}`, { cause: e.code === "ERR_ASSERTION" ? undefined : e });
      }
    }
  }));
  t.diagnostic(Object.entries(steps).map(([step, n]) => `${step} ${n}`).join(", "));
});

async function openPage(context) {
  const page = await context.newPage();
  await page.addInitScript(setUp, canary);
  await page.goto(lab.url);
  return page;
}

/** Two tabs, and another device, of an account. */
async function openStage(account) {
  await demo.post("account", { name: account, password: canary });
  const target = socketOf(await demo.device("Phone"));
  const context = await browser.newContext();
  const page = await openPage(context); // both tabs are frames of it, which compile the program once
  await page.evaluate(() => Promise.all(["tab0", "tab1"].map((name) => new Promise((resolve) => {
    document.body.append(Object.assign(document.createElement("iframe"), { name, src: "/", onload: resolve }));
  }))));
  const tabs = await Promise.all(["tab0", "tab1"].map(async (name) => {
    const tab = { sessions: 0, ready: false, page: page.frame(name), proxy: await startProxy(target) };
    // A session counts as soon as the server has answered after its presence.
    tab.proxy.onMessage = ({ dir, text }) => {
      if (dir === "out" && /<bind\b/.test(text)) Object.assign(tab, { sessions: tab.sessions + 1, present: false, ready: false });
      else if (dir === "out" && /^<presence\b/.test(text)) tab.present = !/type='unavailable'/.test(text);
      else if (dir === "in" && tab.present && /^<iq\b/.test(text)) tab.ready = true;
    };
    return tab;
  }));
  const other = await openPage(await browser.newContext());
  const start = (tab) => tab.page.evaluate((options) => boot(options), { account: `${account}@localhost`, service: tab.proxy.url, reconnect: { baseMs: 20, maxMs: 100 } });
  await Promise.all([...tabs.map(start), other.evaluate(async (options) => {
    await boot(options);
    await client.connect();
  }, { account: `${account}@localhost`, service: target, storage: "memory" })]);

  async function play(n, trace) {
    const random = generator(seed + n);
    const like = random.choose(["prosody", "prosody", "spec", "archive-off"]);
    // Replayed stanzas without a stamp count as live: an event after which others came may then count as another one.
    const removes = like === "prosody";
    const nodes = []; // {service, node, items, texts, retracted: of the items, purged, gone}
    const log = []; // what was published
    const told = new Map(); // events by id
    const seenHere = new Set(); // ids of events that a tab showed as seen
    let followed = new Set(); // without a break since all was settled last
    trace.push(like);

    async function list() {
      const now = new Set((await demo.get("list", { account })).list.map(nameOf));
      followed = new Set([...followed].filter((name) => now.has(name)));
      return now;
    }
    const live = () => nodes.filter((node) => !node.gone);

    /** Has something happen at a node, and notes the events: [type, item, text] of each. */
    async function happen(node, events, run, ...args) {
      const [name, sessions, follows] = [nameOf(node), tabs.map((tab) => tab.ready && tab.sessions), (await list()).has(nameOf(node))];
      const kept = followed;
      await bob.evaluate(run, [targetOf(node), ...args]);
      const followsStill = node.gone || (await list()).has(name); // a deletion ends the subscription
      for (const event of events) log.push({ key: `${name} ${event.join(" ")}`, name, certain: follows && followsStill, kept: kept.has(name), sessions });
    }
    async function publish(node) {
      const items = [];
      for (let i = 1 + random.below(4); i > 0; i--) {
        const id = node.items.length > node.retracted && random.below(6) === 0 ? random.choose(node.items.slice(node.retracted)) : `item${node.items.length}`;
        const text = `${node.node} text ${++node.texts}`;
        if (!node.items.includes(id)) node.items.push(id);
        items.push({ id, text, xml: random.below(2) === 0 ? `<x xmlns='urn:x'>${text}</x>` : `<entry xmlns='http://www.w3.org/2005/Atom'><title>${text}</title><published>${new Date().toISOString()}</published></entry>` });
      }
      await happen(node, items.map(({ id, text }) => ["published", id, text]), async ([target, items]) => {
        for (const { id, xml } of items) await client.publish(target, { id, xml });
      }, items);
    }
    /** Notes what a tab was told, before it ends. */
    async function remember(tab) {
      const now = await tab.page.evaluate(() => takeTold());
      for (const [id, what] of now.added) {
        assert.ok(!tab.told.has(id), `${what} was told twice`);
        tab.told.add(id);
        told.set(id, what);
      }
      for (const id of now.seen) seenHere.add(id);
      assert.deepEqual(now.faults, []);
    }
    /** Connects a tab whose network may have been down. */
    const up = (tab) => {
      tab.proxy.down = false;
      return tab.page.evaluate(() => wake());
    };

    async function settle() {
      for (const tab of tabs) await up(tab);
      const want = await list();
      await Promise.all(tabs.map((tab) => tab.page.evaluate((timeout) => caughtUp(timeout), timeout)));
      for (const deadline = Date.now() + timeout; ; await sleep(50)) {
        try {
          await compare(want);
          break;
        } catch (e) {
          if (e.code !== "ERR_ASSERTION" || Date.now() > deadline) throw e;
        }
      }
      followed = want;
    }

    async function compare(want) {
      const shown = await Promise.all(tabs.map((tab) => tab.page.evaluate(() => describe())));
      for (const { phase, catchUp, subscriptions } of shown) {
        assert.deepEqual([phase, catchUp], ["live", "done"]);
        assert.deepEqual(new Set(subscriptions), want);
      }
      for (const tab of tabs) await remember(tab);
      const stored = storedInbox(await tabs[0].page.evaluate(readRecords, databaseOf(`${account}@localhost`)));
      const { events, unseen, dropped, nodes: counts } = stored ?? { events: [], unseen: 0, dropped: 0, nodes: [] };
      const found = new Map();
      for (const e of events) {
        const key = `${nameOf(e)} ${e.type} ${e.item} ${/>([^<>]* text \d+)</.exec(e.xml)?.[1] ?? ""}`;
        assert.ok(!found.has(key), `${key} is there twice`);
        found.set(key, e);
      }
      const published = new Map(log.map((p) => [p.key, p]));
      for (const key of found.keys()) assert.ok(published.has(key), `${key} was not published`);
      const archived = like !== "archive-off";
      const lost = log.filter((p) => p.certain && !found.has(p.key) && (archived
        ? p.kept || want.has(p.name)
        : p.kept && tabs.some((tab, i) => tab.ready && tab.sessions === p.sessions[i])));
      assert.deepEqual(lost.map((p) => p.key), [], "lost events");
      const ids = new Map(events.map((e) => [e.id, e]));
      for (const [id, what] of told) assert.ok(ids.has(id), `${what} was told, but is not stored`);
      for (const id of seenHere) assert.equal(ids.get(id)?.seen, "seen-here", `event ${id} was shown as seen`);
      for (const tab of shown) {
        const { unseen: all, dropped: lost, nodes: own, listed, newest } = tab;
        assert.deepEqual({ unseen: all, dropped: lost, nodes: own.sort() }, { unseen, dropped, nodes: counts.map((n) => `${nameOf(n)} ${n.unseen} ${n.dropped}`).sort() });
        assert.deepEqual(listed, events.map((e) => `${e.id} ${e.seen}`));
        assert.deepEqual(newest, listed.slice(0, 50));
      }
    }

    const play = {
      publish: () => publish(random.choose(live())),
      async retract() {
        const node = live().find((node) => node.items.length > node.retracted);
        if (!node || !removes) return;
        const item = node.items[node.retracted++]; // is not published again
        await happen(node, [["retracted", item, ""]], ([target, item]) => client.retract(target, item), item);
      },
      async purge() { // a second one within 5 minutes would count as a copy
        const node = live().find((node) => !node.purged);
        if (!node || !removes) return;
        Object.assign(node, { purged: true, retracted: node.items.length });
        await happen(node, [["purged", "", ""]], ([{ service, node }]) => client.iq({ to: service, type: "set", xml: `<pubsub xmlns='http://jabber.org/protocol/pubsub#owner'><purge node='${node}'/></pubsub>` }));
      },
      async remove() {
        if (live().length < 3 || !removes) return;
        const node = random.choose(live());
        node.gone = true;
        await happen(node, [["deleted", "", ""]], ([target]) => client.deleteNode(target));
      },
      follow: (tab) => tab.page.evaluate((target) => attempt(client.subscribe(target)), targetOf(random.choose(live()))),
      unfollow: (tab) => tab.page.evaluate((target) => attempt(client.unsubscribe(target)), targetOf(random.choose(live()))),
      followElsewhere: () => other.evaluate((target) => attempt(client.subscribe(target)), targetOf(random.choose(live()))),
      unfollowElsewhere: () => other.evaluate((target) => attempt(client.unsubscribe(target)), targetOf(random.choose(live()))),
      seen: (tab) => tab.page.evaluate(([n, upTo]) => markSeen(n, upTo), [random.below(20), random.below(2) === 0]),
      seenElsewhere: () => other.evaluate((n) => markSeen(n, true), random.below(20)),
      looked: (tab) => tab.page.evaluate(() => attempt(client.inbox.looked())),
      cut: (tab) => tab.proxy.cut(),
      down(tab) {
        tab.proxy.down = true;
        tab.proxy.cut();
      },
      up,
      expire: () => demo.post("end", { account, how: "expire" }),
      forget: () => demo.post("end", { account, how: "forget" }),
      async absence() { // the server forgets the sessions, and the device misses much
        for (const tab of tabs) play.down(tab);
        await play.forget();
        for (let i = 0; i < 3; i++) await play[random.choose(["publish", "publish", "retract", "followElsewhere", "unfollowElsewhere"])]();
        for (const tab of tabs) await up(tab);
      },
      async disconnect(tab) {
        tab.ready = false;
        await tab.page.evaluate(() => client.disconnect());
        for (let i = random.below(3); i > 0; i--) await play.publish();
        await tab.page.evaluate(() => void client.connect().catch(() => undefined));
      },
      async reload(tab) {
        await remember(tab);
        await page.evaluate((name) => new Promise((resolve) => {
          const frame = document.getElementsByName(name)[0];
          frame.onload = resolve;
          frame.contentWindow.location.reload();
        }), tab.page.name());
        await start(tab);
        await up(tab);
      },
      async crash(tab) {
        await remember(tab);
        await tab.page.evaluate(() => crash());
        await start(tab);
        await up(tab);
      },
      settle,
    };

    for (const [i, service] of ["pubsub.localhost", "pubsub.localhost", "bob@localhost", "pubsub.localhost", "bob@localhost"].entries()) {
      nodes.push({ service, node: `node-${n}-${i}`, items: [], texts: 0, retracted: 0, purged: false, gone: false });
    }
    await demo.post("end", { account, how: "forget" });
    await demo.post("personality", { account, name: like });
    await bob.evaluate(async (targets) => {
      for (const target of targets) await client.createNode(target, { form: [{ name: "pubsub#access_model", value: "open" }, { name: "pubsub#max_items", value: "200" }] });
    }, nodes.map(targetOf));
    for (const tab of tabs) {
      Object.assign(tab, { sessions: 0, ready: false, told: new Set() });
      await up(tab);
    }
    await tabs[0].page.evaluate(async (targets) => {
      await client.connect();
      for (const target of targets) await client.subscribe(target);
    }, nodes.slice(0, 3).map(targetOf));
    await settle();
    for (let i = 12 + random.below(14); i > 0; i--) {
      const [step, tab] = [random.choose(bag), random.below(2)];
      trace.push(`${step} ${tab}`);
      steps[step] = (steps[step] ?? 0) + 1;
      const before = log.length;
      await play[step](tabs[tab]);
      for (const { key } of log.slice(before)) trace.push(`  ${key}`);
      await list();
      await sleep(random.choose([0, 0, 2, 10, 40]));
    }
    trace.push("the end");
    await settle();
    // The next schedule begins with an empty list, and a store as of a new device.
    await bob.evaluate(async (targets) => {
      for (const target of targets) await client.deleteNode(target);
    }, live().map(targetOf));
    for (const { page } of tabs) await page.evaluate(() => client.disconnect());
    for (const { page } of tabs) await page.evaluate(() => client.forget().then(takeTold)); // one after the other: another tab may have read what one deletes
  }

  return {
    play,
    async close() {
      await Promise.all([context.close(), other.context().close()]);
      await Promise.all(tabs.map((tab) => tab.proxy.stop()));
    },
  };
}

const nameOf = ({ service, node }) => `${service}/${node}`;
const targetOf = ({ service, node }) => ({ service, node });

/** Runs in each page. */
function setUp(password) {
  let worker, compiling, added, seen, faults;
  globalThis.compiled = () => (compiling ??= WebAssembly.compileStreaming(fetch("/pkg/pam.wasm")));

  globalThis.boot = async (options) => {
    const { createClient, PamError } = await import("/pkg/index.js");
    const wasm = structuredClone(await parent.compiled()); // of this frame
    globalThis.client = createClient({
      tabs: "independent", credentials: { password }, mechanisms: ["PLAIN"], runtime: { wasm, worker: () => (worker = new Worker("/pkg/worker.js", { type: "module" })) }, ...options,
    });
    [added, seen, faults] = [[], [], []];
    client.on("events", (change) => added.push(...change.added.map((e) => [e.id, `${e.node} ${e.type} ${e.itemId ?? ""}`])));
    client.inbox.subscribe(() => undefined);
    client.inbox.newest.subscribe((events) => { for (const e of events) if (e.seen.state === "seen-here") seen.push(e.id); });
    client.on("crash", (e) => faults.push(e.message));
    client.on("warning", (e) => faults.push(`${e.code} ${e.message}`));
    // Gives the promise a moment only: a client without a connection may wait for long.
    globalThis.attempt = (promise) => Promise.race([new Promise((resolve) => setTimeout(resolve, 300)), promise.catch((e) => {
      if (!PamError.is(e)) faults.push(String(e));
    })]);
  };
  globalThis.takeTold = () => {
    const now = { added, seen, faults };
    [added, seen, faults] = [[], [], []];
    return now;
  };
  globalThis.wake = () => {
    dispatchEvent(new Event("online"));
    client.connect().catch(() => undefined);
  };
  globalThis.crash = () => {
    worker.terminate();
    client.close(); // the worker does not answer; close() only releases the page's resources
  };
  globalThis.markSeen = async (n, upTo) => {
    const id = client.inbox.newest.getSnapshot()[n]?.id;
    if (id) await attempt(client.inbox.markSeen(upTo ? { upTo: id } : [id]));
  };
  globalThis.caughtUp = async (timeout) => {
    const done = () => client.sync.getSnapshot().phase === "live" && client.inbox.getSnapshot().catchUp.phase === "done";
    for (const end = performance.now() + timeout; !done() && performance.now() < end;) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  globalThis.describe = async () => {
    const brief = (e) => `${e.id} ${e.seen.state}`;
    const { items } = await client.inbox.list({ limit: 500 });
    const { unseen, dropped, nodes, catchUp } = client.inbox.getSnapshot();
    return {
      phase: client.sync.getSnapshot().phase, catchUp: catchUp.phase, subscriptions: client.subscriptions.getSnapshot().map((s) => `${s.service}/${s.node}`),
      unseen, dropped, nodes: nodes.map((n) => `${n.service}/${n.node} ${n.unseen} ${n.dropped}`), listed: items.map(brief), newest: client.inbox.newest.getSnapshot().map(brief),
    };
  };
}
