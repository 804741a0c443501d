// A page may be killed at any moment. The stored list must then be one that the server had, stored together with its version.
// These tests kill pages repeatedly at every point of a sync, while another device changes the list. Six frames of a page,
// each with its own account, client and worker, block at six points; then their process crashes, or the browser is killed,
// and the test reads what each has stored.
//
// KILLS=50 kills more often than the default, at each point and in each way. SEED=n repeats a run, except for what the
// browser and the server choose at random.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { isDeepStrictEqual } from "node:util";
import { openProfile, removeProfile } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { arm, crash, killable, openFrames } from "./lib/kill.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { generator, seed } from "./lib/random.mjs";
import { databaseOf, readRecords, storedList } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";

const kills = Number(process.env.KILLS ?? 3);

/**
 * The points in the order of a sync (see lib/worker/block.js), and the kinds of sync in which each occurs:
 * first   the first sync of a new device, a full list
 * full    a full list for a device that has a list, because the server no longer knows its version
 * delta   the sync of a device that was offline
 * live    a change by another device during a session
 * own     a change by this device
 */
const kinds = {
  request: ["first", "delta", "full", "own"],
  notify: ["delta", "live"],
  result: ["delta", "full", "first", "own"],
  write: ["delta", "live", "full", "own", "first"],
  complete: ["live", "delta", "full", "own", "first"],
  posted: ["own", "first", "live", "delta", "full"],
};
const points = Object.keys(kinds);
const timeout = 60_000; // six clients run concurrently

const skip = missing();
const nodes = Array.from({ length: 12 }, (_, i) => `node-${i}`);
const profile = mkdtempSync(join(tmpdir(), "xmpp-pam-profile-"));
const lanes = points.map((point, i) => ({ point, id: String(i), random: generator(seed + i), accounts: 0 }));
let demo, lab, browser, page, service;

before(async () => {
  if (skip) return;
  lab = await startLab((query) => lanes[query.get("id")].blocked?.(query.get("point")));
  await Promise.all([startDemo("mem").then((d) => { demo = d; }), openProfile(profile).then((b) => { browser = b; })]); // both must be stopped if one fails
  page = await openFrames(browser, lab, lanes);
  for (const name of nodes) await demo.post("node", { name });
  service = socketOf(await demo.device("Phone"));
});
after(async () => {
  await Promise.allSettled([browser?.kill(), demo?.stop(), lab?.stop()]);
  await removeProfile(profile);
});

test(`killed ${kills} times at each point in both ways, list and version stay together`, { skip, timeout: 120_000 + kills * 60_000 }, async (t) => {
  t.diagnostic(`SEED=${seed} KILLS=${kills}`);
  const counts = {};
  for (let batch = 0; batch < 2 * kills; batch++) {
    const how = batch % 2 ? "SIGKILL" : "crash";
    const all = (step) => Promise.all(lanes.map((lane) => step(lane).catch((e) => {
      throw new Error(`batch ${batch}, ${lane.kind}, ${lane.point} ${lane.plan?.nth}, ${how} (SEED=${seed} KILLS=${kills}): ${e.message}`, { cause: e });
    })));
    await all(async (lane) => {
      const { point, random } = lane;
      lane.kind = kinds[point][(batch >> 1) % kinds[point].length];
      lane.plan = { point, nth: 1 };
      if (lane.kind === "delta" && (point === "request" || point === "result")) lane.plan.nth = random.choose([1, 2]); // the client requests the list twice
      if (point === "write") lane.plan.nth = random.choose([1, 2]); // a chunk of the list, and the meta record
      await prepare(lane);
    });
    await all(sync);
    for (const lane of lanes) lane.newest = await list(lane);
    await (how === "crash" ? crash(page) : browser.kill());
    if (how === "SIGKILL") browser = await openProfile(profile);
    await demo.unplug("Phone");
    page = await openFrames(browser, lab, lanes);
    await all(isWhole);
    await demo.plug("Phone");
    await all(async (lane) => {
      await lane.frame.evaluate(() => dispatchEvent(new Event("online")));
      await equalToServer(lane);
    });
    for (const { point, kind } of lanes) for (const what of [`${point} ${how}`, kind]) counts[what] = (counts[what] ?? 0) + 1;
  }
  t.diagnostic(Object.entries(counts).map(([what, n]) => `${what} ${n}`).join(", "));
  for (const point of points) for (const how of ["crash", "SIGKILL"]) assert.equal(counts[`${point} ${how}`], kills, `${point}, ${how}`);
});

/** Brings the lane to the start of its sync. */
async function prepare(lane) {
  if (lane.kind === "first" || !lane.account) {
    await lane.frame.evaluate(() => globalThis.client?.close());
    lane.account = `lane${lane.id}x${lane.accounts++}`;
    await demo.post("account", { name: lane.account, password: canary });
    await change(lane, 3);
    await begin(lane);
    await lane.frame.evaluate(() => client.subscriptions.ready);
    if (lane.kind === "first") return;
    await lane.frame.evaluate(() => client.connect());
  }
  await equalToServer(lane);
}

