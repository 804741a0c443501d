// Tests the complete path in Chromium: package, worker, program, socket, server, IndexedDB.

import assert from "node:assert/strict";
import { createServer } from "node:net";
import { after, before, test } from "node:test";
import { startProxy } from "./lib/proxy.mjs";
import { canary } from "./lib/secrets.mjs";
import { startChromium, startOrigin, startServer } from "./page.mjs";

let server, origin, browser;
before(async () => {
  [server, origin, browser] = await Promise.all([startServer("-account", `alice:${canary}`, "-node", "news", "-node", "weather"), startOrigin(), startChromium()]);
});
after(async () => {
  await browser?.close();
  await Promise.all([server?.stop(), origin?.stop()]);
});

/** Opens a page with separate storage, in which `client` is a client of alice. */
async function device(options = {}, query = "", context = undefined) {
  const page = await (context ?? await browser.newContext()).newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("console", (m) => m.type() === "error" && page.problems.push(m.text()));
  await page.goto(origin.url + query);
  await page.evaluate(async ([service, options, password]) => {
    const { createClient } = await import("/pkg/index.js");
    globalThis.client = createClient({ account: "alice@localhost", credentials: { password }, service, inspector: true, ...options });
    globalThis.nodes = () => client.subscriptions.getSnapshot().map((r) => `${r.node}:${r.state}`).sort().join();
    globalThis.failure = (p) => p.then(() => "no failure", (e) => ({ code: e.code, origin: e.origin, condition: e.condition, message: e.message }));
  }, [server.url, options, canary]);
  return page;
}
const until = (page, want) => page.waitForFunction((want) => nodes() === want, want, { timeout: 10_000 });
const clean = (page) => assert.deepEqual(page.problems, []);

for (const where of ["worker", "main"]) {
  test(`connect, subscribe, another device sees it, unsubscribe (${where})`, async () => {
    const [laptop, phone] = await Promise.all([device({ runtime: { where } }), device({ runtime: { where } })]);
    for (const page of [laptop, phone]) {
      const state = await page.evaluate(async () => {
        const { phase, storage } = await client.connect({ timeoutMs: 20_000 });
        return { phase, storage, where: client.runtime.getSnapshot().where };
      });
      assert.deepEqual(state, { phase: "live", storage: { kind: "indexeddb", persistent: true }, where });
    }
    await phone.evaluate(() => { globalThis.heard = client.once("subscriptions").then((d) => [d.origin, d.added.map((r) => r.node)]); });
    const row = await laptop.evaluate(async () => {
      const row = await client.subscribe({ service: "pubsub.localhost", node: "news" });
      return { ...row, listed: client.subscriptions.get(row) === row };
    });
    assert.deepEqual([row.node, row.state, row.jid, row.kind, row.listed], ["news", "subscribed", "alice@localhost", "pubsub", true]);
    assert.deepEqual(await phone.evaluate(() => heard), ["other-device", ["news"]]);
    await until(phone, "news:subscribed");
    await phone.evaluate(() => client.unsubscribe({ service: "pubsub.localhost", node: "news" }));
    await until(phone, "");
    await until(laptop, "");
    for (const page of [laptop, phone]) {
      await page.evaluate(() => client.close());
      clean(page);
      await page.context().close();
    }
  });
}

for (const options of [{}, { tabs: "independent" }]) {
  test(`the page sees how much of the program has arrived: ${JSON.stringify(options)}`, async () => {
    const page = await device(options);
    const seen = await page.evaluate(async () => {
      const states = [];
      client.runtime.subscribe((state) => states.push(state));
      await client.connect();
      return states;
    });
    const loading = seen.filter(({ loaded }) => loaded !== undefined);
    assert.ok(loading.length > 0 && loading.length <= 20 && loading.every(({ phase }) => phase === "loading"), JSON.stringify(seen));
    assert.equal(loading.at(-1).loaded, loading.at(-1).total);
    assert.deepEqual(Object.keys(seen.at(-1)), ["phase", "where", "info"]);
    clean(page);
    await page.context().close();
  });
}

test("after a reload the list is shown without a server", async () => {
  const context = await browser.newContext();
  const first = await device({}, "", context);
  await first.evaluate(async () => {
    await client.connect();
    await client.subscribe({ service: "pubsub.localhost", node: "weather" });
    await client.close();
  });
  await first.close();
  const again = await device({ service: "ws://127.0.0.1:1/" }, "", context);
  const stored = await again.evaluate(async () => {
    const list = await client.subscriptions.ready;
    const before = [nodes(), list.source, typeof list.ver];
    await new Promise((resolve) => client.sync.subscribe(({ phase }) => phase === "offline" && resolve())); // wait until the program runs
    return [...before, client.subscriptions.getSnapshot() === list];
  });
  assert.deepEqual(stored, ["weather:subscribed", "cache", "string", true]);
  clean(again);
  await context.close();
});

test("the client reconnects after a lost connection", async (t) => {
  const proxy = await startProxy(server.url);
  t.after(() => proxy.stop());
  const page = await device({ service: proxy.url.replace("localhost", "127.0.0.1"), reconnect: { baseMs: 10, jitter: "none" } });
  await page.evaluate(async () => {
    await client.connect();
    globalThis.phases = [];
    client.on("sync", ({ phase }) => phases.push(phase));
  });
  proxy.cut();
  await page.waitForFunction(() => phases.includes("waiting") && phases.at(-1) === "live", null, { timeout: 10_000 });
  await page.context().close();
});

