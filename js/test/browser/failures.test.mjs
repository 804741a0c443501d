// Failures as the page sees them: each results in an error with its code within seconds, and no call hangs.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startDemo } from "./lib/demo.mjs";
import { watch } from "./lib/device.mjs";
import { closedPort, startWebServer, startWebSocket } from "./lib/fakes.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary, search, sweep } from "./lib/secrets.mjs";

const seconds = 1000;
const target = { service: "pubsub.localhost", node: "news" };

describe("failures", { skip: missing(), timeout: 240 * seconds }, () => {
  let demo, lab, browser, service, page;
  before(async () => {
    [demo, lab, browser] = await Promise.all([startDemo("mem"), startLab(), startChromium()]);
    service = socketOf(await demo.device("Laptop"));
    page = await (await browser.newContext()).newPage();
    await watch(page);
    await page.goto(lab.url);
  });
  after(async () => {
    await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
  });
  afterEach(async () => {
    assert.deepEqual(await sweep(page.context()), [], "secrets were found");
    await page.evaluate(async () => {
      await client.close();
      for (const { name } of await indexedDB.databases()) indexedDB.deleteDatabase(name);
      sessionStorage.clear();
    });
    page.problems.length = page.said.length = 0;
  });

  /** Makes a client with an empty store. All are in one page, because loading the program takes longer than most tests. */
  async function open(url = service, options = {}) {
    await makeClient(page, url, options);
    await page.evaluate(() => client.subscriptions.ready); // wait for the program, so that its loading is not measured
    return page;
  }
  /** Returns the outcome of an expression, which must settle within the time. */
  async function outcome(expression, limit = 5 * seconds) {
    const result = await page.evaluate(([expression, limit]) => Promise.race([
      outcome((0, eval)(`(async () => ${expression})()`)),
      new Promise((resolve) => setTimeout(resolve, limit, { code: "HANGS" })),
    ]), [expression, limit]);
    return result;
  }
  const phase = () => page.evaluate(() => client.sync.getSnapshot().phase);
  const live = (limit = 15 * seconds) => page.waitForFunction(() => client.sync.getSnapshot().phase === "live", undefined, { timeout: limit });

  /** Checks that the client works. */
  async function works() {
    assert.equal((await outcome("client.connect()", 15 * seconds)).value?.phase, "live");
    const { value, ...error } = await outcome(`client.subscribe(${JSON.stringify(target)})`);
    assert.deepEqual([value?.node, error.code], ["news", undefined]);
    await outcome(`client.unsubscribe(${JSON.stringify(target)})`);
    assert.deepEqual(await page.evaluate(() => rows()), []);
  }

  test("a wrong password: code auth, and with the right one the same client works", async () => {
    await open(service, { password: "wrong" });
    const e = await outcome("client.connect()");
    assert.deepEqual([e.code, e.origin, e.retryable, e.isPamError, await phase()], ["auth", "local-server", false, true, "failed"], e.message);
    assert.equal((await outcome(`client.subscribe(${JSON.stringify(target)})`)).code, "offline");
    await page.evaluate((password) => { globalThis.password = password; }, canary);
    await works();
  });

  test("no server at the port: code transport, and the client keeps trying", async () => {
    await open(await closedPort());
    const e = await outcome("client.connect()");
    assert.deepEqual([e.code, e.origin, e.retryable], ["transport", "network", true], e.message);
    assert.ok(["waiting", "connecting"].includes(await phase()), await phase());
    assert.equal((await outcome("client.disconnect()")).value, null);
    assert.equal(await phase(), "offline");
  });

  test("a server that was unreachable in the first attempt is reached later", async () => {
    await open(service, { reconnect: { baseMs: 200, jitter: "none" } });
    await demo.unplug("Laptop");
    assert.equal((await outcome("client.connect()")).code, "transport");
    await demo.plug("Laptop");
    await live();
    await works();
  });

  test("a web server without WebSocket: code transport", async () => {
    const web = await startWebServer();
    try {
      await open(web.url);
      const e = await outcome("client.connect()");
      assert.deepEqual([e.code, e.origin], ["transport", "network"], e.message);
    } finally {
      await web.stop();
    }
  });

  for (const [name, reply, codes] of [
    ["that echoes", (text) => text, ["protocol", "transport"]],
    ["that speaks no XML", () => "hello", ["protocol"]],
    ["that speaks other XML", () => "<hello xmlns='urn:example'/>", ["protocol"]],
    ["that speaks XMPP of TCP", () => "<stream:stream xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>", ["protocol"]],
    ["that ends the stream at once", () => "<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>", ["stream"]],
  ]) {
    test(`a WebSocket server ${name}: code ${codes.join(" or ")}`, async () => {
      const fake = await startWebSocket(reply);
      try {
        await open(fake.url);
        const e = await outcome("client.connect()");
        assert.ok(codes.includes(e.code), `${e.code}: ${e.message}`);
        assert.ok(e.isPamError && e.message.length > 20, e.message);
        assert.equal((await outcome("client.disconnect()")).value, null);
      } finally {
        await fake.stop();
      }
    });
  }

  test("a silent server: the caller's own limit and signal end the call", async () => {
    const fake = await startWebSocket(() => undefined);
    try {
      await open(fake.url);
      for (const [limit, code] of [["timeoutMs: 300", "timeout"], ["signal: AbortSignal.timeout(300)", "aborted"]]) {
        assert.equal((await outcome(`client.connect({ ${limit} })`)).code, code);
        assert.equal(await page.evaluate(() => client.sync.getSnapshot().phase), "authenticating");
        await page.evaluate(() => client.disconnect());
        assert.equal(await page.evaluate(() => client.sync.getSnapshot().phase), "offline");
      }
    } finally {
      await fake.stop();
    }
  });

  test("an aborted call does not affect the next one", async () => {
    await open();
    await page.evaluate((password) => { globalThis.password = new Promise((resolve) => setTimeout(resolve, 1000, password)); }, canary); // simulates a slow keyring
    assert.equal((await outcome("client.connect({ timeoutMs: 300 })")).code, "timeout");
    await works();
  });

  test("a message that is not XML ends the session, and the client reconnects", async () => {
    await open(service, { reconnect: { baseMs: 100 } });
    await works();
    for (const garbage of ["<message><unclosed>", "no XML at all", "<a/><b/>"]) {
      await page.evaluate(() => {
        globalThis.seen = [];
        globalThis.unsee?.();
        globalThis.unsee = client.on("sync", ({ phase, error }) => seen.push([phase, error?.code]));
      });
      assert.equal((await demo.post("send", { device: "Laptop" }, garbage)).sent, 1);
      await page.waitForFunction(() => seen.some(([, code]) => code) && seen.at(-1)[0] === "live", undefined, { timeout: 15 * seconds });
      const seen = await page.evaluate(() => globalThis.seen);
      assert.deepEqual(seen.find(([, code]) => code), ["waiting", "protocol"], JSON.stringify(seen));
    }
    await works();
  });

  test("createClient throws for invalid options", async () => {
    await open();
    const thrown = await page.evaluate(async () => {
      const { createClient } = await import("/pkg/index.js");
      const good = { account: "alice@localhost", credentials: { password: "x" }, service: "ws://localhost:1/" };
      const wrong = {
        "full JID": { account: "alice@localhost/phone" }, "no JID": { account: "@" }, "no account": { account: undefined },
        "no credentials": { credentials: undefined }, "empty service": { service: "" }, "http service": { service: "http://localhost/" },
        "unknown option": { acount: "alice@localhost" }, "unknown storage": { storage: "disk" },
      };
      return Object.fromEntries(Object.entries(wrong).map(([name, part]) => {
        try {
          createClient({ ...good, ...part });
          return [name, "nothing"];
        } catch (e) {
          return [name, `${e.name} ${e.code}`];
        }
      }));
    });
    assert.deepEqual(thrown, {
      "full JID": "PamError bad-jid", "no JID": "PamError bad-jid", "no account": "PamError bad-options",
      "no credentials": "PamError bad-options", "empty service": "PamError bad-options", "http service": "PamError bad-options",
      "unknown option": "PamError bad-options", "unknown storage": "PamError bad-options",
    });
    await works();
    for (const bad of [{ service: "", node: "x" }, { service: "a b@", node: "x" }, { service: "pubsub.localhost" }, null]) {
      const { code } = await outcome(`client.subscribe(${JSON.stringify(bad)})`);
      assert.ok(["bad-options", "bad-jid"].includes(code), `${JSON.stringify(bad)}: ${code}`);
    }
  });

  for (const [name, worker, reason] of [["without IndexedDB", "no-indexeddb.js", /no indexedDB/], ["that refuses IndexedDB", "refused-indexeddb.js", /SecurityError/]]) {
    test(`a browser ${name}: the list is in memory, as \`sync\` shows`, async () => {
      await open(service, { worker });
      await works();
      const [{ why, ...storage }, events] = await page.evaluate(() => [client.sync.getSnapshot().storage, globalThis.events]);
      assert.deepEqual([storage, events], [{ kind: "memory", persistent: false, fellBackFrom: "indexeddb" }, [["warning", "storage"]]]);
      assert.match(why, reason);
      assert.deepEqual(await page.evaluate(async () => (await indexedDB.databases()).length), 0);
    });
  }

  test("in the page's own thread", async () => {
    await open(service, { runtime: { where: "main" } });
    await works();
    assert.deepEqual(await page.evaluate(() => [client.runtime.getSnapshot().where, client.sync.getSnapshot().storage.kind]), ["main", "indexeddb"]);
    assert.deepEqual(page.problems, []);
  });

  test("no log contains a password sent with PLAIN", async () => {
    await open(service, { mechanisms: ["PLAIN"] });
    await works();
    const logs = await page.evaluate(async () => JSON.stringify([client.inspector.getSnapshot(), await client.inspector.export("xml").text()]));
    assert.match(logs, /mechanism=.{1,2}PLAIN/);
    assert.deepEqual(search(logs + page.said.join("\n")), []);
  });

  test("when the program crashes, pending calls are rejected, the page gets the event, and connect() starts a new one", async () => {
    await open(service, { worker: "crashing.js" });
    await works();
    await outcome(`client.subscribe(${JSON.stringify(target)})`);
    await demo.post("hold", { device: "Laptop", contains: "<iq" });
    const pending = outcome(`client.unsubscribe(${JSON.stringify(target)})`, 15 * seconds);
    await page.waitForFunction(() => client.sync.getSnapshot().pendingWrites === 1);
    await page.evaluate(() => new Promise((resolve) => {
      const switches = new BroadcastChannel("crash");
      switches.onmessage = ({ data }) => data === "done" && resolve();
      switches.postMessage("crash");
    }));
    const later = await outcome("client.subscriptions.refresh()");
    const e = await pending;
    assert.deepEqual([e.code, e.origin, e.isPamError], ["crashed", "runtime", true], e.message);
    assert.match(later.code, /^(crashed|offline)$/); // the page may have been notified already
    assert.deepEqual(await page.evaluate(() => [client.runtime.getSnapshot().phase, events]), ["crashed", [["crash", "crashed"]]]);
    assert.deepEqual([await phase(), (await outcome(`client.subscribe(${JSON.stringify(target)})`)).code], ["failed", "offline"]);
    await demo.post("release");
    await works();
    assert.equal(await page.evaluate(() => client.runtime.getSnapshot().phase), "running");
  });

  test("a closed client rejects calls with code closed", async () => {
    await open();
    await works();
    await page.evaluate(() => client.close());
    for (const call of ["connect()", `subscribe(${JSON.stringify(target)})`, "subscriptions.refresh()", "disconnect()"]) {
      assert.equal((await outcome(`client.${call}`)).code, "closed", call);
    }
  });
});
