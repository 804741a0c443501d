// Plays the schedules of sdk/client in Chromium, with real IndexedDB, real WebSockets, and tabs that notify each other. At
// each mark, when no operation is pending,
// - the records in IndexedDB, read without the program, are complete;
// - the stored list and the list of every tab, both as its events add up and as its snapshot, equal those of the native run
//   in every field and in order. Of versions and subids, which are random, only equality within a mark is compared;
// - each of these lists equals the server's list at its version, and the list of a connected tab the server's current list.
//
// Differences from the native run: the waits between steps are at most 10 ms, the disk has no delay, and a crash ends the
// worker at any write and resumes nothing (crash.test.mjs, kill.test.mjs and reload.test.mjs test that).
//
// SCHEDULES=n plays n, SOAK=1 plays 1,000. SEED=n repeats a run.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { socketOf, startLab } from "./lib/lab.mjs";
import { missing, root } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { compareRows, databaseOf, readRecords, storedList } from "./lib/records.mjs";
import { canary } from "./lib/secrets.mjs";
import { seed } from "./lib/random.mjs";

const count = Number(process.env.SCHEDULES ?? (process.env.SOAK ? 1000 : 25));
const lanes = 3;
const most = 3; // tabs of a schedule
const service = "pubsub.localhost";
const mayStoreParts = ["roster-order"]; // if the result arrives first, a delta looks like separate notifies

const skip = missing();
const stages = [];
let demo, lab, browser, schedules;

before(async () => {
  if (skip) return;
  await Promise.all([ // all must be stopped if one fails
    startDemo("mem").then((d) => { demo = d; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; }),
    playNatively().then((s) => { schedules = s; }),
  ]);
});
after(async () => {
  await Promise.allSettled(stages.map((stage) => stage.close()));
  await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
});

test(`${count} schedules have the same results as natively`, { skip, timeout: 120_000 + count * 2000 }, async (t) => {
  t.diagnostic(`SEED=${seed} SCHEDULES=${count}`);
  const nodes = new Set(schedules.flatMap(({ schedule }) => schedule.steps.map((s) => s.node).filter(Boolean)));
  for (const name of nodes) await demo.post("node", { name });
  let next = 0;
  let steps = 0;
  await Promise.all(Array.from({ length: lanes }, async (_, i) => {
    const stage = await openStage(`lane${i}`);
    stages.push(stage);
    while (next < schedules.length) {
      const n = next++;
      try {
        await stage.play(schedules[n]);
        steps += schedules[n].schedule.steps.length;
      } catch (e) {
        next = schedules.length;
        throw new Error(`schedule ${n} (SEED=${seed} SCHEDULES=${count}): ${e.message}\n${JSON.stringify(schedules[n].schedule)}`, { cause: e });
      }
    }
  }));
  t.diagnostic(`${steps} steps`);
});

