// The ways in which a connection ends: the client reconnects, unless the stream error is final.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { startLab } from "./lib/lab.mjs";
import { change, equal, makeNodes, oneSocket, openLane, problems } from "./lib/lane.mjs";
import { missing } from "./lib/need.mjs";
import { generator } from "./lib/random.mjs";

const streams = "urn:ietf:params:xml:ns:xmpp-streams";
const streamError = (condition) => `<stream:error xmlns:stream='http://etherx.jabber.org/streams'><${condition} xmlns='${streams}'/></stream:error>`;
const close = "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>";

describe("endings", { skip: missing(), timeout: 300_000, concurrency: 2 }, () => {
  const random = generator(1);
  let demo, lab, browser, lane, silent;
  before(async () => {
    [demo, lab, browser] = await Promise.all([startDemo("mem"), startLab(), startChromium()]);
    await makeNodes(demo);
    [lane, silent] = await Promise.all(["ends", "silent"].map((account) => openLane({ browser, demo, lab, account })));
    for (const { page } of [lane, silent]) {
      await page.evaluate(() => {
        globalThis.phases = []; // each with its error
        client.on("sync", ({ phase, error }) => phases.push({ phase, ...(error && { code: error.code, message: error.message }), ...(error?.condition && { condition: error.condition }) }));
        return client.connect();
      });
    }
  });
  after(async () => {
    await Promise.allSettled([lane?.close(), silent?.close()]);
    await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
  });

  /** Ends the connection of a connected page. */
  async function end(how) {
    await equal(lane);
    await lane.page.evaluate(() => { phases.length = 0; remember(); });
    Object.assign(lane.proxy, { doubles: 0, opened: 0 });
    const [link] = lane.proxy.links;
    await how(link);
  }
  const phaseEvent = (phase) => lane.page.waitForFunction((phase) => phases.find((p) => p.phase === phase), phase, { timeout: 20_000 }).then((found) => found.jsonValue());

  describe("ended by the server or the socket", { concurrency: 1 }, () => {
    const reactions = [
      ...[1000, 1001, 1006, 1008, 1009, 1011, 1012, 4000].map((code) => ({ name: `closed with ${code}${code === 1006 ? ", a reset" : ""}`, how: (link) => link.close(code), code: "transport" })),
      { name: "<close/>", how: (link) => { link.say(close); link.close(1000); }, code: "stream" },
      ...["system-shutdown", "connection-timeout", "reset", "resource-constraint", "policy-violation", "host-unknown"].map((condition) => (
        { name: condition, how: (link) => { link.say(streamError(condition)); link.say(close); link.close(1000); }, code: "stream", condition })),
    ];
    for (const { name, how, code, condition } of reactions) {
      test(`${name}: ${code}, and the client reconnects`, async () => {
        await end(how);
        await change(lane, random, 2);
        const { message, ...waiting } = await phaseEvent("waiting");
        assert.deepEqual(waiting, { phase: "waiting", code, ...(condition && { condition }) }, message);
        await equal(lane);
        await oneSocket(lane);
        assert.deepEqual([lane.proxy.opened, lane.proxy.doubles, problems(lane.page)], [1, 0, []]);
      });
    }

    const verdicts = [
      { name: "conflict", condition: "conflict", code: "conflict", words: /conflict/ },
      { name: "the password is refused", code: "auth", condition: "not-authorized", words: /wrong account or password/, refused: true },
    ];
    for (const { name, condition, code, words, refused } of verdicts) {
      test(`${name}: the client stops, and \`sync\` shows the error`, async () => {
        if (refused) await lane.page.evaluate(() => { [globalThis.right, globalThis.password] = [globalThis.password, "wrong"]; });
        await end((link) => {
          if (refused) {
            link.say(close); // the session cannot be resumed
            return link.close(1000);
          }
          link.say(streamError(condition));
          link.say(close);
          return link.close(1000);
        });
        const { message, ...failed } = await phaseEvent("failed");
        assert.deepEqual(failed, { phase: "failed", code, condition });
        assert.match(message, words);
        await lane.page.evaluate(() => dispatchEvent(new Event("online")));
        await sleep(1000); // ten times the first delay
        assert.equal(lane.proxy.opened, refused ? 1 : 0, "it tried again");
        assert.equal(lane.proxy.links.size, 0);
        if (refused) await lane.page.evaluate(() => { globalThis.password = globalThis.right; });
        await lane.page.evaluate(() => client.connect());
      });
    }
  });

  // It mostly waits, so it runs in a separate page, concurrently with the others.
  test("the client detects a lost peer: within 5 s of a wake-up, else after 30 s of silence and 10 s without an answer", async (t) => {
    const { page, proxy } = silent;
    for (const [what, wake, limit] of [["a wake", true, 5], ["no wake", false, 40]]) {
      await equal(silent);
      await page.evaluate(() => { phases.length = 0; remember(); });
      const links = proxy.opened;
      for (const link of proxy.links) link.mute();
      const start = performance.now();
      await change(silent, random, 2);
      if (wake) await page.evaluate(() => dispatchEvent(new Event("online")));
      const found = await page.waitForFunction(() => phases.find((p) => p.phase === "waiting"), undefined, { timeout: (limit + 30) * 1000 });
      const seconds = (performance.now() - start) / 1000;
      t.diagnostic(`after ${what}: found out within ${seconds.toFixed(1)} s`);
      assert.deepEqual([(await found.jsonValue()).code, seconds < limit + 5], ["timeout", true], `${seconds} s`);
      await equal(silent);
      await oneSocket(silent);
      assert.deepEqual([proxy.opened - links, proxy.doubles, problems(page)], [1, 0, []]);
    }
  });
});
