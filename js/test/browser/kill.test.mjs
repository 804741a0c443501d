// A page may be killed at any moment. What it has stored is then a list that the server really had, together with that
// list's version: never one of them without the other. Here a page is killed in every window of a sync, again and again,
// while another device changes the list.
//
// KILLS=200 kills more often than usual. SEED=n repeats a run, as far as what is random in it is the test's own.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { openProfile, removeProfile, startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { openDevice } from "./lib/device.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { generator } from "./lib/random.mjs";

const kills = Number(process.env.KILLS ?? 30);
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 32));

/**
 * The windows, in the order of a sync, and the kinds of sync in which each occurs:
 * first   the first sync of a new device, a full list
 * full    a full list for a device that has one, because the server knows its version no longer
 * delta   the sync of a device that was away
 * live    a change by another device, in the midst of a session
 * own     a change by this device
 */
const windows = {
  request: ["first", "delta", "full", "own"],
  notify: ["delta", "live"],
  result: ["delta", "full", "first", "own"],
  write: ["delta", "live", "full", "own", "first"],
  complete: ["live", "delta", "full", "own", "first"],
};
const points = Object.keys(windows);

const skip = missing();
const nodes = Array.from({ length: 12 }, (_, i) => `node-${i}`);
const profiles = mkdtempSync(join(tmpdir(), "xmpp-pam-profiles-"));
let demo, lab, other, otherBrowser, profile, browser, page, service;
let stoodStill; // called with the point at which the worker stands still

before(async () => {
  if (skip) return;
  lab = await startLab((point) => stoodStill?.(point));
  [demo, otherBrowser] = await Promise.all([startDemo("mem"), startChromium()]);
  for (const name of nodes) await demo.post("node", { name });
  service = socketOf(await demo.device("Phone"));
  other = await openDevice(await otherBrowser.newContext(), demo, "Laptop");
  await other.phase("live");
});
after(async () => {
  await Promise.allSettled([browser?.kill(), otherBrowser?.close(), demo?.stop(), lab?.stop()]);
  await removeProfile(profiles);
});

test(`killed ${kills} times in the midst of a sync, list and version stay together`, { skip, timeout: Math.max(120_000, kills * 10_000) }, async (t) => {
  t.diagnostic(`SEED=${seed} KILLS=${kills}`);
  const random = generator(seed);
  const counts = {};
  for (let i = 0; i < kills; i++) {
    const point = points[i % points.length];
    const kind = windows[point][Math.floor(i / points.length) % windows[point].length];
    const plan = { point, nth: 1 };
    if (kind === "delta" && (point === "request" || point === "result")) plan.nth = 2 - (Math.floor(i / 20) % 2); // the list is asked for twice
    if (point === "write") plan.nth = random.choose(kind === "full" || kind === "first" ? [1, 2, 40, 65] : [1, 2]); // 64 buckets and the meta record
    const how = i % 3 === 2 ? "SIGKILL" : "crash";
    try {
      await killOnce(random, kind, plan, how);
    } catch (e) {
      throw new Error(`kill ${i} (${kind}, ${point} ${plan.nth}, ${how}; SEED=${seed} KILLS=${kills}): ${e.message}`, { cause: e });
    }
    for (const what of [point, kind, how]) counts[what] = (counts[what] ?? 0) + 1;
  }
  t.diagnostic(Object.entries(counts).map(([what, n]) => `${what} ${n}`).join(", "));
  for (const point of points) assert.ok(counts[point] >= Math.floor(kills / points.length), `${point}: killed only ${counts[point]} times`);
});

async function killOnce(random, kind, plan, how) {
  if (kind === "first" || !page) await newDevice();
  const before = await sync(random, kind, plan);
  const newest = await demo.get("list", { account: "alice" });
  if (how === "SIGKILL") {
    await browser.kill();
    browser = await openProfile(profile);
  } else {
    await crash(page);
  }

  // What is stored, seen without a network.
  await demo.unplug("Phone");
  await openPage();
  const stored = await page.evaluate(async () => {
    await client.subscriptions.ready;
    globalThis.connecting = outcome(client.connect());
    return state();
  });
  if (stored.ver === null) assert.deepEqual(stored.rows, [], "a list without its version");
  else assert.deepEqual(stored.rows, await serverRows(stored.ver), `the list stored as version ${stored.ver} is not that version's`);
  const old = { ver: before.ver, rows: before.rows };
  const { source, ...now } = stored;
  if (mayBeStored(kind, plan)) {
    if (now.ver !== old.ver) assert.equal(now.ver, newest.ver, "neither the list before nor the one after");
  } else if (plan.point === "complete") {
    assert.notEqual(now.ver, old.ver, "the commit is over, but its list is not stored");
    if (kind !== "live") assert.equal(now.ver, newest.ver);
  } else {
    assert.deepEqual(now, old, "what was stored before the sync is not what is stored after the kill");
  }
  if (now.ver !== null) assert.equal(source, "cache");

  // And back to the server's.
  assert.equal((await page.evaluate(() => connecting)).code, "transport");
  await demo.plug("Phone");
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await equalToServer(page);
}