test("after connect() has timed out the client keeps connecting, and disconnect() leaves no socket open", async (t) => {
  const sockets = new Set();
  const silent = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket)).on("error", () => undefined).resume();
  });
  await new Promise((resolve) => silent.listen(0, "127.0.0.1", resolve));
  t.after(() => {
    silent.close();
    for (const socket of sockets) socket.destroy();
  });
  const page = await device({ service: `ws://127.0.0.1:${silent.address().port}/` });
  const [timeout, aborted] = await page.evaluate(async () => {
    const controller = new AbortController();
    const timeout = await failure(client.connect({ timeoutMs: 300 }));
    setTimeout(() => controller.abort(), 300);
    return [timeout, await failure(client.connect({ signal: controller.signal }))];
  });
  assert.deepEqual([timeout.code, aborted.code], ["timeout", "aborted"]);
  await page.waitForFunction(() => client.sync.getSnapshot().phase === "connecting");
  await page.evaluate(() => client.disconnect());
  await page.waitForFunction(() => client.sync.getSnapshot().phase === "offline");
  await page.evaluate(() => client.close());
  for (let i = 0; sockets.size > 0 && i < 100; i++) await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(sockets.size, 0);
  await page.context().close();
});

test("connect, disconnect, connect in one turn, as React's StrictMode calls them, ends live", async () => {
  const page = await device();
  const outcomes = await page.evaluate(async () => {
    const calls = [failure(client.connect()), client.disconnect().then(() => "ok"), client.connect()];
    const [first, second, third] = await Promise.all(calls);
    return [first.code, second, third.phase, client.sync.getSnapshot().phase];
  });
  assert.deepEqual(outcomes, ["aborted", "ok", "live", "live"]);
  await page.context().close();
});

test("a program with one changed bit is not started", async () => {
  const page = await device();
  const error = await page.evaluate(async () => {
    const { createClient } = await import("/pkg/index.js");
    const bytes = new Uint8Array(await (await fetch("/pkg/pam.wasm")).arrayBuffer());
    bytes[bytes.length - 1] ^= 1;
    const wasm = new Response(bytes, { headers: { "content-type": "application/wasm" } });
    const client = createClient({ account: "alice@localhost", credentials: { password: "secret" }, storage: "memory", runtime: { wasm } });
    return failure(client.connect());
  });
  assert.equal(error.code, "wasm-version");
  await page.context().close();
});

test("a credentials function that fails has another error than one that returns a wrong value", async () => {
  const page = await device();
  const failures = await page.evaluate(async (service) => {
    const { createClient } = await import("/pkg/index.js");
    const out = [];
    for (const credentials of [() => { throw new Error("no keyring"); }, async () => "secret", () => ({})]) {
      const client = createClient({ account: "alice@localhost", credentials, service, storage: "memory" });
      out.push(await failure(client.connect({ timeoutMs: 10_000 })));
      await client.close();
    }
    return out;
  }, server.url);
  assert.deepEqual(failures.map((e) => [e.code, e.origin]), [["aborted", "client"], ["bad-options", "client"], ["bad-options", "client"]]);
  assert.match(failures[0].message, /no keyring/);
  for (const e of failures.slice(1)) assert.match(e.message, /options\.credentials/);
  await page.context().close();
});

test("an error shows who refused the request, and why", async () => {
  const page = await device({ credentials: { password: "wrong" } });
  const auth = await page.evaluate(() => failure(client.connect()));
  assert.equal(auth.code, "auth", auth.message);
  await page.evaluate(async ([service, password]) => {
    const { createClient } = await import("/pkg/index.js");
    globalThis.client = createClient({ account: "alice@localhost", credentials: () => ({ password }), service });
    await client.connect();
  }, [server.url, canary]);
  const missing = await page.evaluate(() => failure(client.subscribe({ service: "pubsub.localhost", node: "nowhere" })));
  assert.deepEqual([missing.code, missing.condition], ["stanza", "item-not-found"], missing.message);
  await page.context().close();
});

test("the inspector shows requests and replies, and no password", async () => {
  const page = await device();
  const frames = await page.evaluate(async () => {
    await client.connect();
    await client.subscriptions.refresh();
    return [...client.inspector.getSnapshot()];
  });
  const list = frames.filter((f) => f.layer === "pam" && f.kind === "iq");
  assert.ok(list.length >= 2);
  const reply = list.find((f) => f.dir === "in" && f.replyTo);
  assert.equal(frames.find((f) => f.seq === reply.replyTo).id, reply.id);
  assert.ok(reply.rttMs >= 0);
  assert.deepEqual(frames.map((f) => f.seq), frames.map((_, i) => i + 1));
  assert.ok(frames.some((f) => f.kind === "sasl") && !frames.some((f) => f.xml.includes(canary)));
  await page.context().close();
});

test("a connection that a Content-Security-Policy forbids fails at once, and the error says so", async () => {
  const csp = encodeURIComponent("default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self'");
  for (const runtime of [{ where: "main" }, { where: "worker", worker: `/pkg/worker.js?csp=${csp}` }]) {
    const page = await device({ runtime }, `?csp=${csp}`);
    const e = await page.evaluate(async () => {
      await client.subscriptions.ready;
      const start = performance.now();
      return { ...await failure(client.connect({ timeoutMs: 20_000 })), ms: performance.now() - start };
    });
    assert.equal(e.code, "transport", e.message);
    assert.match(e.message, /blocked.*connect-src.*Content-Security-Policy.*mixed content/);
    assert.ok(e.ms < 3000, `${e.ms} ms`);
    await page.context().close();
  }
});
