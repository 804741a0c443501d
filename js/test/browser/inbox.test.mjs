// The inbox in pages in Chromium, at the server in memory and at Prosody.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";
import { startServer } from "./page.mjs";

const example = /```js\n(client\.inbox\.subscribe.*?)```/s.exec(readFileSync(new URL("../../README.md", import.meta.url), "utf8"))[1];

let lab, browser;
before(async () => {
  if (!missing()) [lab, browser] = await Promise.all([startLab(), startChromium()]);
});
after(() => Promise.allSettled([browser?.close(), lab?.stop()]));

const service = "pubsub.localhost";
const nodes = ["gazette", "hymns"];
const entry = (title, at = "2026-11-20T09:00:00Z") => `<entry xmlns='http://www.w3.org/2005/Atom'><title>${title}</title><published>${at}</published></entry>`;
const song = (text) => `<song xmlns='urn:example:song'>${text}</song>`;

/** Starts the server in memory with archives. Bob creates nodes and publishes. */
async function startMem() {
  const server = await startServer("-archive", "-rsm", "-account", `alice:${canary}`, "-account", `bob:${canary}`);
  const page = await (await browser.newContext()).newPage();
  await page.goto(lab.url);
  await makeClient(page, server.url, { account: "bob@localhost", storage: "memory" });
  await page.evaluate(() => client.connect());
  return {
    socket: server.url,
    node: (node) => page.evaluate((target) => client.createNode(target), { service, node }),
    publish: (node, id, xml) => page.evaluate(([target, item]) => client.publish(target, item), [{ service, node }, { id, xml }]),
    stop: () => Promise.all([page.context().close(), server.stop()]),
  };
}

/** Starts Prosody. Its administrator creates nodes and publishes. */
async function startProsody() {
  const demo = await startDemo("prosody");
  return {
    socket: socketOf(await demo.device("Phone")),
    node: (name) => demo.post("node", { name }),
    publish: (node, id, xml) => demo.post("publish", { node, id }, xml),
    stop: () => demo.stop(),
  };
}

/** Opens a page with a client in a context, which is a device. */
async function open(context, { socket }, options = {}) {
  const page = await context.newPage();
  await page.goto(lab.url);
  await begin(page, socket, options);
  return page;
}