/** Brings the page to the point where it stands still, and returns what is stored by then at the earliest. */
async function sync(random, kind, plan) {
  const away = kind !== "live" && kind !== "own";
  if (away) {
    await page.evaluate(() => client.disconnect());
    await change(random, 1 + random.below(4));
    if (plan.point === "write" && (await unchanged())) await change(random, 1); // or the version alone would be written
    if (kind === "full") await demo.post("forget", { account: "alice" });
  }
  const before = await page.evaluate(() => state());
  const there = new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("the worker did not come to this point within 20 s")), 20_000);
    stoodStill = (point) => {
      clearTimeout(timer);
      resolve(point);
    };
  });
  await page.evaluate((plan) => new Promise((resolve) => {
    const orders = new BroadcastChannel("stand-still");
    orders.onmessage = ({ data }) => {
      if (data !== "armed") return;
      orders.close();
      resolve();
    };
    orders.postMessage(plan);
  }), plan);
  if (kind === "live") await change(random, 1 + random.below(2));
  else if (kind === "own") await page.evaluate(([target, there]) => void (there ? client.unsubscribe(target) : client.subscribe(target)).catch(() => undefined), await pick(random));
  else await page.evaluate(() => void client.connect().catch(() => undefined));
  assert.equal(await there, plan.point);
  stoodStill = undefined;
  if (!mayBeStored(kind, plan)) assert.equal(await page.evaluate(() => state().ver), before.ver, "the page was told of a list that is not stored");
  return before;
}

/** Whether the list may be stored or not at this point: a notify comes before the result of the request that made it. */
const mayBeStored = (kind, { point }) => kind === "own" && point === "result";

/** A node, and whether the account is subscribed to it. */
async function pick(random) {
  const target = { service: "pubsub.localhost", node: random.choose(nodes) };
  const { list } = await demo.get("list", { account: "alice" });
  return [target, list.some((row) => row.node === target.node)];
}

/** The other device subscribes or unsubscribes n times. */
async function change(random, n) {
  for (; n > 0; n--) {
    const [target, there] = await pick(random);
    const { code, message } = await other.request(there ? "unsubscribe" : "subscribe", target);
    assert.equal(code, undefined, message);
  }
}

/** Whether the server's list is what the page has, because the changes made since undid each other. */
async function unchanged() {
  const { list } = await demo.get("list", { account: "alice" });
  return isDeepStrictEqual(rowsOf(list), await page.evaluate(() => state().rows));
}

async function serverRows(ver) {
  const { list } = await demo.get("at", { account: "alice", ver });
  return rowsOf(list);
}
const rowsOf = (list) => list.map((r) => [r.service, r.node, r.subid, r.jid, r.state].join(" ")).sort();

async function equalToServer(page) {
  const { ver, list } = await demo.get("list", { account: "alice" });
  const want = { ver, rows: rowsOf(list) };
  await page.waitForFunction((ver) => client.sync.getSnapshot().phase === "live" && state().ver === ver, ver, { timeout: 20_000 }).catch(() => undefined);
  const { source, ...got } = await page.evaluate(() => state());
  assert.deepEqual({ ...got, phase: await page.evaluate(() => client.sync.getSnapshot().phase) }, { ...want, phase: "live" });
  assert.equal(source, "server");
}

/** A device that has never been connected. */
async function newDevice() {
  await browser?.kill();
  profile = mkdtempSync(join(profiles, "profile-"));
  browser = await openProfile(profile);
  await demo.plug("Phone");
  await openPage();
  await page.evaluate(() => client.subscriptions.ready);
}

async function openPage() {
  page = await browser.context.newPage();
  await page.goto(lab.url);
  await makeClient(page, service, { worker: "killable.js" });
}

/** Kills the process in which the page and its worker run. */
async function crash(page) {
  const session = await page.context().newCDPSession(page);
  const crashed = new Promise((resolve) => page.once("crash", resolve));
  session.send("Page.crash").catch(() => undefined); // nobody is left to answer
  await crashed;
  await page.close();
}