/** Lets the Go client play random schedules, and reads them with their results. */
async function playNatively() {
  const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-schedules-"));
  const file = join(folder, "schedules");
  const args = ["test", "-count=1", "-run", "^TestSchedules$", "./sdk/client", "-args", `-client.schedules=${count}`, "-client.browser", `-client.schedules.out=${file}`];
  try {
    await promisify(execFile)("go", args, { cwd: root, env: { ...process.env, PAM_SERVER: "", PAM_SEED: String(seed) } });
    return readFileSync(file, "utf8").trim().split("\n").map((line) => JSON.parse(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A page with its own account. Each of its tabs is a client with its own network. */
async function openStage(account) {
  await demo.post("account", { name: account, password: canary });
  const target = socketOf(await demo.device("Phone"));
  const proxies = await Promise.all(Array.from({ length: most }, () => startProxy(target)));
  const page = await (await browser.newContext()).newPage();
  await page.goto(lab.url);
  await page.evaluate(setUp, [account, canary, proxies.map((p) => p.url), service]);

  async function play({ schedule, marks }) {
    for (const proxy of proxies) proxy.down = false;
    await demo.post("clear", { account });
    await demo.post("personality", { account, name: schedule.server });
    await page.evaluate((tabs) => begin(tabs), schedule.tabs);
    const wishes = Array.from({ length: schedule.tabs }, () => new Map());
    const rest = [...marks];

    async function settle() {
      await demo.post("release", { account });
      for (const proxy of proxies) proxy.down = false;
      await page.evaluate(() => allUp());
      for (const [tab, wanted] of wishes.entries()) {
        for (const [node, want] of wanted) {
          for (let tries = 0; tries < 20 && (await list()).some((row) => row.node === node) !== want; tries++) {
            await page.evaluate(([tab, node, want]) => ask(tab, node, want), [tab, node, want]);
          }
        }
      }
      await mark();
    }

    /** Compares with the next mark. A tab without a connection may have to read first what another has just stored. */
    async function mark() {
      await demo.post("release", { account });
      const want = rest.shift();
      for (const deadline = Date.now() + 5000; ; await sleep(20)) {
        try {
          return await compare(want);
        } catch (e) {
          if (e.code !== "ERR_ASSERTION" || Date.now() > deadline) throw e;
        }
      }
    }

    async function compare(want) {
      const now = await serverList("list");
      const versions = schedule.server !== "net"; // with net differences, changes that undid each other are an empty delta
      const tabs = await page.evaluate((args) => equal(...args), [
        want.tabs.map(({ rows }) => rows.map(brief)), versions ? now.ver : undefined, now.rows.map(([, node, subid]) => `${node} ${subid}`).sort(), proxies.map((p) => p.down),
      ]);
      const { dropped, ...stored } = storedList(await page.evaluate(readRecords, databaseOf(`${account}@localhost`))) ?? { ver: "", rows: [], dropped: [] };
      assert.deepEqual(dropped, []); // no schedule drops a row
      const lists = tabs.map(({ announced, shown, ver }) => {
        const list = { ver: ver ?? "", rows: announced.sort(compareRows) };
        if (shown) assert.deepEqual(shown, list.rows, "the snapshot and what was announced");
        return list;
      });
      assert.deepEqual(canonical({ stored, tabs: lists }, account, versions), canonical(want, "alice", versions));
      const anybody = tabs.some((tab) => tab.connected);
      for (const [list, connected, what] of [[stored, anybody, "store"], ...lists.map((list, i) => [list, tabs[i].connected, `tab ${i}`])]) {
        if (connected) assert.deepEqual({ ...list, ver: versions ? list.ver : now.ver }, now, `the ${what} and the server`);
        else if (list.ver === "") assert.deepEqual(list.rows, [], `the ${what} has a list without a version`);
        else if (!mayStoreParts.includes(schedule.server)) assert.deepEqual(list, await serverList("at", list.ver), `the ${what} and the server at that version`);
      }
    }
    async function serverList(what, version) {
      const { ver, list } = await demo.get(what, { account, ...(version && { ver: version }) });
      return { ver, rows: list.map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state]).sort(compareRows) };
    }
    const list = async () => (await demo.get("list", { account })).list;

    for (const { do: what, tab = 0, node, state, xml = "", ms = 0 } of schedule.steps) {
      switch (what) {
        case "change": await demo.post("change", { account, node, state }); break;
        case "outdate": await demo.post("forget", { account }); break;
        case "subscribe": case "unsubscribe": {
          const want = what === "subscribe";
          wishes[tab].set(node, want);
          await page.evaluate(([tab, node, want]) => void ask(tab, node, want), [tab, node, want]);
          break;
        }
        case "down": proxies[tab].down = true; proxies[tab].cut(); break;
        case "up": proxies[tab].down = false; await page.evaluate(() => wake()); break;
        case "cut": proxies[tab].cut(); break;
        case "expire": case "forget": await demo.post("end", { account, how: what }); break;
        case "send": await demo.post("send", { account }, xml); break;
        case "hold": await demo.post("hold", { account, contains: xml }); break;
        case "release": await demo.post("release", { account }); break;
        case "settle": await settle(); break;
        case "mark": await mark(); break;
        default: await page.evaluate(([what, tab, state]) => act(what, tab, state), [what, tab, state]);
      }
      if (ms > 0) await sleep(Math.min(ms, 10));
    }
    assert.equal(rest.length, 0, "marks that were not reached");
    assert.deepEqual(await page.evaluate(() => faults), []);
  }

  return {
    play,
    async close() {
      await page.context().close();
      await Promise.all(proxies.map((p) => p.stop()));
    },
  };
}

const brief = ([, node, , , state]) => `${node} ${state}`;

/** Returns a mark in which the account, the versions and the subids have the same names in every run. */
function canonical({ stored, tabs }, account, versions) {
  const names = new Map();
  const name = (kind, text) => {
    if (text === "") return "";
    if (!names.has(kind + text)) names.set(kind + text, `${kind} ${names.size}`);
    return names.get(kind + text);
  };
  const list = ({ ver, rows }) => ({
    ver: versions ? name("version", ver) : "",
    rows: rows.map(([service, node, subid, jid, state]) => [service, node, name("subid", subid), jid === `${account}@localhost` ? "the account" : jid, state]),
  });
  return { stored: list(stored), tabs: tabs.map(list) };
}

/** Runs in the page. */
async function setUp([account, password, urls, service]) {
  const { createClient, PamError } = await import("/pkg/index.js");
  const wasm = await WebAssembly.compileStreaming(fetch("/pkg/pam.wasm"));
  const tabs = []; // {client, worker, view}
  let used = 0; // of tabs
  globalThis.faults = [];
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const text = (list) => list.filter((r) => !r.local).map((r) => `${r.node} ${r.state}`).sort();
  const fields = (r) => [r.service, r.node, r.subid ?? "", r.jid, r.state];

  function boot(i) {
    let worker;
    const client = createClient({
      account: `${account}@localhost`, tabs: "independent", credentials: { password }, service: urls[i], mechanisms: ["PLAIN"],
      reconnect: { baseMs: 20, maxMs: 100 },
      runtime: { wasm, worker: () => (worker = new Worker("/pkg/worker.js", { type: "module" })) },
    });
    const tab = { client, view: new Map(), kill: () => worker?.terminate() };
    client.on("subscriptions", ({ added, removed, changed }) => {
      for (const row of removed) if (!tab.view.delete(row.key)) faults.push(`removed, but not there: ${row.node}`);
      for (const row of added) {
        if (tab.view.has(row.key)) faults.push(`added, but there: ${row.node}`);
        tab.view.set(row.key, row);
      }
      for (const { before, after } of changed) {
        if (String(fields(tab.view.get(before.key) ?? {})) !== String(fields(before))) faults.push(`changed from what it was not: ${before.node}`);
        tab.view.set(after.key, after);
      }
    });
    client.on("crash", (e) => faults.push(e.message));
    tabs[i] = tab;
    return client.subscriptions.ready.then((list) => { for (const row of list) if (!tab.view.has(row.key)) tab.view.set(row.key, row); });
  }

  globalThis.begin = async (n) => {
    for (let i = 0; i < n; i++) if (!tabs[i]) await boot(i);
    used = n;
    faults.length = 0;
    await Promise.all(tabs.map(({ client }) => client.disconnect()));
    for (const { client } of tabs) await client.forget(); // one after the other: another tab may have read what one deletes
    for (const tab of tabs) tab.view.clear();
  };
  globalThis.wake = () => dispatchEvent(new Event("online"));
  globalThis.ask = (i, node, want) => {
    const { client } = tabs[i];
    return (want ? client.subscribe({ service, node }) : client.unsubscribe({ service, node })).catch((e) => {
      if (!["offline", "outcome-unknown", "timeout", "closed", "aborted"].includes(e.code)) faults.push(`${node}: ${e.code} ${e.message}`);
    });
  };
  globalThis.act = async (what, i, state) => {
    const { client, kill } = tabs[i];
    const quietly = (promise) => void promise.catch((e) => { if (!PamError.is(e)) faults.push(String(e)); });
    if (what === "connect") quietly(client.connect());
    else if (what === "disconnect") await client.disconnect();
    else if (what === "refresh") quietly(client.subscriptions.refresh({ ignoreVersion: state === "full" }));
    else if (what === "crash") {
      kill();
      client.close(); // the worker does not answer; close() only releases the page's resources
      await boot(i);
      quietly(tabs[i].client.connect());
    } else throw new Error(`no step ${what}`);
  };
  globalThis.allUp = async () => {
    wake();
    await Promise.all(tabs.slice(0, used).map(async ({ client }) => {
      client.connect().catch(() => undefined);
      const live = () => client.sync.getSnapshot().phase === "live";
      for (const deadline = performance.now() + 20_000; !live() && performance.now() < deadline;) await pause(2);
      while (client.sync.getSnapshot().pendingWrites > 0) await pause(2);
    }));
  };
  globalThis.equal = async (wanted, ver, subids, down) => {
    const all = tabs.slice(0, used);
    const connected = ({ client }, i) => client.sync.getSnapshot().phase !== "offline" && !down[i];
    // The committed list according to the events. A snapshot also has an overlay of changes that are not stored yet.
    const committed = ({ view }) => text([...view.values()]);
    const current = (list) => (ver === undefined || list.ver === ver) && String(list.map((r) => `${r.node} ${r.subid ?? ""}`).sort()) === String(subids);
    const right = (tab, i) => {
      const list = tab.client.subscriptions.getSnapshot();
      const { phase, pendingWrites } = tab.client.sync.getSnapshot();
      return JSON.stringify(committed(tab)) === JSON.stringify(wanted[i]) && (!connected(tab, i) || String(text(list)) === String(wanted[i]) && phase === "live" && pendingWrites === 0 && current(list) && !list.some((r) => r.local));
    };
    const deadline = performance.now() + 20_000;
    do {
      while (!all.every(right) && performance.now() < deadline) await pause(2);
      await pause(5); // the client may not have noticed a reset yet
    } while (!all.every(right) && performance.now() < deadline);
    all.forEach((tab, i) => {
      const { client } = tab;
      if (!right(tab, i)) faults.push(`tab ${i} is ${client.sync.getSnapshot().phase} with ${text(client.subscriptions.getSnapshot())} as ${client.subscriptions.getSnapshot().ver}, not ${wanted[i]} as ${ver}`);
      if (connected(tab, i) && String(committed(tab)) !== String(text(client.subscriptions.getSnapshot()))) faults.push(`tab ${i} announced ${committed(tab)}`);
    });
    if (faults.length > 0) throw new Error(faults.join("\n"));
    return all.map((tab, i) => {
      const list = tab.client.subscriptions.getSnapshot();
      return { connected: connected(tab, i), ver: list.ver, announced: [...tab.view.values()].map(fields), shown: connected(tab, i) && !list.some((r) => r.local) ? list.map(fields) : undefined }; // without a connection the snapshot may have an overlay
    });
  };
}
