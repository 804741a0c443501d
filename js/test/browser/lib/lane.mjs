// One account on two devices: a page whose network can fail, and another device that changes the list meanwhile. They play
// the reference transcript: login, list, twenty notifies, five requests, close.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { watch } from "./device.mjs";
import { makeClient, socketOf } from "./lab.mjs";
import { startProxy } from "./proxy.mjs";
import { canary } from "./secrets.mjs";

const service = "pubsub.localhost";
const theirs = Array.from({ length: 8 }, (_, i) => `node-${i}`); // the nodes that the other device changes
const own = Array.from({ length: 5 }, (_, i) => `own-${i}`); // the nodes that the page subscribes to
const changes = 20;

/** The possible outcomes of a request during which the connection fails. */
const mayFail = ["offline", "outcome-unknown", "transport", "timeout"];

/** Creates the nodes of the transcript. */
export async function makeNodes(demo) {
  for (const name of [...theirs, ...own]) await demo.post("node", { name });
}

/**
 * Makes a lane with its own account. The page is in `context`, or in a new one. With `quiet` it gets no online and offline
 * events.
 */
export async function openLane({ browser, context, demo, lab, account, quiet = false }) {
  await demo.post("account", { name: account, password: canary });
  const proxy = await startProxy(socketOf(await demo.device("Phone")));
  const lane = { proxy, account, demo, lab };
  const options = { account: `${account}@localhost`, reconnect: { baseMs: 100, maxMs: 500 } };
  lane.open = async (context) => {
    const page = await context.newPage();
    await watch(page);
    if (quiet) await page.addInitScript(hush);
    await page.goto(lab.url);
    await lane.start(page);
    return page;
  };
  lane.start = async (page) => {
    await makeClient(page, proxy.url, options);
    await page.evaluate(mirror);
  };
  lane.page = await lane.open(context ?? await browser.newContext());
  lane.other = await (await browser.newContext()).newPage();
  await watch(lane.other);
  await lane.other.goto(lab.url);
  await makeClient(lane.other, socketOf(await demo.device("Laptop")), options);
  await lane.other.evaluate(() => client.connect());
  lane.network = await networkOf(lane.page);
  lane.close = async () => {
    await Promise.allSettled([context ? lane.page.close() : lane.page.context().close(), lane.other.context().close()]);
    await proxy.stop();
  };
  return lane;
}

function hush() {
  for (const type of ["online", "offline"]) addEventListener(type, (e) => e.stopImmediatePropagation(), true);
}

/** Rebuilds the list from its events only; drift() returns the difference to the list. */
function mirror() {
  const rows = new Map();
  const text = (r) => [r.service, r.node, r.subid ?? "", r.jid, r.state].join(" ");
  client.on("subscriptions", ({ added, removed, changed }) => {
    for (const r of [...added, ...changed.map((c) => c.after)]) rows.set(r.key, text(r));
    for (const r of removed) rows.delete(r.key);
  });
  globalThis.drift = () => {
    const got = [...rows.values()].sort();
    const want = globalThis.rows();
    return JSON.stringify(got) === JSON.stringify(want) ? "" : `events: ${got}; list: ${want}`;
  };
  globalThis.remember = () => {
    rows.clear();
    for (const r of client.subscriptions.getSnapshot()) rows.set(r.key, text(r));
  };
}

/** Disconnects and reconnects a page's network. Open sockets stay open, but pass no messages. */
async function networkOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  return (on) => session.send("Network.emulateNetworkConditions", { offline: !on, latency: 0, downloadThroughput: -1, uploadThroughput: -1 });
}

/**
 * Plays the transcript once. `fault(message)` decides for every message what the proxy does, until the page closes the
 * session; `meanwhile()` is called when the other device has made its changes, and after the session, to wake the page.
 * Returns how often the page connected, whether it resumed, and how long it took to have the correct list again.
 */