async function begin(page, socket, options = {}) {
  await makeClient(page, socket, options);
  await page.evaluate(() => {
    globalThis.live = [];
    globalThis.states = [];
    globalThis.lists = [];
    client.on("event", (e) => live.push(e));
    client.inbox.subscribe((s) => states.push(s));
    client.inbox.newest.subscribe((l) => lists.push(l));
    globalThis.brief = (e) => [e.node, e.type, e.itemId, e.delivery, e.seen.state, e.entry?.title ?? e.xml];
    globalThis.until = async (condition) => {
      for (const end = Date.now() + 15_000; !(await condition());) {
        if (Date.now() > end) throw new Error(`not reached: ${condition}: ${JSON.stringify(client.inbox.getSnapshot())}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    globalThis.counts = () => client.inbox.getSnapshot().nodes.map((n) => [n.node, n.unseen, n.dropped]);
  });
}

/** Runs a test with its own server. */
const inboxTest = (server, name, run) => test(`${name} (${server})`, { skip: missing(server), timeout: 180_000 }, async () => {
  const at = await (server === "mem" ? startMem() : startProsody());
  const contexts = [await browser.newContext(), await browser.newContext()];
  try {
    for (const name of nodes) await at.node(name);
    await run(at, contexts);
  } finally {
    await Promise.allSettled(contexts.map((c) => c.close()));
    await at.stop();
  }
});

for (const server of ["mem", "prosody"]) {
  inboxTest(server, "an event appears on both devices, and is seen on one when it is marked there", async (at, contexts) => {
    const [phone, laptop] = [await open(contexts[0], at), await open(contexts[1], at)];
    await phone.evaluate(async ([service, nodes]) => {
      await client.connect();
      for (const node of nodes) await client.subscribe({ service, node });
    }, [service, nodes]);
    await laptop.evaluate(() => client.connect());
    await at.publish("gazette", "1", entry("One &amp; more"));
    await at.publish("hymns", "a", song("la"));
    await at.publish("gazette", "2", entry("Two", "2026-11-20T10:00:00Z"));
    for (const page of [phone, laptop]) {
      const found = await page.evaluate(async () => {
        await until(() => live.length === 3 && client.inbox.newest.getSnapshot().length === 3);
        const state = client.inbox.getSnapshot();
        const { items, cursor } = await client.inbox.list();
        return {
          live: live.map(brief), unseen: state.unseen, counts: counts(), newest: client.inbox.newest.getSnapshot().map((e) => e.itemId), last: cursor === undefined,
          same: items.every((e, i) => e === client.inbox.newest.getSnapshot()[i]), frozen: items.every(Object.isFrozen),
          at: items.find((e) => e.itemId === "1").occurredAt.toISOString(), source: items.find((e) => e.itemId === "1").timeSource,
        };
      });
      assert.deepEqual(found.live, [
        ["gazette", "published", "1", "live", "unseen", "One & more"], ["hymns", "published", "a", "live", "unseen", song("la")],
        ["gazette", "published", "2", "live", "unseen", "Two"],
      ].map(([...row]) => (row[0] === "hymns" ? [...row.slice(0, 5), found.live[1][5]] : row)));
      assert.match(found.live[1][5], /^<song [^]*>la<\/song>$/);
      assert.deepEqual({ ...found, live: 0 }, {
        live: 0, unseen: 3, counts: [["gazette", 2, 0], ["hymns", 1, 0]], newest: ["a", "2", "1"], last: true, same: true, frozen: true,
        at: "2026-11-20T09:00:00.000Z", source: "payload",
      });
    }
    const marked = await phone.evaluate(async () => {
      const changes = [];
      client.on("events", (c) => changes.push(c));
      const before = client.inbox.newest.getSnapshot();
      await client.inbox.markSeen([before.find((e) => e.itemId === "1").id, "nothing"]);
      await until(() => client.inbox.getSnapshot().unseen === 2);
      await client.inbox.markSeen({ upTo: before.find((e) => e.itemId === "2").id });
      await until(() => client.inbox.getSnapshot().unseen === 1);
      await until(() => client.inbox.newest.getSnapshot().find((e) => e.itemId === "2").seen.state === "seen-here");
      const after = client.inbox.newest.getSnapshot();
      return {
        counts: counts(), seen: after.map((e) => e.seen.state), basis: after.map((e) => e.seen.basis), same: after.map((e, i) => e === before[i]),
        updated: changes.map((c) => c.updated.length), unseenOnly: (await client.inbox.list({ unseenOnly: true })).items.map((e) => e.itemId),
      };
    });
    assert.deepEqual(marked, {
      counts: [["gazette", 0, 0], ["hymns", 1, 0]], seen: ["unseen", "seen-here", "seen-here"], basis: ["none", "this-device", "this-device"],
      same: [true, false, false], updated: [1, 1], unseenOnly: ["a"],
    });
  });

  inboxTest(server, "a device that was away fetches what it has missed, and sums it up", async (at, contexts) => {
    const page = await open(contexts[0], at);
    await page.evaluate(async ([service, nodes]) => {
      await client.connect();
      for (const node of nodes) await client.subscribe({ service, node });
      await until(() => client.inbox.getSnapshot().catchUp.phase === "done");
    }, [service, nodes]);
    await at.publish("gazette", "0", entry("before"));
    await page.evaluate(async () => {
      await until(() => live.length === 1);
      await client.inbox.looked();
      await until(() => client.inbox.getSnapshot().away !== null);
      await client.disconnect();
    });
    for (let i = 1; i <= 5; i++) await at.publish("gazette", `${i}`, entry(`No. ${i}`, `2026-11-20T1${i}:00:00Z`));
    await at.node("films");
    const other = await open(contexts[1], at);
    await other.evaluate(async (service) => {
      await client.connect();
      await client.subscribe({ service, node: "films" });
      await client.close();
    }, service);
    const found = await page.evaluate(async () => {
      const phases = [];
      client.on("catchup", (s) => phases.push(s.phase));
      await client.connect();
      await until(() => live.length >= 6 && client.inbox.getSnapshot().catchUp.phase === "done" && client.inbox.getSnapshot().away.events === 5);
      const { away, catchUp, unseen, source } = client.inbox.getSnapshot();
      return {
        live: live.slice(1).map((e) => [e.itemId, e.delivery]), unseen, source, phases: [...new Set(phases)], completeness: catchUp.completeness,
        events: away.events, added: away.subscriptions.added.map((s) => [s.node, s.kind]), rest: away.subscriptions.removed.length + away.subscriptions.changed.length,
        ahead: away.since.getTime() <= Date.now(), done: catchUp.nodes === catchUp.nodesDone,
      };
    });
    assert.deepEqual({ ...found, completeness: 0 }, {
      live: ["1", "2", "3", "4", "5"].map((id) => [id, "catch-up"]), unseen: 6, source: "server", phases: ["running", "done"], completeness: 0,
      events: 5, added: [["films", "pubsub"]], rest: 0, ahead: true, done: true,
    });
    const pages = await page.evaluate(async ([service]) => {
      const found = [];
      let before;
      do {
        const { items, cursor } = await client.inbox.list({ target: { service, node: "gazette" }, limit: 4, ...(before && { before }) });
        found.push(items.map((e) => e.itemId));
        before = cursor;
      } while (before);
      await client.inbox.looked();
      await until(() => client.inbox.getSnapshot().away.events === 0);
      return { found, away: client.inbox.getSnapshot().away.subscriptions.added.length, wrong: await client.inbox.list({ before: "x" }).catch((e) => e.code) };
    }, [service]);
    assert.deepEqual(pages, { found: [["5", "4", "3", "2"], ["1", "0"]], away: 0, wrong: "bad-options" });
  });
}

inboxTest("mem", "the example of the README runs", async (at, [context]) => {
  const page = await open(context, at);
  await page.evaluate(async (target) => {
    await client.connect();
    await client.subscribe(target);
  }, { service, node: nodes[0] });
  await at.publish(nodes[0], "1", entry("One"));
  const found = await page.evaluate(async (code) => {
    await until(() => live.length === 1);
    const out = {};
    const AsyncFunction = (async () => undefined).constructor;
    await new AsyncFunction("client", "badge", "feed", "announce", code)(
      client, (unseen, running) => { out.badge = [unseen, running]; }, (list) => { out.feed = list.map((e) => [e.title, e.at.toISOString(), e.unread]); }, (text) => { out.said = text; },
    );
    await until(() => out.feed?.[0]?.[2] === false);
    return out;
  }, example.replace("pubsub.example.org", service).replace('"news"', `"${nodes[0]}"`));
  assert.deepEqual(found, { badge: [0, false], feed: [["One", "2026-11-20T09:00:00.000Z", false]] });
});

inboxTest("mem", "counts and the newest events are shown before the program runs, and stay the same objects when it does", async (at, [context]) => {
  const first = await open(context, at);
  await first.evaluate(async ([service, nodes]) => {
    await client.connect();
    for (const node of nodes) await client.subscribe({ service, node });
    await until(() => client.inbox.getSnapshot().catchUp.phase === "done");
    await client.inbox.looked();
  }, [service, nodes]);
  for (let i = 0; i < 70; i++) await at.publish("gazette", `${i}`, entry(`No. ${i}`, new Date(Date.UTC(2026, 10, 1, i)).toISOString()));
  await at.publish("hymns", "long", song("la ".repeat(10_000)));
  await at.publish("hymns", "short", song("la"));
  const before = await first.evaluate(async (target) => {
    await client.unsubscribe(target);
    await until(() => live.length === 72 && client.inbox.getSnapshot().away.subscriptions.removed.length === 1);
    await client.inbox.markSeen([live[0].id, live[69].id]);
    await until(() => client.inbox.getSnapshot().unseen === 70 && client.inbox.newest.getSnapshot().some((e) => e.seen.state === "seen-here"));
    const all = { state: JSON.stringify({ ...client.inbox.getSnapshot(), source: 0, catchUp: 0, seenScope: 0 }), newest: JSON.stringify(client.inbox.newest.getSnapshot()) };
    await client.close();
    return all;
  }, { service, node: nodes[1] });
  assert.match(before.newest, /la la la/);
  const page = await context.newPage();
  let release;
  const held = new Promise((resolve) => { release = resolve; });
  await page.route("**/pam.wasm", async (route) => {
    await held;
    await route.continue();
  });
  await page.goto(lab.url);
  await begin(page, at.socket);
  const cached = await page.evaluate(async () => {
    const ready = await client.inbox.ready;
    const list = await client.inbox.list({ limit: 10 });
    return {
      state: JSON.stringify({ ...ready, source: 0, catchUp: 0, seenScope: 0 }), newest: JSON.stringify(client.inbox.newest.getSnapshot()), source: ready.source,
      same: ready === client.inbox.getSnapshot(), phase: client.runtime.getSnapshot().phase, first: list.items.every((e, i) => e === client.inbox.newest.getSnapshot()[i]),
      length: list.items.length, cursor: list.cursor,
      waits: await Promise.race([client.inbox.list({ before: list.cursor }), new Promise((resolve) => setTimeout(resolve, 100, "waits"))]),
    };
  });
  const { cursor, ...rest } = cached;
  assert.deepEqual(rest, { ...before, source: "cache", same: true, phase: "loading", first: true, length: 10, waits: "waits" });
  release();
  const taken = await page.evaluate(async (cursor) => {
    await until(() => client.runtime.getSnapshot().phase === "running");
    const rest = await client.inbox.list({ before: cursor, limit: 500 });
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { states: states.map((s) => [s.source, s.unseen]), lists: lists.map((l) => l.length), rest: rest.items.length, more: rest.cursor ?? null, overlap: rest.items.slice(0, 40).every((e, i) => e === lists.at(-1)[i + 10]) };
  }, cursor);
  assert.deepEqual(taken, { states: [["unread", 0], ["cache", 70]], lists: [0, 50], rest: 62, more: null, overlap: true });
  await page.evaluate(async () => {
    await client.forget();
    await until(() => client.inbox.getSnapshot().nodes.length === 0 && client.inbox.newest.getSnapshot().length === 0);
    await client.close();
  });
  await page.reload();
  await begin(page, at.socket);
  assert.deepEqual(await page.evaluate(async () => [(await client.inbox.ready).unseen, client.inbox.newest.getSnapshot().length]), [0, 0]);
});

inboxTest("mem", "an event that is no interest of the device is neither kept nor counted", async (at, [context]) => {
  const page = await open(context, at, { interests: [{ payload: "http://www.w3.org/2005/Atom" }] });
  await page.evaluate(async ([service, nodes]) => {
    await client.connect();
    for (const node of nodes) await client.subscribe({ service, node });
    await until(() => client.inbox.getSnapshot().catchUp.phase === "done");
  }, [service, nodes]);
  await at.publish("hymns", "a", song("la"));
  await at.publish("gazette", "1", entry("One"));
  const first = await page.evaluate(async () => {
    await until(() => live.length === 1);
    await client.setInterests(null);
    return [live[0].itemId, client.inbox.getSnapshot().unseen, client.subscriptions.getSnapshot().length];
  });
  await at.publish("hymns", "b", song("la la"));
  const found = await page.evaluate(async () => {
    await until(() => live.some((e) => e.itemId === "b"));
    const out = {};
    await client.setInterests([{ node: "hy", prefix: true }]);
    await until(() => client.inbox.getSnapshot().nodes.every((n) => n.node === "hymns" || n.unseen === 0));
    out.left = (await client.inbox.list()).items.map((e) => e.node).every((node) => node === "hymns");
    await client.setInterests([]);
    await until(() => client.inbox.getSnapshot().unseen === 0);
    return out;
  });
  assert.deepEqual([first, found], [["1", 1, 2], { left: true }]);
});
