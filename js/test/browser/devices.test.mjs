// Two devices of one account on the demo's own page, against the in-memory server and against Prosody.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { Device, isFullList, isListRequest, isNotify, openDevice, watch } from "./lib/device.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";

const pubsub = "pubsub.localhost";

for (const server of ["mem", "prosody"]) {
  const skip = missing(server);
  describe(server, { skip, timeout: 240_000 }, () => {
    let demo, browser, laptop, phone; // both use alice, in all tests; the list is empty when a test begins
    before(async () => {
      [demo, browser] = await Promise.all([startDemo(server), startChromium()]);
      [laptop, phone] = await Promise.all(["Laptop", "Phone"].map(async (name) => openDevice(await browser.newContext(), demo, name)));
      await Promise.all([laptop.phase("live"), phone.phase("live")]);
    });
    after(async () => {
      await Promise.allSettled([browser?.close(), demo?.stop()]);
    });

    let contexts = []; // of one test
    async function newContext() {
      contexts.push(await browser.newContext());
      return contexts.at(-1);
    }
    let accounts = 0;
    async function newAccount() {
      const name = `user${++accounts}`;
      await demo.post("account", { name, password: canary });
      return name;
    }
    afterEach(async () => {
      await Promise.all(contexts.map((c) => c.close()));
      contexts = [];
      await Promise.all([laptop, phone].map((device) => device.plug()));
      await Promise.all([laptop, phone].map((device) => device.phase("live")));
      for (const node of await laptop.rows()) await laptop.request("unsubscribe", { service: pubsub, node });
      await Promise.all([laptop.shows(), phone.shows()]);
    });

    test("each device shows what the other subscribes to", async () => {
      for (const { page } of [laptop, phone]) assert.equal(await page.getByTestId("notice").textContent(), "", "the client warned of something");
      await phone.page.evaluate(() => { globalThis.sameDocument = true; });

      await laptop.subscribe("news");
      await phone.shows("news");
      await laptop.shows("news");
      assert.deepEqual(await phone.list(), await laptop.list());

      await phone.unsubscribe("news");
      await laptop.shows();
      await phone.shows();
      assert.deepEqual(await phone.list(), await laptop.list());
      assert.equal(await phone.page.evaluate(() => globalThis.sameDocument), true, "the page was reloaded");

      // There was no violation of the security policy, and no secret was logged (see lib/secrets.mjs).
      for (const { page, name } of [laptop, phone]) assert.deepEqual(page.problems, [], name);
      const login = (await laptop.frames()).filter((f) => /^<(auth|challenge|response|success)\b/.test(f.xml));
      assert.ok(login.length >= 3, "the login is not in the wire log");
      assert.deepEqual(login.filter((f) => />[\w+/=]{4,}/.test(f.xml)).map((f) => f.xml), [], "the wire log may show only the names of the login's elements");
    });

    test("an entry is new on both devices, and a device that was away tells what it has missed", async () => {
      for (const node of ["news", "gallery"]) await laptop.request("subscribe", { service: pubsub, node });
      await phone.shows("gallery", "news");
      await laptop.publish("gallery", 1);
      for (const device of [laptop, phone]) assert.deepEqual(await device.entries(1), [["gallery", "published", "unseen"]]);
      const entry = laptop.page.getByTestId("entry").first();
      assert.match(await entry.textContent(), /Evening over the bay.*Photo gallery/s);
      assert.ok(await entry.locator("img").evaluate((img) => img.complete && img.naturalWidth > 0), "the picture is not shown");
      await entry.locator("button").click();
      assert.deepEqual(await laptop.entries(1, "seen-here"), [["gallery", "published", "seen-here"]]);
      assert.deepEqual(await phone.entries(1, "likely-seen-elsewhere"), [["gallery", "published", "likely-seen-elsewhere"]]);
      assert.equal(await phone.page.getByTestId("unread").isVisible(), false);

      await phone.page.getByTestId("online-switch").click();
      await phone.phase("offline");
      await laptop.publish("news", 5);
      await laptop.request("subscribe", { service: pubsub, node: "weather" });
      await laptop.request("unsubscribe", { service: pubsub, node: "gallery" });
      await phone.page.getByTestId("online-switch").click();
      await phone.phase("live");
      await phone.shows("news", "weather");
      const away = phone.page.getByTestId("away");
      await phone.page.waitForFunction(() => /5 entries were published/.test(document.querySelector("[data-testid=away]").textContent));
      assert.match(await away.textContent(), /5 entries were published since .*Followed on another device: Weather.*No longer followed: Photo gallery/s);
      await away.getByTestId("away-close").click();
      assert.equal(await away.isVisible(), false);
      // Prosody sends the presence of the laptop, which was connected all the time: they were probably seen there.
      const missed = await phone.entries(6, server === "mem" ? "unseen" : "likely-seen-elsewhere", 5);
      assert.deepEqual(missed.map(([node]) => node), [...Array(5).fill("news"), "gallery"]);
      await laptop.publish("news", 1);
      for (const device of [laptop, phone]) await device.entries(7);
      await phone.page.getByTestId("read-all").click();
      await phone.page.getByTestId("unread").waitFor({ state: "hidden" });
      const read = (await laptop.entries(7, "likely-seen-elsewhere", 6)).filter(([node]) => node === "news");
      assert.deepEqual(read.map(([, , seen]) => seen), Array(6).fill("likely-seen-elsewhere"));
      for (const { page, name } of [laptop, phone]) assert.deepEqual(page.problems, [], name);
    });

    test("a reconnected device gets only the changes made meanwhile", async () => {
      for (const node of ["news", "weather"]) await laptop.request("subscribe", { service: pubsub, node });
      await phone.shows("news", "weather");
      await phone.settled(); // The server would repeat an unacknowledged answer when the session is resumed.
      const { ver } = await phone.list();

      const cut = await phone.lastSeq();
      assert.equal(await phone.unplug(), 1);
      await phone.phase("waiting", "connecting");
      for (const node of ["gallery", "princely_musings"]) await laptop.request("subscribe", { service: pubsub, node });
      await laptop.request("unsubscribe", { service: pubsub, node: "news" });
      await laptop.shows("gallery", "princely_musings", "weather");
      assert.deepEqual(await phone.rows(), ["news", "weather"], "the phone is not cut off");

      await phone.plug();
      await phone.shows("gallery", "princely_musings", "weather");
      await phone.phase("live");
      assert.deepEqual((await phone.list()).rows, (await laptop.list()).rows);
      assert.equal((await phone.list()).ver, (await laptop.list()).ver);

      const frames = await phone.frames(cut);
      const asked = frames.filter(isListRequest);
      // If the server resumes the session, the client requests nothing: the server sends the missed stanzas.
      const resumed = frames.some((f) => f.dir === "in" && f.xml.includes("<resumed"));
      if (resumed) assert.deepEqual(asked, []);
      else assert.match(asked[0]?.xml ?? "nothing was asked", new RegExp(`\\bver=['"]${ver}['"]`));
      assert.deepEqual(frames.filter((f) => f.dir === "in" && isFullList(f.xml)).map((f) => f.xml), [], "a full list crossed the wire");
      assert.equal(frames.filter(isNotify).length, 3, "one notify for each subscription that was touched");
    });

    test("a reload without a network shows the stored list and its version, and that the device is not connected", async () => {
      for (const node of ["news", "weather"]) await laptop.request("subscribe", { service: pubsub, node });
      await phone.shows("news", "weather");
      const before = await phone.list();

      await phone.unplug();
      await laptop.request("unsubscribe", { service: pubsub, node: "news" });
      await phone.page.reload();
      await phone.shows("news", "weather");
      await phone.phase("waiting", "connecting");
      const stored = await phone.list();
      assert.deepEqual([stored.ver, stored.rows, stored.source], [before.ver, before.rows, "cache"]);
      assert.equal(await phone.version(), before.ver);
      assert.match(await phone.state(), /Disconnected|Connecting/);
      assert.match(await phone.page.getByTestId("stale").textContent(), /Not connected/);
      assert.equal(await phone.page.getByTestId("stale").isVisible(), true);

      await phone.plug();
      await phone.shows("weather");
      await phone.phase("live");
      assert.equal(await phone.state(), "Live");
      assert.equal(await phone.page.getByTestId("stale").isVisible(), false);
      assert.equal((await phone.list()).ver, (await laptop.list()).ver);
    });

    test("a new device gets the whole list", async () => {
      const shell = await (await newContext()).newPage();
      await watch(shell);
      for (const node of ["news", "weather", "gallery"]) await laptop.request("subscribe", { service: pubsub, node });

      await shell.goto(`${demo.origin}/?paused`);
      await shell.waitForFunction(() => globalThis.pamShell?.stage.get("Phone")?.state?.phase === "live");
      await shell.evaluate(() => {
        globalThis.wire = []; // of the new device, which is opened twice
        pamShell.stage.on("frames", (pane, { frames }) => ["Phone", "Laptop"].includes(pane.name) || wire.push(...frames));
      });
      await shell.getByTestId("new-device").click();
      const times = shell.getByTestId("times").locator("li");
      await times.nth(1).waitFor();
      assert.match(await times.nth(0).textContent(), /^Empty: the list of 3 feeds after [\d.]+ m?s, with one request \(\d+ B\)\.$/);
      assert.match(await times.nth(1).textContent(), /^Opened again: the stored list after [\d.]+ m?s, (resumed|equal to the server’s) after/);
      const frame = await (await shell.getByTestId("device-frame").last().elementHandle()).contentFrame();
      const fresh = new Device(frame, demo, "the new device");
      await fresh.shows("gallery", "news", "weather");
      await fresh.phase("live");
      assert.deepEqual((await fresh.list()).rows, (await laptop.list()).rows);
      assert.equal((await fresh.list()).ver, (await laptop.list()).ver);
      const wire = await shell.evaluate(() => globalThis.wire);
      assert.ok(!/\bver=/.test(wire.find(isListRequest).xml), "the first request must be without a version");
      // If its session is resumed before the last acknowledgement, the server sends the list once more.
      assert.equal(wire.filter((f) => isListRequest(f) && !/\bver=/.test(f.xml)).length, 1);
      assert.equal(wire.filter(isNotify).length, 0);
      assert.deepEqual(shell.problems, []);
    });

    test("two accounts on one origin do not share data", async () => {
      const context = await newContext();
      const [one, two] = [await newAccount(), await newAccount()];
      const first = await openDevice(context, demo, "Phone", one);
      const second = await openDevice(context, demo, "Phone", two);
      await Promise.all([first.phase("live"), second.phase("live")]);
      await Promise.all([first.request("subscribe", { service: pubsub, node: "news" }), second.request("subscribe", { service: pubsub, node: "weather" })]);
      await Promise.all([first.shows("news"), second.shows("weather")]);

      const databases = await first.databases();
      const holding = (word) => Object.keys(databases).filter((name) => databases[name].includes(word));
      assert.deepEqual([Object.keys(databases).length, holding("news").length, holding("weather").length], [2, 1, 1], JSON.stringify(databases));
      assert.notDeepEqual(holding("news"), holding("weather"));
      assert.deepEqual([holding(`${one}@localhost`), holding(`${two}@localhost`)], [holding("news"), holding("weather")]);

      await demo.unplug("Phone");
      await Promise.all([first.page.reload(), second.page.reload()]);
      await Promise.all([first.shows("news"), second.shows("weather")]);
      await first.plug();
      await second.plug();
      await Promise.all([first.phase("live"), second.phase("live")]);
      await Promise.all([first.shows("news"), second.shows("weather")]);
      const wire = JSON.stringify(await first.frames());
      assert.ok(!wire.includes(two) && !wire.includes("weather"), "the other account is on this one's wire");
    });

    test("an error shows which server refused the request, and why", async () => {
      const errors = {};
      for (const [what, target] of Object.entries({
        missing: { service: pubsub, node: "nowhere" },
        forbidden: { service: pubsub, node: "secret-club" },
        unreachable: { service: "pubsub.example.invalid", node: "news" },
        local: { service: "localhost", node: "news" },
      })) errors[what] = await phone.request("subscribe", target);
      const { missing, forbidden, unreachable, local } = errors;
      for (const [what, e] of Object.entries(errors)) assert.ok(e.isPamError && e.code === "stanza" && e.condition, `${what}: ${JSON.stringify(e)}`);
      assert.deepEqual([missing.origin, missing.by, missing.condition], ["remote-service", pubsub, "item-not-found"]);
      assert.deepEqual([forbidden.origin, forbidden.by], ["remote-service", pubsub]);
      const [condition, pubsubCondition] = server === "mem" ? ["not-allowed", "closed-node"] : ["forbidden", undefined];
      assert.deepEqual([forbidden.condition, forbidden.pubsubCondition], [condition, pubsubCondition]);
      // If the account's server cannot reach the service, it makes the error itself.
      assert.deepEqual([unreachable.origin, unreachable.by], server === "mem" ? ["remote-service", "pubsub.example.invalid"] : ["local-server", undefined]);
      assert.equal(local.origin, "local-server", JSON.stringify(local));
      assert.ok(local.by === undefined || local.by === "localhost" || local.by.endsWith("@localhost"), local.by);
      assert.deepEqual(await phone.rows(), []);

      // The page shows it to the user.
      await phone.subscribe("secret-club");
      const error = phone.page.getByTestId("error");
      await error.waitFor({ state: "visible" });
      assert.match(await error.textContent(), /secret-club.*remote-service/s);
    });
  });
}