export async function play(lane, random, fault, meanwhile = () => undefined) {
  const { page, proxy } = lane;
  await page.evaluate(() => client.subscriptions.ready);
  await page.evaluate(() => remember());
  Object.assign(proxy, { opened: 0, doubles: 0, counts: { in: 0, out: 0 }, onMessage: fault });

  const outcomes = [];
  const connected = page.evaluate(() => outcome(client.connect()));
  await Promise.race([connected, sleep(1000)]);
  for (const node of own) {
    await change(lane, random, changes / own.length / 2);
    outcomes.push(request(page, node));
    await change(lane, random, changes / own.length / 2);
  }
  await meanwhile();
  const start = performance.now();
  const failed = (await connected).code;
  assert.ok(failed === undefined || mayFail.includes(failed), `connect: ${failed}`);
  for (const { node, code, wanted } of await Promise.all(outcomes)) {
    if (code === undefined) assert.equal(await page.evaluate((node) => client.subscriptions.getSnapshot().some((r) => r.node === node), node), wanted, node);
  }
  await equal(lane);
  const report = { connections: proxy.opened, resumed: await page.evaluate(() => client.sync.getSnapshot().resumed), ms: Math.round(performance.now() - start), counts: { ...proxy.counts } };

  // The end of the session, which may fail too, and a new session, which must show the same list.
  await page.evaluate(() => client.disconnect());
  report.counts = { ...proxy.counts };
  proxy.onMessage = () => undefined;
  await meanwhile(); // else the network is still down, if it failed when the session was closed
  await page.evaluate(() => client.connect());
  await equal(lane);
  await oneSocket(lane);
  await page.evaluate(() => client.disconnect());
  assert.equal(proxy.doubles, 0, "a second socket was opened while the first was in order");
  assert.deepEqual(problems(page), []);
  return report;
}

/** Returns the errors on the console, without those that Chromium writes for failed connections. */
export const problems = (page) => page.problems.filter((text) => !/^WebSocket connection to '[^']*' failed/.test(text));

/** The other device subscribes or unsubscribes n times. */
export async function change({ other }, random, n) {
  for (; n > 0; n--) {
    const { code, message } = await other.evaluate(([service, node]) => {
      const there = client.subscriptions.getSnapshot().some((r) => r.node === node);
      return outcome(there ? client.unsubscribe({ service, node }) : client.subscribe({ service, node }));
    }, [service, random.choose(theirs)]);
    assert.equal(code, undefined, `the other device: ${message}`);
  }
}

/** Does the same on the page, and repeats it while the page is offline. */
async function request(page, node) {
  const wanted = !await page.evaluate((node) => client.subscriptions.getSnapshot().some((r) => r.node === node), node);
  for (const deadline = Date.now() + 60_000; ; await sleep(50)) {
    const { code, message } = await page.evaluate(([service, node, wanted]) => outcome(wanted ? client.subscribe({ service, node }) : client.unsubscribe({ service, node })), [service, node, wanted]);
    if (code === "offline" && Date.now() < deadline) continue;
    assert.ok(code === undefined || mayFail.includes(code), `${node}: ${code} ${message}`);
    return { node, code, wanted };
  }
}

/** Waits until the page is live and shows the server's list and version, and checks that its events result in the same list. */
export async function equal({ page, other, demo, account }, limit = 30_000) {
  await other.evaluate(() => client.subscriptions.refresh({ ignoreVersion: true }));
  const want = await other.evaluate(() => { const { ver, rows } = state(); return { ver, rows }; });
  if (demo.server === "mem") {
    const { ver, list } = await demo.get("list", { account });
    assert.deepEqual(want, { ver, rows: list.map((r) => [r.service, r.node, r.subid, r.jid, r.state].join(" ")).sort() }, "the other device");
  }
  await page.waitForFunction((want) => client.sync.getSnapshot().phase === "live" && state().ver === want.ver && JSON.stringify(rows()) === JSON.stringify(want.rows), want, { timeout: limit, polling: 20 }).catch(() => undefined);
  const { phase, ...got } = await page.evaluate(() => ({ ...state(), phase: client.sync.getSnapshot().phase }));
  assert.deepEqual({ ...got, phase }, { ...want, source: "server", phase: "live" });
  assert.equal(await page.evaluate(() => drift()), "");
}

/** Waits until the page has one socket and has closed the lost ones. */
export async function oneSocket({ proxy }) {
  for (const link of proxy.links) if (link.muted) link.unearth();
  for (const deadline = Date.now() + 10_000; proxy.links.size !== 1 && Date.now() < deadline;) await sleep(20);
  assert.equal(proxy.links.size, 1, "sockets of the page");
}
