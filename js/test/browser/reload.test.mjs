// A reloaded page resumes the session of the previous page.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { isListRequest, isNotify, openDevice } from "./lib/device.mjs";
import { missing } from "./lib/need.mjs";

const pubsub = "pubsub.localhost";
const skip = missing("prosody");

describe("reload", { skip, timeout: 240_000 }, () => {
  let demo, browser, phone;
  before(async () => {
    [demo, browser] = await Promise.all([startDemo("prosody"), startChromium()]);
    phone = await device("Phone");
    contexts = []; // this context is kept
  });
  after(async () => {
    await Promise.allSettled([browser?.close(), demo?.stop()]);
  });
  let contexts = [];
  afterEach(async () => {
    const all = contexts;
    contexts = [];
    await Promise.all(all.map((c) => c.close()));
    for (const node of await phone.rows()) await phone.request("unsubscribe", { service: pubsub, node });
  });
  async function device(name) {
    const context = await browser.newContext();
    contexts.push(context);
    const opened = await openDevice(context, demo, name, "alice");
    await opened.phase("live");
    return opened;
  }
  const binds = (frames) => frames.filter((f) => f.dir === "out" && /<bind\b/.test(f.xml));
  const resumed = (device) => device.page.evaluate(() => pamDemo.client.sync.getSnapshot().resumed);
  /** Waits until the session record is written, at most every 250 ms. */
  const rest = (device) => device.page.waitForTimeout(600);

  /** Checks that a new run requests the list once, and once more if it had changed. */
  async function assertResumed(device, lists = 1) {
    await device.phase("live");
    const frames = await device.frames();
    assert.deepEqual([await resumed(device), binds(frames).length, frames.filter(isListRequest).length], [true, 0, lists], frames.map((f) => f.xml).join("\n"));
    return frames;
  }

  test("the session is resumed, and a change made meanwhile is in the list", async () => {
    const laptop = await device("Laptop");
    await phone.request("subscribe", { service: pubsub, node: "news" });
    await laptop.shows("news");
    await rest(laptop);
    await laptop.page.goto("about:blank"); // between the two pages
    await phone.request("subscribe", { service: pubsub, node: "weather" });
    await laptop.page.goto((await demo.device("Laptop")).url + "?account=alice");
    await laptop.shows("news", "weather");
    const frames = await assertResumed(laptop, 2);
    assert.equal(frames.filter(isNotify).length, 2, "the one that was missed, which is a hint, and the one of the list");
    await phone.request("unsubscribe", { service: pubsub, node: "news" });
    await laptop.shows("weather");
    assert.deepEqual(await laptop.list(), await phone.list());
    assert.deepEqual(laptop.page.problems, []);
  });

  test("a session is resumed repeatedly", async () => {
    const laptop = await device("Laptop");
    for (let i = 0; i < 3; i++) {
      await rest(laptop);
      await laptop.page.reload();
      await assertResumed(laptop);
    }
  });

  test("a page that ends before it is connected leaves the session to the next page", async () => {
    const laptop = await device("Laptop");
    await rest(laptop);
    await demo.post("refuse", { device: "Laptop", on: "true" }); // the next page cannot connect
    await laptop.page.reload();
    await laptop.phase("waiting", "connecting");
    await demo.plug("Laptop");
    await laptop.page.reload();
    await assertResumed(laptop);
    await phone.request("subscribe", { service: pubsub, node: "news" });
    await laptop.shows("news");
  });

  test("a request that is pending during the reload: the list shows its outcome", async () => {
    const laptop = await device("Laptop");
    for (const [i, operation] of ["subscribe", "unsubscribe", "subscribe"].entries()) {
      await Promise.all([
        laptop.page.waitForEvent("load"),
        laptop.page.evaluate(([operation, target]) => {
          pamDemo.client[operation](target).catch(() => undefined);
          setTimeout(() => location.reload(), 20);
        }, [operation, { service: pubsub, node: "news" }]),
      ]);
      await laptop.phase("live");
      const want = i % 2 ? [] : ["news"];
      await Promise.all([laptop.shows(...want), phone.shows(...want)]);
    }
  });

  test("of two tabs that find the same name, one gets the session, and both become live", async () => {
    const laptop = await device("Laptop");
    await rest(laptop);
    await laptop.page.goto((await demo.device("Laptop")).url + "config.json"); // same origin, no client
    const left = await laptop.page.evaluate(() => ({ ...sessionStorage }));
    assert.ok(left["xmpp-pam:tab:alice@localhost"], "the page has left no name");
    const context = laptop.page.context();
    const copy = await context.newPage();
    await copy.addInitScript((left) => { if (!sessionStorage.length) Object.assign(sessionStorage, left); }, left);
    const url = (await demo.device("Laptop")).url + "?account=alice";
    await Promise.all([laptop.page.goto(url), copy.goto(url)]);
    const second = Object.assign(Object.create(Object.getPrototypeOf(laptop)), laptop, { page: copy, name: "the copy" });
    await Promise.all([laptop.phase("live"), second.phase("live")]);
    assert.deepEqual([await resumed(laptop), await resumed(second)].sort(), [false, true]);
    await phone.request("subscribe", { service: pubsub, node: "news" });
    await Promise.all([laptop.shows("news"), second.shows("news")]);
    for (const d of [laptop, second]) assert.equal(await d.page.evaluate(() => pamDemo.client.sync.getSnapshot().attempt), 1, "it was thrown out");
    assert.deepEqual(await copy.evaluate(() => Object.keys(sessionStorage).filter((k) => k.startsWith("xmpp-pam:"))), []);
  });
});
