// The program crashes at each of its points, in the Worker and in the page's own thread: the page gets one event, pending
// calls are rejected, no output contains the value of a panic, the socket is closed, and connect() starts a new program.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { resolve } from "../../scripts/symbols.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { watch } from "./lib/device.mjs";
import { buildFaulty, scriptFor, secret } from "./lib/faults.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";

const seconds = 1000;
const target = JSON.stringify({ service: "pubsub.localhost", node: "news" });
const hidden = "panic: (a value that is not shown)";
const index = "panic: runtime error: index out of range";

// Each row: the point, the kind of failure, and the reason that the error contains.
const live = [
  ["owner", "text", hidden],
  ["owner", "forged", hidden],
  ["owner", "lines", hidden],
  ["owner", "index", index],
  ["owner", "nil", "panic: runtime error: invalid memory address or nil pointer dereference"],
  ["event", "error", hidden],
  ["socket", "text", hidden],
  ["idb", "forged", hidden],
  ["timer", "text", hidden],
  ["dispatch", "text", "a panic"], // the bridge itself catches this and the next
  ["dispatch", "index", "runtime error: index out of range [0] with length 0"],
  ["request", "forged", "a panic"],
  ["owner", "memory", "fatal error: out of memory"],
];
const connecting = [
  ["owner", "text", hidden],
  ["event", "forged", hidden],
  ["socket", "index", index],
];

describe("crashes", { skip: missing(), timeout: 300 * seconds }, () => {
  let demo, lab, browser, wasm, symbols;
  before(async () => {
    [demo, lab, browser] = await Promise.all([startDemo("mem"), startLab(), startChromium()]);
    ({ program: wasm, symbols } = buildFaulty());
  });
  after(async () => {
    await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
  });

  for (const where of ["worker", "main"]) {
    describe(`in ${where}`, () => {
      let page, uncaught, list;
      before(async () => {
        page = await (await browser.newContext()).newPage();
        uncaught = [];
        page.on("pageerror", (e) => uncaught.push(String(e)));
        await watch(page);
        await page.route("**/faulty.wasm", (route) => route.fulfill({ body: wasm, contentType: "application/wasm" }));
        await page.route("**/pkg/index.js", (route) => route.fulfill({ body: scriptFor(wasm), contentType: "text/javascript" }));
        await page.goto(lab.url);
        await makeClient(page, socketOf(await demo.device("Laptop")), { runtime: { where, wasm: `${lab.url}/faulty.wasm` } });
        await run("client.connect()");
        await run(`client.subscribe(${target})`);
        list = await page.evaluate(() => rows());
        assert.equal(list.length, 1);
      });
      after(() => page?.context().close());
      afterEach(async () => {
        await demo.post("release");
        await page.evaluate(() => { globalThis.waiting = []; });
      });

      const run = (expression) => page.evaluate((expression) => outcome((0, eval)(expression)), expression);
      /** Starts calls whose outcomes rest() returns. */
      const begin = (...calls) => page.evaluate((calls) => {
        globalThis.waiting = [...globalThis.waiting ?? [], ...calls.map((call) => outcome((0, eval)(call)))];
      }, calls);
      const rest = (limit = 10 * seconds) => page.evaluate((limit) => {
        const { waiting } = globalThis;
        globalThis.waiting = [];
        return Promise.all(waiting.map((w) => Promise.race([w, new Promise((resolve) => setTimeout(resolve, limit, { code: "HANGS" }))])));
      }, limit);

      async function isLive() {
        await page.evaluate((password) => { globalThis.password = password; }, canary);
        const { value, ...error } = await run("client.connect()");
        assert.deepEqual([value?.phase, error.message], ["live", undefined]);
        const now = await page.evaluate(() => [client.runtime.getSnapshot().phase, client.runtime.getSnapshot().where, state().source, rows()]);
        assert.deepEqual(now, ["running", where, "server", list]);
        await page.evaluate(() => { events.length = 0; });
      }

      async function isCrashed(why) {
        const outcomes = await rest();
        assert.deepEqual(outcomes.map((o) => [o.code, o.origin, o.retryable, o.isPamError]), outcomes.map(() => ["crashed", "runtime", true, true]), JSON.stringify(outcomes));
        for (const { message } of outcomes) assert.ok(message.includes(`(${why}`), message);
        const now = await page.evaluate(() => [client.runtime.getSnapshot().phase, client.sync.getSnapshot().phase, client.sync.getSnapshot().pendingWrites, rows().length]);
        assert.deepEqual(now, ["crashed", "failed", 0, 1]);
        for (const deadline = Date.now() + 10 * seconds; (await demo.device("Laptop")).sockets > 0;) assert.ok(Date.now() < deadline, "the socket stays open");
        await demo.post("release");
        await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300))); // for events that arrive late
        assert.deepEqual(await page.evaluate(() => events), [["crash", "crashed"]]);
        assert.deepEqual(uncaught, []);
        const texts = JSON.stringify([outcomes, page.said, page.problems, await page.evaluate(() => client.runtime.getSnapshot().error.message)]);
        assert.ok(!texts.includes(secret), texts);
      }

      for (const [point, kind, why] of live) {
        test(`${point}, ${kind}`, async () => {
          await isLive();
          await demo.post("hold", { device: "Laptop", contains: "<iq" });
          await begin(`client.subscribe({ service: "pubsub.localhost", node: "nowhere" })`, "client.subscriptions.refresh()");
          await page.waitForFunction(() => client.sync.getSnapshot().pendingWrites === 1);
          await begin(`client.subscribe({ service: "pubsub.localhost", node: "fault.${point}.${kind}" })`);
          await page.waitForFunction(() => client.sync.getSnapshot().pendingWrites === 2 || client.runtime.getSnapshot().phase === "crashed");
          if (point === "dispatch" || point === "request") await begin("client.subscriptions.refresh()");
          if (point === "socket") await demo.post("release");
          await isCrashed(why);
          if (why === hidden || why === index) assert.match(resolve(symbols, page.said.at(-1)), /\nxmpp-pam\/sdk\/fault\.At\n\t.*fault\.go:\d+\n/);
          await isLive();
        });
      }

      for (const [point, kind, why] of connecting) {
        test(`${point}, ${kind}, while it connects`, async () => {
          await isLive();
          await run("client.disconnect()");
          await page.evaluate((name) => { globalThis.password = name; }, `fault.${point}.${kind}`);
          await begin("client.connect()", "client.connect()");
          await isCrashed(why);
          await isLive();
        });
      }
    });
  }
});
