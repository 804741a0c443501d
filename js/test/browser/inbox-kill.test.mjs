// A page may be killed at any moment of a catch-up. What is stored must then be consistent, with all that the page was told,
// and the next run must come to the inbox of a device that was never killed, without telling an event again. Ten frames of a
// page, each with its own account, client and worker, block at ten points of a catch-up; then their process crashes, or the
// browser is killed. An eleventh account has a device in another browser, which is not.
//
// KILLS=n kills n times at each point in each way. SEED=n repeats a run, except for what the browser chooses at random.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openProfile, removeProfile, startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { storedInbox } from "./lib/inbox-records.mjs";
import { arm, crash, killable, openFrames } from "./lib/kill.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { generator, seed } from "./lib/random.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { databaseOf, readRecords, storedList } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";

const kills = Number(process.env.KILLS ?? 1);

/** The points (see lib/worker/block.js), and which time each is reached. */
const points = [
  ["query", [1, 2]], ["found", [1, 5, 30, 49]], ["end", [1, 2]], ["items", [1]], ["markers", [1, 2]], ["marker", [1]],
  ["unwritten", [1, 5, 9]], ["write", [1, 2, 3, 6, 12]], ["complete", [1, 2, 3]], ["posted", [1, 2, 3]],
];
const timeout = 30_000;

const skip = missing();
const profile = mkdtempSync(join(tmpdir(), "xmpp-pam-profile-"));
const random = generator(seed);
const lanes = points.map(([point], i) => ({ point, id: String(i) }));
const never = { id: "never" }; // the device that is not killed
let demo, lab, browser, safe, bob;

before(async () => {
  if (skip) return;
  lab = await startLab((query) => lanes[query.get("id")].blocked?.(query.get("point")));
  await Promise.all([ // all must be stopped if one fails
    startDemo("mem").then((d) => { demo = d; }), openProfile(profile).then((b) => { browser = b; }), startChromium().then((b) => { safe = b; }),
  ]);
  const context = await safe.newContext();
  [never.frame, bob] = await Promise.all([context.newPage(), context.newPage()]);
  await Promise.all([never.frame, bob].map((page) => page.goto(lab.url)));
  const target = socketOf(await demo.device("Laptop"));
  for (const lane of lanes) lane.proxy = await startProxy(target, (message) => pace(lane, message));
  never.service = target;
  await makeClient(bob, target, { account: "bob@localhost", storage: "memory" });
  await bob.evaluate(() => client.connect());
});
after(async () => {
  await Promise.allSettled([browser?.kill(), safe?.close(), demo?.stop(), lab?.stop(), ...lanes.map(({ proxy }) => proxy?.stop())]);
  await removeProfile(profile);
});

test(`killed ${kills} times at each of ${points.length} points of a catch-up in both ways, the inbox is the same`, { skip, timeout: 120_000 + kills * 60_000 }, async (t) => {
  t.diagnostic(`SEED=${seed} KILLS=${kills}`);
  let page = await openFrames(browser, lab, lanes);
  for (let batch = 0; batch < 2 * kills; batch++) {
    const how = batch % 2 ? "SIGKILL" : "crash";
    const all = (devices, step) => Promise.all(devices.map((device) => step(device).catch((e) => {
      throw new Error(`batch ${batch}, ${device.id} ${device.plan?.point ?? ""} ${device.plan?.nth ?? ""}, ${how} (SEED=${seed} KILLS=${kills}): ${e.message}`, { cause: e });
    })));
    const at = await prepare(batch, (step) => all([...lanes, never], step));
    await all(lanes, catchUpToPoint);
    await (how === "crash" ? crash(page) : browser.kill());
    if (how === "SIGKILL") browser = await openProfile(profile);
    for (const { proxy } of lanes) {
      proxy.down = true;
      proxy.cut();
    }
    for (const { account } of lanes) await demo.post("end", { account, how: "expire" }); // else they look like other devices that are connected
    page = await openFrames(browser, lab, lanes);
    await all(lanes, isWhole);
    await publish(at.feed, ["late0", "late1"]);
    await publish(at.blog, ["late2"]);
    for (const { proxy } of lanes) proxy.down = false;
    const [want, ...got] = await all([never, ...lanes], catchUp);
    assert.deepEqual(want.events.map((e) => `${e.node} ${e.type} ${e.item}`).sort(), at.log.sort(), "the device that was not killed, and what was published");
    await all(lanes, async (lane) => isSame(got[lanes.indexOf(lane)], lane.between ? { ...want, changes: [[], []] } : want));
    await all(lanes, onlyOnce);
    t.diagnostic(`${how}: ${lanes.map(({ plan, told, stored }) => `${plan.point} ${plan.nth} (told ${told.length}, stored ${stored.events.length})`).join(", ")}`);
  }
});

