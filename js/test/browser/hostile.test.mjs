// A hostile server. It behaves correctly, misbehaves once or for some time, and behaves correctly again. Then the client must
// be live with the correct list, or show the true error; page and program stayed responsive, and no other message was lost.
//
// The default is a sample of 40 scenarios with some of each class. HOSTILE=200 plays 200, HOSTILE=all all of them, and
// HOSTILE=text those whose names contain the text. SEED=n repeats a sample.

import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { test } from "node:test";
import { startChromium } from "./page.mjs";
import { archives } from "./lib/hostile/archives.mjs";
import { calls } from "./lib/hostile/calls.mjs";
import { events } from "./lib/hostile/events.mjs";
import { login } from "./lib/hostile/login.mjs";
import { markers } from "./lib/hostile/markers.mjs";
import { messages } from "./lib/hostile/messages.mjs";
import { play } from "./lib/hostile/play.mjs";
import { listing } from "./lib/hostile/lists.mjs";
import { reloads } from "./lib/hostile/reloads.mjs";
import { resumption } from "./lib/hostile/resumption.mjs";
import { Tab, startLab } from "./lib/hostile/tab.mjs";
import { startHostile } from "./lib/hostile/server.mjs";
import { starting } from "./lib/hostile/starting.mjs";
import { stream } from "./lib/hostile/stream.mjs";
import { missing } from "./lib/need.mjs";
import { generator, seed } from "./lib/random.mjs";

const lanes = Number(process.env.LANES ?? 4);
const wanted = process.env.HOSTILE ?? (process.env.SOAK ? "all" : "40");
const every = [...login, ...stream, ...resumption, ...listing, ...messages, ...starting, ...calls, ...reloads, ...events, ...archives, ...markers];

/** Appends a line to the file named by HOSTILE_REPORT. */
const writeReport = (report) => process.env.HOSTILE_REPORT && appendFileSync(process.env.HOSTILE_REPORT, `${JSON.stringify(report)}\n`);

/** Draws scenarios with the seed, from each class in proportion to its size, but at least one. */
function sample(size) {
  const random = generator(seed);
  const drawn = new Set();
  for (const name of new Set(every.map((s) => s.class))) {
    const rest = every.filter((s) => s.class === name);
    for (let n = Math.max(1, Math.floor((size * rest.length) / every.length)); n > 0; n--) drawn.add(rest.splice(random.below(rest.length), 1)[0]);
  }
  return every.filter((s) => drawn.has(s));
}

const chosen = wanted === "all" ? every : /^\d+$/.test(wanted) ? sample(Number(wanted)) : every.filter((s) => s.name.includes(wanted));

test("the names of the scenarios are unique", () => assert.equal(new Set(every.map((s) => s.name)).size, every.length));

test(`${chosen.length} of ${every.length} scenarios, SEED=${seed}`, { skip: missing(), concurrency: lanes }, async (t) => {
  const [server, lab, browser] = await Promise.all([startHostile(), startLab(), startChromium({ guarded: false })]);
  const free = Array.from({ length: lanes }, () => new Tab(browser, lab));
  t.after(async () => {
    await browser.close();
    await Promise.all([server.stop(), lab.stop()]);
  });
  await Promise.all(chosen.map((scenario) => t.test(scenario.name, { timeout: 180_000 }, async () => {
    const tab = free.pop();
    const began = Date.now();
    const i = every.indexOf(scenario);
    try {
      if (!tab.context) await tab.open();
      const report = await play(scenario, { server, tab, name: `s${i}`, where: i % 5 === 4 ? "main" : "worker", inspector: i % 3 !== 2 });
      writeReport({ ...report, ms: Date.now() - began });
    } catch (e) {
      writeReport({ name: scenario.name, failed: e.message, ms: Date.now() - began });
      await tab.close();
      throw e;
    } finally {
      free.push(tab);
    }
  })));
});
