// The browser freezes, hides, caches, reloads and discards pages, and is killed. Every time the page must end with the
// server's list, and until then show the stored one.
//
// SOAK=n repeats each test n times. SEED=n repeats a run, except for what the browser and the server choose at random.

import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { openProfile, removeProfile, startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { startLab } from "./lib/lab.mjs";
import { change, equal, makeNodes, oneSocket, openLane, problems } from "./lib/lane.mjs";
import { missing } from "./lib/need.mjs";
import { generator, seed } from "./lib/random.mjs";

const rounds = Number(process.env.SOAK ?? 1);

describe("page lifecycle", { skip: missing(), timeout: 120_000 + rounds * 120_000 }, () => {
  const random = generator(seed);
  const profile = mkdtempSync(join(tmpdir(), "xmpp-pam-profile-"));
  let demo, lab, otherBrowser, browser, lane, session;
  before(async () => {
    [demo, lab, otherBrowser, browser] = await Promise.all([startDemo("mem"), startLab(), startChromium(), openProfile(profile)]);
    await makeNodes(demo);
    lane = await openLane({ browser: otherBrowser, context: browser.context, demo, lab, account: "user" });
    await enter();
    await lane.page.evaluate(() => client.connect());
    await change(lane, random, 3);
  });
  after(async () => {
    await Promise.allSettled([lane?.close()]);
    await Promise.allSettled([browser?.kill(), otherBrowser?.close(), demo?.stop(), lab?.stop()]);
    await removeProfile(profile);
  });

  /** Attaches to the page of the lane. */
  async function enter() {
    session = await lane.page.context().newCDPSession(lane.page);
  }
  const state = () => lane.page.evaluate(() => state());
  const links = () => lane.proxy.opened;

  /** Runs `act` on the page while the other device changes the list, and waits until the page has the correct list. */
  function row(name, disturb) {
    test(name, async (t) => {
      for (let i = 0; i < rounds; i++) {
        await equal(lane);
        await lane.page.evaluate(() => remember());
        Object.assign(lane.proxy, { doubles: 0 });
        const note = await disturb();
        const start = performance.now();
        await equal(lane);
        await oneSocket(lane);
        assert.equal(lane.proxy.doubles, 0, "a second socket was opened while the first was in order");
        assert.deepEqual(problems(lane.page), []);
        t.diagnostic(`SEED=${seed}: correct list after ${Math.round(performance.now() - start)} ms${note ? `, ${note}` : ""}`);
      }
    });
  }

  row("frozen, which kills the socket", async () => {
    const before = links();
    await lane.page.evaluate(() => {
      globalThis.heard = [];
      for (const type of ["freeze", "resume"]) document.addEventListener(type, () => heard.push(type), { once: true });
    });
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    await change(lane, random, 3);
    await session.send("Page.setWebLifecycleState", { state: "active" });
    await lane.page.bringToFront();
    await lane.page.waitForFunction(() => heard.length === 2, undefined, { polling: 50 });
    await connectsAgain(before);
  });

  row("left, and entered again from the back/forward cache", async () => {
    const before = links();
    await lane.page.evaluate(() => {
      globalThis.persisted = [];
      addEventListener("pageshow", (e) => persisted.push(e.persisted), { once: true });
    });
    await session.send("Page.navigate", { url: `${lab.url}/?away` });
    await change(lane, random, 3);
    const { currentIndex, entries } = await session.send("Page.getNavigationHistory");
    await session.send("Page.navigateToHistoryEntry", { entryId: entries[currentIndex - 1].id });
    await lane.page.waitForFunction(() => globalThis.persisted?.length > 0, undefined, { timeout: 20_000 });
    assert.deepEqual(await lane.page.evaluate(() => persisted), [true], "the browser did not keep the page");
    await connectsAgain(before);
  });

  row("hidden, while its connection is lost", async () => {
    const before = links();
    const front = await lane.page.context().newPage();
    await front.bringToFront();
    await lane.page.waitForFunction(() => document.visibilityState === "hidden", undefined, { polling: 100 });
    for (const link of lane.proxy.links) link.mute();
    await change(lane, random, 3);
    const start = performance.now();
    await front.close();
    await lane.page.bringToFront();
    await connectsAgain(before);
    return `after ${Math.round(performance.now() - start)} ms connected again`;
  });

  row("discarded, and opened again", async () => {
    const { context } = browser;
    const stored = await state();
    const crashed = new Promise((resolve) => lane.page.once("crash", resolve));
    session.send("Page.crash").catch(() => undefined); // the crashed page does not answer
    await crashed;
    await lane.page.close();
    await change(lane, random, 3);
    await reopen(context, stored);
  });

  row("reloaded, and the session goes on", async () => {
    await lane.page.waitForTimeout(600); // until the session record is written, at most every 250 ms
    const stored = await state();
    await lane.page.reload();
    await lane.start(lane.page);
    await cached(stored);
    await change(lane, random, 3);
    await lane.page.evaluate(() => client.connect());
    assert.equal(await lane.page.evaluate(() => client.sync.getSnapshot().resumed), true);
  });

  row("killed with its browser, and started again", async () => {
    const stored = await state();
    await browser.kill();
    await change(lane, random, 3);
    browser = await openProfile(profile);
    await reopen(browser.context, stored);
  });

  /** Opens a new page of the same profile, which must show the stored list before it connects. */
  async function reopen(context, stored) {
    lane.page = await lane.open(context);
    await enter();
    await cached(stored);
    await lane.page.evaluate(() => client.connect());
  }

  async function cached(stored) {
    const before = links();
    await lane.page.evaluate(() => client.subscriptions.ready);
    await lane.page.evaluate(() => remember());
    assert.deepEqual(await state(), { ...stored, source: "cache" }, "the stored list");
    assert.equal(links(), before, "there was a connection already");
  }

  async function connectsAgain(before) {
    for (const deadline = Date.now() + 20_000; links() === before && Date.now() < deadline;) await lane.page.waitForTimeout(20);
    assert.ok(links() > before, "it did not connect again within 20 s");
  }
});