/** Has much happen while the devices, with new accounts, are away. Returns the nodes and what a device should know in the end. */
async function prepare(batch, all) {
  const node = (name, service = "pubsub.localhost") => ({ service, node: `${name}-${batch}` });
  const at = { feed: node("feed"), doomed: node("doomed"), left: node("left"), come: node("come"), blog: node("blog", "bob@localhost"), log: [] };
  const followed = [at.feed, at.doomed, at.left, at.blog];
  const note = (target, type, ...items) => at.log.push(...items.map((item) => `${target.node} ${type} ${item}`));
  const put = async (target, ...items) => {
    note(target, "published", ...items);
    await publish(target, items);
  };
  const ids = (name, n) => Array.from({ length: n }, (_, i) => name + i);

  await bob.evaluate(async (targets) => {
    const form = [{ name: "pubsub#access_model", value: "open" }, { name: "pubsub#max_items", value: "200" }];
    for (const target of targets) await client.createNode(target, { form });
  }, [...followed, at.come]);
  await all(async (device) => {
    device.account = `${device.id}x${batch}`;
    await demo.post("account", { name: device.account, password: canary });
    await begin(device);
    await device.frame.evaluate(async (followed) => {
      await client.connect();
      for (const target of followed) await client.subscribe(target);
      await until(() => client.inbox.getSnapshot().catchUp.phase === "done");
    }, followed);
  });
  for (const target of followed) await put(target, ...ids("known", 3));
  await all(({ frame }) => frame.evaluate(async ([blog, feed]) => {
    await until(() => client.inbox.getSnapshot().unseen === 12 && client.inbox.newest.getSnapshot().length === 12);
    const event = (node, item) => client.inbox.newest.getSnapshot().find((e) => e.node === node && e.itemId === item).id;
    await client.inbox.markSeen([event(feed, "known1")]);
    await client.inbox.looked();
    await until(() => client.inbox.getSnapshot().unseen === 11 && client.inbox.getSnapshot().away);
    await client.disconnect();
    await client.inbox.markSeen({ upTo: event(blog, "known1") }); // the next session publishes it
    await until(() => client.inbox.getSnapshot().unseen === 9);
  }, [at.blog.node, at.feed.node]));

  await put(at.doomed, ...ids("new", 4));
  await put(at.feed, ...ids("new", 30));
  await publish(at.come, ids("before", 3)); // the archives do not hold it, but the node does
  note(at.come, "published", ...ids("before", 3));
  await all(({ account }) => demo.post("change", { account, node: at.come.node, state: "subscribed" }));
  await put(at.left, ...ids("new", 3));
  await all(({ account }) => demo.post("change", { account, node: at.left.node, state: "none" }));
  await publish(at.left, ["unheard"]);
  await put(at.blog, ...ids("new", 12));
  await put(at.come, ...ids("new", 3));
  await bob.evaluate(async ([feed, blog, doomed]) => {
    await client.retract(feed, "known0");
    await client.retract(feed, "new3");
    await client.retract(blog, "new5");
    await client.deleteNode(doomed);
  }, [at.feed, at.blog, at.doomed]);
  note(at.feed, "retracted", "known0", "new3");
  note(at.blog, "retracted", "new5");
  note(at.doomed, "deleted", "");
  await put(at.feed, ...ids("newer", 30));
  note(at.feed, "published", "late0", "late1");
  note(at.blog, "published", "late2");
  return at;
}

