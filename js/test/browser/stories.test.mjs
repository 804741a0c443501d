// The user stories of XEP-0376 §2, from one device to the other, in Chromium, at the server in memory and at Prosody.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";

const service = "pubsub.localhost";
const atom = "http://www.w3.org/2005/Atom";
const microblog = "urn:xmpp:microblog:0";
const entry = (title) => `<entry xmlns='${atom}'><title>${title}</title></entry>`;
const song = (title) => `<song xmlns='urn:example:song'>${title}</song>`;

let lab, browser;
before(async () => {
  if (!missing()) [lab, browser] = await Promise.all([startLab(), startChromium()]);
});
after(() => Promise.allSettled([browser?.close(), lab?.stop()]));

for (const server of ["mem", "prosody"]) {
  /** Runs a story with a server of its own. `device(options)` opens a page with its own storage and a client. */
  const story = (name, run) => test(`${name} (${server})`, { skip: missing(server), timeout: 120_000 }, async () => {
    const demo = await startDemo(server);
    const contexts = [];
    try {
      const socket = socketOf(await demo.device("Phone"));
      const device = async (options = {}) => {
        contexts.push(await browser.newContext());
        const page = await contexts.at(-1).newPage();
        await page.goto(lab.url);
        await makeClient(page, socket, options);
        await page.evaluate(helpers);
        return page;
      };
      await run({ demo, device });
    } finally {
      await Promise.allSettled(contexts.map((c) => c.close()));
      await demo.stop();
    }
  });

  story("2.1 Device Agility", async ({ device }) => {
    const laptop = await device();
    const phone = await device({ interests: [{ payload: atom, node: "news" }] }); // it can show news only
    for (const page of [laptop, phone]) await page.evaluate(() => client.connect());

    // "When a user subscribes to a publish-subscribe node, other online devices are aware of the new subscription immediately".
    await laptop.evaluate(async (service) => {
      await client.subscribe({ service, node: "news" });
      await client.subscribe({ service, node: "gallery" });
    }, service);
    await phone.evaluate(() => until(() => client.subscriptions.getSnapshot().length === 2));
    assert.deepEqual(await phone.evaluate(() => deltas), [["+news", "other-device"], ["+gallery", "other-device"]]);

    // "Not all devices may be capable of handling the particular payload and/or service, and therefore should signal which [...]
    // they support."
    assert.deepEqual(await phone.evaluate(() => client.subscriptions.getSnapshot().map((s) => [s.node, s.supported])), [["gallery", false], ["news", true]]);
    assert.deepEqual(await laptop.evaluate(() => client.subscriptions.getSnapshot().map((s) => [s.node, s.supported])), [["gallery", true], ["news", true]]);

    // "The same capability as point 1 should be possible for unsubscribing."
    await phone.evaluate((service) => client.unsubscribe({ service, node: "gallery" }), service);
    await laptop.evaluate(() => until(() => client.subscriptions.getSnapshot().length === 1));
    assert.deepEqual((await laptop.evaluate(() => deltas)).at(-1), ["-gallery", "other-device"]);
  });

  story("2.2 New Devices", async ({ demo, device }) => {
    const laptop = await device();
    const names = ["news", "weather", "gallery", "princely_musings"];
    await laptop.evaluate(async ([service, names]) => {
      await client.connect();
      for (const node of names) await client.subscribe({ service, node });
    }, [service, names]);
    await demo.post("publish", { node: "news", id: "1" }, entry("The newest entry"));

    // "When a user brings a new device online, it should be able to quickly learn all the user's current subscriptions and
    // present them to the user in its UI."
    const fresh = await device();
    const learned = await fresh.evaluate(async () => {
      await client.connect();
      const frames = client.inspector.getSnapshot();
      return {
        nodes: client.subscriptions.getSnapshot().map((s) => s.node).sort(), source: client.subscriptions.getSnapshot().source,
        requests: frames.filter((f) => f.dir === "out" && /<subscriptions/.test(f.xml)).length, away: client.inbox.getSnapshot().away,
      };
    });
    assert.deepEqual(learned, { nodes: names.toSorted(), source: "server", requests: 1, away: null });
    // It also shows what these nodes published last.
    await fresh.evaluate(() => until(() => titles().includes("The newest entry")));
  });

  story("2.3 Offline Capability", async ({ demo, device }) => {
    const [laptop, phone] = [await device(), await device()];
    await laptop.evaluate(async (service) => {
      await client.connect();
      for (const node of ["news", "weather"]) await client.subscribe({ service, node });
    }, service);
    await phone.evaluate(() => client.connect());
    for (const page of [laptop, phone]) await page.evaluate(() => until(() => client.subscriptions.getSnapshot().length === 2 && client.inbox.getSnapshot().catchUp.phase === "done"));
    await demo.post("publish", { node: "news", id: "0" }, entry("Seen by all"));
    for (const page of [laptop, phone]) await page.evaluate(() => until(() => titles().length === 1));

    // "When the device is offline for an extended period (beyond XEP-0198 resumption capability)": its session has ended.
    await laptop.evaluate(async () => {
      await client.inbox.looked();
      await client.disconnect();
    });
    const published = {};
    const publish = async (node, id, title) => {
      published[id] = Date.now();
      await demo.post("publish", { node, id }, entry(title));
      await new Promise((resolve) => setTimeout(resolve, 1200)); // times that differ by more than a stamp's precision
    };
    await publish("news", "1", "Read on the phone");
    await publish("weather", "2", "Read on no device");
    await phone.evaluate(async (service) => {
      await until(() => titles().length === 3);
      const { items } = await client.inbox.list({ target: { service, node: "news" } });
      await client.inbox.markSeen({ upTo: items[0].id });
      await client.subscribe({ service, node: "gallery" });
      await until(() => client.inspector.getSnapshot().some((f) => f.dir === "out" && /<publish /.test(f.xml)));
      await client.disconnect();
    }, service);
    await publish("news", "3", "After the phone was gone");

    const back = await laptop.evaluate(async () => {
      await client.connect();
      await until(() => client.inbox.getSnapshot().catchUp.phase === "done" && titles().length === 4);
      await until(() => client.inbox.newest.getSnapshot().find((e) => e.itemId === "1").seen.state !== "unseen");
      const { away, unseen } = client.inbox.getSnapshot();
      return {
        events: client.inbox.newest.getSnapshot().map((e) => ({ id: e.itemId, delivery: e.delivery, at: e.occurredAt.getTime(), source: e.timeSource, seen: e.seen.state, basis: e.seen.basis })),
        away: [away.events, away.subscriptions.added.map((s) => s.node), away.subscriptions.removed.length], unseen,
      };
    });
    // "it needs to be able to obtain all the events it missed, including when the events occurred."
    assert.deepEqual(back.events.map((e) => [e.id, e.delivery]).sort(), [["0", "live"], ["1", "catch-up"], ["2", "catch-up"], ["3", "catch-up"]]);
    for (const { id, at, source } of back.events.filter((e) => e.id !== "0")) {
      assert.ok(Math.abs(at - published[id]) < 1500, `${id} happened at ${new Date(at).toISOString()} (${source}), not at ${new Date(published[id]).toISOString()}`);
    }
    // "It should be able to tell which of these the user is unlikely to have seen on other devices."
    const seen = Object.fromEntries(back.events.map((e) => [e.id, [e.seen, e.basis]]));
    assert.deepEqual(seen["1"], ["likely-seen-elsewhere", "displayed-sync"]);
    assert.deepEqual(seen["3"], ["unseen", "none"]);
    // "Further, it needs to be able to tell if new subscriptions have been added, or old ones removed."
    assert.deepEqual(back.away, [3, ["gallery"], 0]);
  });

  story("2.4 PEP", async ({ demo, device }) => {
    await demo.post("account", { name: "carol", password: canary });
    const carol = await device({ account: "carol@localhost" });
    await carol.evaluate(async (nodes) => {
      await client.connect();
      for (const node of nodes) await client.createNode({ service: "carol@localhost", node }, { form: [{ name: "pubsub#access_model", value: "open" }] });
    }, [microblog, "urn:example:songs"]);

    // "A one-way subscription to a user should still allow PEP."
    const alice = await device({ interests: [{ node: microblog }] });
    await alice.evaluate(async (nodes) => {
      await client.connect();
      for (const node of nodes) await client.subscribe({ service: "carol@localhost", node });
    }, [microblog, "urn:example:songs"]);
    await carol.evaluate(async ([microblog, entry, song]) => {
      await client.publish({ service: "carol@localhost", node: "urn:example:songs" }, { id: "s", xml: song });
      await client.publish({ service: "carol@localhost", node: microblog }, { id: "m", xml: entry });
    }, [microblog, entry("A post"), song("la")]);
    await alice.evaluate(() => until(() => titles().length === 1));

    // "PEP should work the same way as now - users see filtered notifications about the things they care about."
    const shown = await alice.evaluate(async () => {
      await new Promise((resolve) => setTimeout(resolve, 500));
      return {
        events: client.inbox.newest.getSnapshot().map((e) => [e.service, e.node, e.itemId, e.entry?.title]),
        list: client.subscriptions.getSnapshot().map((s) => [s.node, s.kind, s.supported]),
      };
    });
    assert.deepEqual(shown, {
      events: [["carol@localhost", microblog, "m", "A post"]],
      list: [["urn:example:songs", "pep", false], [microblog, "pep", true]],
    });
  });
}

/** Adds what the stories need to a page. */
function helpers() {
  globalThis.deltas = [];
  client.on("subscriptions", ({ added, removed, changed, origin }) => {
    for (const s of added) deltas.push([`+${s.node}`, origin]);
    for (const s of removed) deltas.push([`-${s.node}`, origin]);
    for (const s of changed) deltas.push([`~${s.after.node}`, origin]);
  });
  client.inbox.subscribe(() => undefined);
  globalThis.titles = () => client.inbox.newest.getSnapshot().map((e) => e.entry?.title ?? e.xml);
  globalThis.until = async (condition) => {
    for (const end = Date.now() + 20_000; !condition();) {
      if (Date.now() > end) throw new Error(`not reached: ${condition}: ${JSON.stringify([client.inbox.getSnapshot(), titles()])}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
}
