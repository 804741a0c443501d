// The connection may fail at any message. These tests play the reference transcript in Chromium against a real server, and
// reset or silence the connection at one of its messages.
//
// SOAK=n tests every message, n times. SEED=n repeats a run, except for what the browser and the server choose at random.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { startLab } from "./lib/lab.mjs";
import { makeNodes, openLane, play } from "./lib/lane.mjs";
import { missing } from "./lib/need.mjs";
import { generator, seed } from "./lib/random.mjs";

const rounds = Number(process.env.SOAK ?? 0);
const samples = 10;

const slack = 6; // the number of messages at the end that a run may lack
const tries = 4; // how often a failure is planned that a run did not meet, because it was shorter still

/** The kinds of failures: what the proxy does at the message, and how the browser's network goes down and up again. */
const cuts = {
  "cut before": { verdict: "lose" },
  "cut after": { verdict: "last" },
};
const halfOpens = {
  // The browser reports that it is online again; the old connection is lost.
  "half-open": { verdict: "mute", down: ({ network }) => network(false), up: ({ network }) => network(true) },
  // The browser reports nothing, as when the network changed during a sleep.
  "half-open, unheard": {
    verdict: "mute", unheard: true, down: ({ network }) => network(false),
    up: async ({ network, page }) => { await network(true); await page.evaluate(() => document.dispatchEvent(new Event("resume"))); },
  },
  // The old connection still works, and the client must keep it.
  "offline for a moment": { down: ({ network }) => network(false), up: ({ network }) => network(true) },
};
const faults = { ...cuts, ...halfOpens };

for (const server of ["mem", "prosody"]) {
  describe(server, { skip: missing(server), timeout: 600_000 + rounds * 7_200_000 }, () => {
    let demo, lab, browser, lanes, reference;
    before(async () => {
      [demo, lab, browser] = await Promise.all([startDemo(server), startLab(), startChromium()]);
      await makeNodes(demo);
      lanes = await Promise.all([true, false, false, false].map((quiet, i) => openLane({ browser, demo, lab, account: `user${i}`, quiet })));
    });
    after(async () => {
      await Promise.allSettled(lanes?.map((lane) => lane.close()) ?? []);
      await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
    });

    test("the reference transcript without a failure", async (t) => {
      const { connections, counts } = await play(lanes[1], generator(seed), () => undefined);
      assert.equal(connections, 1);
      assert.ok(counts.in >= 35 && counts.out >= 13, JSON.stringify(counts));
      reference = counts;
      t.diagnostic(`${counts.in} messages in, ${counts.out} out`);
    });

    for (const [family, names] of Object.entries({ cut: Object.keys(cuts), "half-open": Object.keys(halfOpens) })) {
      test(`${family} at ${rounds ? "every message" : `${samples} messages`}: the list is the server's again`, async (t) => {
        const random = generator(seed);
        const plans = rounds ? everywhere(names) : sampled(random, names);
        t.diagnostic(`SEED=${seed}${rounds ? ` SOAK=${rounds}` : ""}: ${plans.length} runs`);
        const sums = {};
        // Each lane runs the next plan that it supports.
        await Promise.all(lanes.map(async (lane, i) => {
          for (;;) {
            const next = plans.findIndex(({ name }) => !halfOpens[name] || Boolean(faults[name].unheard) === (i === 0));
            if (next < 0) return;
            const [plan] = plans.splice(next, 1);
            try {
              add(sums, plan.name, await fail(lane, plan, generator(plan.seed)));
            } catch (e) {
              plans.length = 0;
              throw new Error(`${plan.name} at message ${plan.n} ${plan.dir} (SEED=${seed}): ${e.message}`, { cause: e });
            }
          }
        }));
        for (const [name, { runs, resumed, connections, ms }] of Object.entries(sums)) {
          t.diagnostic(`${name}: ${runs} runs, ${resumed} sessions resumed, ${connections} connections, right again after ${Math.max(...ms)} ms at most`);
        }
      });
    }

    /** Returns failures of each kind, at random messages of both directions. */
    const sampled = (random, names) => Array.from({ length: samples }, (_, i) => {
      const dir = i % 2 ? "in" : "out";
      return { name: names[Math.floor(i / 2) % names.length], dir, n: 1 + random.below(reference[dir] - slack), seed: random.below(2 ** 32) };
    });
    const everywhere = (names) => Array.from({ length: rounds }, (_, round) => ["in", "out"].flatMap((dir) => Array.from({ length: reference[dir] }, (_, i) =>
      names.map((name) => ({ name, dir, n: i + 1, seed: seed + round * 1000 + i }))))).flat(2);

    /** Plays the transcript with one failure. A run that ended before its message is repeated with an earlier one. */
    async function fail(lane, { name, dir, n }, random) {
      for (let k = 0; k < tries; k++) {
        const report = await failAt(lane, { name, dir, n }, random);
        if (report.reached) return report;
        n = Math.max(1, Math.min(n, report.counts[dir]) - slack);
      }
      assert.fail(`none of ${tries} runs reached its message, at last ${n}`);
    }
    async function failAt(lane, { name, dir, n }, random) {
      const { verdict, down, up } = faults[name];
      let reached = false;
      let late = false; // no event will wake the page
      const wake = () => reached && up?.(lane);
      const report = await play(lane, random, async (message) => {
        if (reached || message.dir !== dir || message.n !== n) return undefined;
        reached = true;
        await down?.(lane);
        if (late) setTimeout(wake, 500);
        return verdict;
      }, () => {
        late = true;
        return wake();
      });
      // After the wake-up the client needs 5 s to detect it; without, 40 s.
      if (reached && up) assert.ok(report.ms < 20_000, `woken, it was right again only after ${report.ms} ms`);
      if (reached && !verdict) assert.equal(report.connections, 1, "a connection that came back was given up");
      return { ...report, reached };
    }
  });
}

function add(sums, name, { resumed, connections, ms }) {
  const sum = (sums[name] ??= { runs: 0, resumed: 0, connections: 0, ms: [] });
  sum.runs++;
  sum.resumed += resumed;
  sum.connections += connections;
  sum.ms.push(ms);
}