/** Publishes items whose payloads tell when, in the order in which they are published. */
const publish = (target, items) => bob.evaluate(async ([target, items]) => {
  globalThis.clock ??= Date.UTC(2026, 10, 20);
  for (const id of items) {
    const xml = `<entry xmlns='http://www.w3.org/2005/Atom'><title>${target.node} ${id}</title><published>${new Date(clock += 1000).toISOString()}</published></entry>`;
    await client.publish(target, { id, xml });
  }
}, [target, items]);

/** Delays some results of archives, so that the client stores what it has so far. */
function pace(lane, { dir, text }) {
  if (dir === "in" && /^<message\b.*<result\b/s.test(text) && ++lane.results % 12 === 0) return sleep(100);
}

/** Makes the client of a device. */
async function begin(device) {
  await device.frame.evaluate(() => globalThis.client?.close());
  await makeClient(device.frame, device.proxy?.url ?? device.service, { account: `${device.account}@localhost`, reconnect: { baseMs: 50, maxMs: 100 }, ...(device !== never && { worker: killable(device) }) });
  await device.frame.evaluate((timeout) => {
    globalThis.added = []; // what the page was told
    client.on("events", (change) => added.push(...change.added.map((e) => e.id)));
    client.inbox.subscribe(() => undefined);
    client.inbox.newest.subscribe(() => undefined);
    globalThis.until = async (condition) => {
      for (const end = performance.now() + timeout; !(await condition());) {
        if (performance.now() > end) throw new Error(`not reached: ${condition}: ${JSON.stringify([client.sync.getSnapshot(), client.inbox.getSnapshot()])}`);
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
    };
    globalThis.describe = async () => {
      const { items, cursor } = await client.inbox.list({ limit: 500 });
      if (cursor) throw new Error("there are more events");
      const { unseen, dropped, nodes, away } = client.inbox.getSnapshot();
      return {
        events: items.map(({ id, service, node, type, itemId: item = "", occurredAt, timeSource, delivery, seen, xml }) => ({
          id, service, node, type, item, at: occurredAt.getTime(), source: timeSource, delivery, seen: seen.state, basis: seen.basis, xml: xml ?? "",
        })),
        unseen, dropped, nodes: nodes.map(({ service, node, unseen, dropped }) => ({ service, node, unseen, dropped })),
        awayEvents: away.events, changes: [away.subscriptions.added, away.subscriptions.removed].map((list) => list.map((s) => s.node)),
      };
    };
  }, timeout);
}

/** Runs the client of a lane to the point where it blocks. */
async function catchUpToPoint(lane) {
  const { frame, id, point } = lane;
  lane.results = 0;
  lane.plan = { point, of: "inbox", nth: random.choose(points[id][1]) };
  const there = await arm(lane, lane.plan, timeout);
  await frame.evaluate(() => {
    added.length = 0;
    client.connect().catch(() => undefined);
  });
  assert.equal(await there(), point);
  await sleep(50); // what the program has posted may be under way
  lane.told = await frame.evaluate(() => added);
}

/** Checks what is stored, without the program, by the page itself, and by the program without a network. */
async function isWhole(lane) {
  const stored = await readStored(lane);
  lane.stored = stored;
  const ids = new Set(stored.events.map((e) => e.id));
  assert.deepEqual(lane.told.filter((id) => !ids.has(id)), [], "the page was told of events that are not stored");
  await begin(lane);
  const { cached, source, newest, now } = await lane.frame.evaluate(async () => {
    const { source, unseen, dropped, nodes } = await client.inbox.ready;
    return {
      source, newest: client.inbox.newest.getSnapshot().map((e) => e.id), now: await describe(),
      cached: { unseen, dropped, nodes: nodes.map(({ service, node, unseen, dropped }) => ({ service, node, unseen, dropped })) },
    };
  });
  const { unseen, dropped, nodes } = stored;
  assert.equal(source, "cache");
  assert.deepEqual(cached, { unseen, dropped, nodes: inOrder(nodes, cached.nodes) }, "what the page shows at first");
  assert.deepEqual(newest, stored.events.slice(0, 50).map((e) => e.id), "the newest events that the page shows at first");
  const { events, changes, ...counts } = now;
  assert.deepEqual(counts, { unseen, dropped, nodes: inOrder(nodes, counts.nodes), awayEvents: stored.awayEvents }, "what the program shows");
  // The list is stored before the inbox. What a kill in between takes from the summary is not found again.
  lane.between = changes.flat().length === 0 && stored.followed.some((name) => /^come/.test(name));
  assert.deepEqual(events.map(same), stored.events.map(same), "the events that the program lists");
}

const same = ({ id, service, node, type, item, at, source, delivery, seen, xml }) => ({ id, service, node, type, item, at, source, delivery, seen, xml });
/** The order of nodes is the program's. */
const inOrder = (nodes, like) => like.map(({ service, node }) => nodes.find((n) => n.service === service && n.node === node)).concat(nodes.slice(like.length));

async function readStored({ frame, account }) {
  const records = await frame.evaluate(readRecords, databaseOf(`${account}@localhost`));
  return { ...storedInbox(records), followed: storedList(records).rows.map(([, node]) => node) };
}

/** Runs a device to the end of its catch-up, and returns its inbox. */
async function catchUp({ frame }) {
  return frame.evaluate(async () => {
    dispatchEvent(new Event("online"));
    await client.connect();
    await until(async () => client.inbox.getSnapshot().catchUp.phase === "done" && (await describe()).events.filter((e) => /^late/.test(e.item)).length === 3);
    const { completeness, gaps } = client.inbox.getSnapshot().catchUp;
    return { ...await describe(), completeness, gaps: gaps.map(({ service, node, reason }) => ({ service, node, reason })) };
  });
}

/**
 * Compares two inboxes. Each account has an archive of its own, with times in seconds, so that the order of events of
 * different services may differ.
 */
function isSame(got, want) {
  const byService = (events) => events.toSorted((a, b) => (a.service < b.service ? -1 : a.service > b.service ? 1 : 0));
  const text = (e) => `${e.service} ${e.node} ${e.type} ${e.item} ${e.source} ${e.delivery} ${e.seen} ${e.basis} ${e.xml.length}`;
  const [a, b] = [byService(got.events), byService(want.events)];
  assert.equal(a.map(text).join("\n"), b.map(text).join("\n"));
  for (const [i, e] of a.entries()) {
    assert.equal(e.xml, b[i].xml);
    assert.ok(Math.abs(e.at - b[i].at) <= 1000, `${text(e)} at ${new Date(e.at)}, not ${new Date(b[i].at)}`);
  }
  assert.deepEqual({ ...got, events: [] }, { ...want, events: [] });
}

/** Checks that the page was told of each event once, before the kill or after it, and what is stored in the end. */
async function onlyOnce(lane) {
  const told = await lane.frame.evaluate(() => added);
  const before = new Set(lane.stored.events.map((e) => e.id));
  const stored = await readStored(lane);
  assert.deepEqual(told.toSorted(), stored.events.map((e) => e.id).filter((id) => !before.has(id)).sort(), "what the page was told, and what was stored since the kill");
  const now = await lane.frame.evaluate(() => describe());
  assert.deepEqual(stored.events.map(same), now.events.map(same), "the records and the program");
  assert.deepEqual([stored.unseen, stored.awayEvents], [now.unseen, now.awayEvents]);
}
