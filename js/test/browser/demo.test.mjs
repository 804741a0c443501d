// The page of the demo, in a run through all of its parts, against the in-memory server and against Prosody.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { after, afterEach, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocketServer } from "ws";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { accessibilityOf, record, shiftsOf } from "./lib/inspect.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";

for (const server of ["mem", "prosody"]) {
  describe(`the page of the demo at ${server}`, { skip: missing(server), timeout: 180_000 }, () => {
    let demo, browser;
    before(async () => {
      [demo, browser] = await Promise.all([startDemo(server), startChromium()]);
    });
    after(() => Promise.allSettled([browser?.close(), demo?.stop()]));
    const contexts = [];
    afterEach(() => Promise.all(contexts.splice(0).map((context) => context.close())));

    /** Opens the page, and waits until both devices are connected. */
    async function open(options = {}, query = "?paused") {
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      await record(page);
      await page.goto(`${demo.origin}/${query}`);
      const live = () => ["Phone", "Laptop"].every((name) => globalThis.pamShell?.stage.get(name)?.state?.phase === "live");
      await page.waitForFunction(live, null, { timeout: 60_000 });
      await page.frame({ name: (await demo.device("Phone")).id }).evaluate(async () => { // what an earlier page has left
        const { client } = pamDemo;
        for (const { service, node } of client.subscriptions.getSnapshot()) await client.unsubscribe({ service, node });
        await client.inbox.markSeen(client.inbox.newest.getSnapshot().map((e) => e.id));
      });
      await parts(page).equal();
      return { page, ...parts(page) };
    }

    /** The parts of the page that a visitor uses. */
    function parts(page) {
      const device = (name) => page.frameLocator(`#${name} iframe`);
      return {
        phone: device("phone"), laptop: device("laptop"),
        async said(pattern, timeout = 20_000) {
          const happened = page.getByTestId("happened");
          await happened.filter({ hasText: pattern }).waitFor({ timeout }).catch(async (e) => {
            throw new Error(`the page says “${await happened.textContent()}”, not ${pattern}`, { cause: e });
          });
        },
        feed: (name, node) => device(name).locator(`.feed[data-node="${node}"] button`),
        network: (position) => page.locator(`.net-phone [value=${position}]`).check(),
        async equal() {
          const views = () => ["Phone", "Laptop"].map((name) => {
            const { ver, unseen, rows } = pamShell.stage.get(name).state ?? {};
            return JSON.stringify([ver, unseen, rows]);
          });
          for (const end = Date.now() + 20_000; ; await sleep(50)) {
            const [phone, laptop] = await page.evaluate(views);
            if (phone === laptop) return;
            assert.ok(Date.now() < end, `the devices show ${phone} and ${laptop}`);
          }
        },
      };
    }

    /** Fails if a part of the page, as it is now, is not accessible, has moved by itself, or has written to the console. */
    async function inspect(page, step) {
      assert.deepEqual(await accessibilityOf(page), [], `after ${step}`);
      assert.deepEqual(await shiftsOf(page), [], `the layout has shifted: ${step}`);
      assert.deepEqual(page.messages, [], `on the console: ${step}`);
    }
    async function onFirstScreen(page) {
      const rects = await page.locator("#phone iframe, #laptop iframe").evaluateAll((all) => all.map((frame) => frame.getBoundingClientRect().toJSON()));
      const { height } = page.viewportSize();
      for (const { top, bottom } of rects) assert.ok(top >= 0 && bottom <= height, `a device is not on the first screen: ${top} to ${bottom} of ${height}`);
      assert.equal(rects.length, 2);
    }
    const number = (text) => Number(/[\d.]+/.exec(text)[0]) * (/ s\b/.test(text) ? 1000 : 1);

    const whole = server === "mem"; // what does not depend on the server is looked at once

    if (whole) test("it plays by itself, shows measured times, and is the visitor's as soon as it is touched", async () => {
      const { page, said, equal, phone } = await open({}, "");
      await said(/^Followed on Phone, on Laptop after [\d.]+ m?s/);
      await said(/^City news has published two entries\./);
      await said(/^Read on Laptop, read on Phone after/);
      assert.ok(await page.evaluate(() => pamShell.play.rests) >= 2);
      assert.ok(number(await page.getByTestId("delay").textContent()) > 0);
      await inspect(page, "playing");
      await phone.locator("#entries-title").click();
      await said(/^It is yours/);
      await page.waitForFunction(() => !pamShell.play.running);
      await equal();
    });

    test("a visitor goes through all of its parts", async () => {
      const { page, said, feed, network, equal, phone, laptop } = await open();
      await onFirstScreen(page);

      await feed("phone", "news").click();
      await said(/^Phone followed a feed: on Laptop after \d+ ms\.$/);
      await feed("laptop", "gallery").click();
      await said(/^Laptop followed a feed: on Phone after \d+ ms\.$/);
      await equal();
      assert.ok(await page.locator("[data-line=subscribe].ran").isVisible(), "the line of code lights up");
      await page.getByTestId("publish").click();
      await said(/^Published in City news\. On screen: (Phone|Laptop) \d+ ms, (Phone|Laptop) \d+ ms\.$/);
      await phone.getByTestId("entry").first().locator("button").click();
      await said(/^Phone read an entry: on Laptop after \d+ ms\.$/);
      await equal();
      await inspect(page, "following and reading");

      await network("tunnel");
      await page.waitForFunction(() => pamShell.stage.get("Phone").state.phase !== "live");
      await page.getByTestId("publish-5").click();
      await said(/^Phone was back after .* the server had kept the session, 5 messages were delivered late, and nothing was fetched\.$/);
      await equal();
      await inspect(page, "the tunnel");

      await network("week");
      await said(/^Meanwhile on Laptop: two entries, Weather followed, Photo gallery unfollowed, another entry, all read\. Do more/);
      await network("online");
      await said(/^Phone was back after .* its session was lost, as after a week\./);
      const ledger = page.getByTestId("ledger");
      await ledger.filter({ hasText: /\+ Weather.*− Photo gallery/s }).waitFor();
      assert.equal(await ledger.locator("[data-part=entries] li").count(), 3, await ledger.textContent());
      await page.waitForFunction(() => [...document.querySelectorAll("[data-part=entries] li")].every((row) => row.textContent.endsWith("on another device")));
      const times = await ledger.locator("time").evaluateAll((all) => all.map((t) => Date.parse(t.dateTime)));
      assert.deepEqual(times, times.toSorted((a, b) => b - a));
      assert.ok(times.every((t) => Math.abs(t - Date.now()) < 60_000));
      await page.waitForFunction(() => document.querySelector("#scale-time").dataset.state === "done", null, { timeout: 30_000 });
      assert.match(await page.getByTestId("scale-time").textContent(), /^\d+ times less: three changes among 1,000 feeds\.$/);
      await page.waitForFunction(() => /\d/.test(document.querySelector("[data-part=whole]").textContent));
      const bytes = async (part) => {
        const [, figure, unit] = /^([\d.]+) (k?B)$/.exec(await ledger.locator(`[data-part=${part}]`).textContent());
        return figure * (unit === "kB" ? 1000 : 1);
      };
      assert.ok(await bytes("catch-up") > 400, "the request, its answer and three notifies");
      assert.ok(await bytes("whole") > 400, "a list of two feeds, not only the answer that nothing has changed");
      assert.equal(await ledger.locator(".unfollowed").textContent(), "− Photo gallery");
      await phone.getByTestId("away-close").click();
      await equal();
      await inspect(page, "the week");

      for (const [what, words] of [["tab", /^Tab closed and opened again: the stored list was on screen after/], ["worker", /^Worker killed: the page started another program/], ["socket", /^Socket cut: the session was resumed after/], ["server", /^Server restarted within .*: all sessions were lost; (Phone|Laptop) and (Phone|Laptop) live after/]]) {
        await page.locator(`[data-break=${what}]`).click();
        await said(words, 60_000);
        await equal();
      }
      await inspect(page, "breaking it");

      await page.getByTestId("new-device").click();
      await page.getByTestId("times").locator("li").nth(1).waitFor();
      await inspect(page, "a new device");
      await page.getByTestId("remove-device").click();
      await page.getByTestId("device-frame").nth(2).waitFor({ state: "detached" });

      if (whole) {
        await compare(page, parts(page));
        await readProtocol(page, parts(page));
      }

      await page.getByTestId("server").click();
      await page.getByTestId("login-account").fill("bob@localhost");
      await page.getByTestId("login-password").fill("wrong");
      await page.getByTestId("login-service").fill(`${(await demo.device("Phone")).url.replace("http", "ws")}xmpp-websocket`);
      await page.getByTestId("login-submit").click();
      await page.getByTestId("login-status").filter({ hasText: /wrong account or password/ }).waitFor();
      await page.getByTestId("login-password").fill(canary);
      await page.getByTestId("login-submit").click();
      await page.getByTestId("login-status").filter({ hasText: "The server has everything that is needed." }).waitFor();
      await inspect(page, "the log-in");
      await page.getByTestId("login-leave").click();
      await equal();
      await laptop.locator("[data-testid=row][data-node=news]").waitFor();
      await inspect(page, "all");
    });

    async function compare(page, { laptop, equal }) {
      await page.getByTestId("compare-run").click();
      const figure = (measure, side) => page.locator(`[data-measure=${measure}] [data-side=${side}]`).evaluate((cell) => Number(cell.dataset.value));
      await page.getByTestId("compare-status").filter({ hasText: /5 entries/ }).waitFor({ timeout: 30_000 });
      await page.waitForFunction(() => Number(document.querySelector("[data-measure=late] [data-side=pam]").dataset.value) > 0);
      assert.ok(await figure("stale", "polling") > await figure("stale", "pam"), "the lists of devices that poll are out of date for longer");
      for (const side of ["pam", "polling"]) assert.ok(await figure("received", side) > 1000 && await figure("sent", side) > 100, side);
      await page.getByTestId("compare-run").click();
      await page.getByTestId("compare-status").filter({ hasText: /stopped/ }).waitFor();
      await page.waitForFunction(() => !document.querySelector("#compare").dataset.running);
      await laptop.getByTestId("away-close").click(); // the server was restarted
      await laptop.getByTestId("read-all").click();
      await equal();
      await inspect(page, "the comparison");
    }

    async function readProtocol(page, { feed }) {
      await page.getByTestId("protocol").locator("> summary").click();
      await page.getByTestId("lanes-clear").click();
      await page.getByTestId("log-clear").click();
      await feed("phone", "weather").click();
      const shown = page.getByTestId("lane-row").filter({ visible: true });
      await shown.nth(3).waitFor();
      const rows = await shown.evaluateAll((all) => all.map((row) => row.textContent.replace(/\s+/g, " ")));
      assert.match(rows[0], /unsubscribe/i);
      assert.ok(rows.findIndex((row) => /notif/i.test(row)) < rows.findIndex((row) => /result/i.test(row)), `the notify comes before the result: ${rows}`);
      await page.getByTestId("log-kind").selectOption("pam");
      const saved = page.waitForEvent("download");
      await page.getByTestId("log-save").click();
      const lines = readFileSync(await (await saved).path(), "utf8").trim().split("\n").map((line) => JSON.parse(line));
      assert.deepEqual([lines.length >= 4, lines.every((l) => l.layer === "pam")], [true, true], JSON.stringify(lines));
      await inspect(page, "the protocol");
      await page.getByTestId("protocol").locator("> summary").click();
    }

    if (whole) {
      test("its figures grow with the delay of a device's line", async () => {
        const { feed, said, page } = await open();
        const follow = async (node) => {
          await feed("phone", node).click();
          await said(/^Phone (un)?followed a feed: on Laptop/);
          return number(await page.getByTestId("delay").textContent());
        };
        const quick = await follow("news");
        await demo.post("slow", { device: "Laptop", ms: 300 });
        await page.getByTestId("happened").evaluate((e) => { e.textContent = ""; });
        const slow = await follow("news");
        assert.ok(slow >= 300 && slow > quick, `${quick} ms, then ${slow} ms`);
        await demo.post("slow", { device: "Laptop", ms: 0 });
      });

      test("the log-in form says what a server lacks", async () => {
        const { page } = await open();
        const lacking = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "xmpp" });
        await once(lacking, "listening");
        const streams = "http://etherx.jabber.org/streams";
        lacking.on("connection", (socket) => socket.once("message", () => { // as a Prosody does that sees no TLS
          socket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='1' version='1.0'/>");
          socket.send(`<stream:error xmlns:stream='${streams}'><undefined-condition xmlns='urn:ietf:params:xml:ns:xmpp-streams'/>`
            + "<text xmlns='urn:ietf:params:xml:ns:xmpp-streams'>No stream features to proceed with</text></stream:error>");
        }));
        await page.getByTestId("server").click();
        await page.getByTestId("login-account").fill("alice@localhost");
        await page.getByTestId("login-password").fill(canary);
        await page.getByTestId("login-service").fill(`ws://localhost:${lacking.address().port}/`);
        await page.getByTestId("login-submit").click();
        const status = page.getByTestId("login-status");
        await status.filter({ hasText: /consider_websocket_secure = true/ }).waitFor().catch(async (e) => {
          throw new Error(await status.textContent(), { cause: e });
        });
        assert.equal(await page.getByTestId("login-password").inputValue(), "");
        lacking.close();
        for (const socket of lacking.clients) socket.terminate();
      });

      test("who prefers reduced motion gets steps, and nothing moves by itself", async () => {
        const { page, said, equal } = await open({ reducedMotion: "reduce", viewport: { width: 390, height: 844 }, colorScheme: "dark" }, "");
        await said(/Next step/);
        assert.equal(await page.getByTestId("play").isVisible(), false);
        for (const words of [/^Followed on Phone/, /^City news has published/, /^Read on Laptop/]) {
          await page.getByTestId("step").click();
          await said(words);
          await equal();
        }
        assert.equal(await page.locator(".packet").count(), 0);
        await inspect(page, "three steps");
        await onFirstScreen(page);
      });
    }
  });
}