/** Runs the client to the point where it blocks, and records the oldest list that may be stored then. */
async function sync(lane) {
  const { frame, kind, plan } = lane;
  if (kind !== "live" && kind !== "own") {
    await frame.evaluate(() => client.disconnect());
    await change(lane, 1 + lane.random.below(4));
    if (await unchanged(lane)) await change(lane, 1); // else only the version would be written
    if (kind === "full") await demo.post("forget", { account: lane.account });
  }
  lane.before = await frame.evaluate(() => state());
  const there = await arm(lane, plan, timeout);
  if (kind === "live") await change(lane, 1 + lane.random.below(2));
  else if (kind === "own") await frame.evaluate(([target, there]) => void (there ? client.unsubscribe(target) : client.subscribe(target)).catch(() => undefined), await pick(lane));
  else await frame.evaluate(() => void client.connect().catch(() => undefined));
  assert.equal(await there(), plan.point);
  if (plan.point === "posted") {
    await until(lane, (ver) => state().ver !== ver, lane.before.ver);
    assert.notEqual(await frame.evaluate(() => state().ver), lane.before.ver, "the page did not show the stored list");
  } else if (!mayBeStored(lane)) assert.equal(await frame.evaluate(() => state().ver), lane.before.ver, "the page showed a list that is not stored");
}

/** Reports whether the list may or may not be stored at this point: a notify precedes the result of its request. */
const mayBeStored = ({ kind, point }) => kind === "own" && point === "result";

/** Returns what a client has stored, read without a network. */
async function isWhole(lane) {
  const { account, kind, point } = lane;
  const stored = await readStored(lane);
  await begin(lane);
  const { source, ...now } = await lane.frame.evaluate(async () => {
    await client.subscriptions.ready;
    globalThis.connecting = outcome(client.connect());
    return state();
  });
  assert.deepEqual(now, { ver: stored.ver, rows: stored.rows.map((row) => row.join(" ")).sort() }, "the page shows what is not stored");
  if (now.ver === null) assert.deepEqual(now.rows, [], "a list without its version");
  else assert.deepEqual(now.rows, rowsOf((await demo.get("at", { account, ver: now.ver })).list), `the list stored as version ${now.ver} is not that version's`);
  const old = { ver: lane.before.ver, rows: lane.before.rows };
  if (mayBeStored(lane)) {
    if (now.ver !== old.ver) assert.equal(now.ver, lane.newest.ver, "neither the list before nor the one after");
  } else if (point === "complete" || point === "posted") {
    assert.notEqual(now.ver, old.ver, "the commit is over, but its list is not stored");
    if (kind !== "live") assert.equal(now.ver, lane.newest.ver);
  } else {
    assert.deepEqual(now, old, "what was stored before the sync is not what is stored after the kill");
  }
  if (now.ver !== null) assert.equal(source, "cache");
  assert.equal((await lane.frame.evaluate(() => connecting)).code, "transport");
}

/** Reads the store without the client, which ignores an incomplete list. */
async function readStored({ frame, account }) {
  return storedList(await frame.evaluate(readRecords, databaseOf(`${account}@localhost`))) ?? { ver: null, rows: [] };
}

async function equalToServer(lane) {
  const { ver, list } = await demo.get("list", { account: lane.account });
  await until(lane, (ver) => client.sync.getSnapshot().phase === "live" && state().ver === ver, ver);
  const got = await lane.frame.evaluate(() => ({ ...state(), phase: client.sync.getSnapshot().phase }));
  assert.deepEqual(got, { ver, rows: rowsOf(list), source: "server", phase: "live" });
}

// The other device. ----------------------------------------------------------------

const list = ({ account }) => demo.get("list", { account });
const rowsOf = (list) => list.map((r) => [r.service, r.node, r.subid, r.jid, r.state].join(" ")).sort();

/** Returns a random node, and whether the account is subscribed to it. */
async function pick(lane) {
  const target = { service: "pubsub.localhost", node: lane.random.choose(nodes) };
  return [target, (await list(lane)).list.some((row) => row.node === target.node)];
}

/** Subscribes or unsubscribes n times. */
async function change(lane, n) {
  for (; n > 0; n--) {
    const [{ node }, there] = await pick(lane);
    await demo.post("change", { account: lane.account, node, state: there ? "none" : "subscribed" });
  }
}

/** Reports whether the server's list equals the page's, because later changes undid each other. */
async function unchanged(lane) {
  return isDeepStrictEqual(rowsOf((await list(lane)).list), await lane.frame.evaluate(() => state().rows));
}

// The page. -------------------------------------------------------------------------

/** Makes the client of a lane. */
const begin = (lane) => makeClient(lane.frame, service, { worker: killable(lane), account: `${lane.account}@localhost` });

/** Waits for a condition. The caller reports an error if it does not become true. */
async function until({ frame }, condition, arg) {
  for (const deadline = Date.now() + timeout; Date.now() < deadline && !(await frame.evaluate(condition, arg));) await sleep(20);
}
