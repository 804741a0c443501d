// Stanzas of any sender must not stop the page, fill its memory or suppress other messages, in Chromium.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { WebSocketServer } from "ws";
import { answers } from "../../bench/loopback.mjs";
import { stanzas } from "../../bench/stanzas.mjs";
import { startChromium, startOrigin } from "./page.mjs";

let origin, browser, server, socket;
before(async () => {
  [origin, browser] = await Promise.all([startOrigin(), startChromium()]);
  server = new WebSocketServer({ host: "127.0.0.1", port: 0, maxPayload: 1 << 26 });
  server.on("connection", (connection) => {
    const session = {};
    socket = connection;
    connection.on("message", (data) => { for (const answer of answers(String(data), session)) connection.send(answer); });
  });
  await new Promise((resolve) => server.once("listening", resolve));
});
after(async () => {
  await browser?.close();
  for (const connection of server?.clients ?? []) connection.terminate();
  await new Promise((resolve) => server.close(resolve));
  await origin?.stop();
});

async function open(where, listens) {
  const page = await (await browser.newContext()).newPage();
  page.problems = [];
  page.on("pageerror", (e) => page.problems.push(String(e)));
  page.on("console", (m) => m.type() === "error" && page.problems.push(m.text()));
  await page.goto(origin.url);
  await page.evaluate(async ([service, where, listens]) => {
    const { createClient } = await import("/pkg/index.js");
    globalThis.client = createClient({ account: "alice@localhost", credentials: { password: "x" }, service, storage: "memory", inspector: true, runtime: { where } });
    globalThis.heard = [];
    globalThis.warnings = [];
    if (listens) client.on("message", (m) => heard.push(m));
    client.on("warning", (e) => warnings.push(e.message));
    await client.connect({ timeoutMs: 20_000 });
  }, [`ws://127.0.0.1:${server.address().port}/`, where, listens]);
  return page;
}

const friend = (id) => `<message xmlns='jabber:client' from='bob@localhost' id='${id}'><body>hello</body></message>`;
const eve = (inside, more = "") => `<message xmlns='jabber:client' from='eve@evil.example'${more}>${inside}</message>`;
const long = "x".repeat(64_000);
const attacks = {
  "elements in a long namespace": eve("<p:a/>".repeat(10_666), ` xmlns:p='${long}'`),
  "attributes in a long namespace": eve("<a p:b=''/>".repeat(5818), ` xmlns:p='${long}'`),
  "a default namespace that comes and goes": eve("<p:a><b/></p:a>".repeat(4200), ` xmlns:p='${long}'`),
  "250 KB in a namespace of 1 KB": eve("<p:a/>".repeat(41_000), ` xmlns:p='${"x".repeat(1000)}'`),
  "quotes, which JSON writes longer": eve(`"\\\n`.repeat(80_000)),
  ...Object.fromEntries(Object.entries(stanzas).filter(([name]) => name !== "forged notifies").map(([name, make]) => [name, make(130_000)])),
};

for (const where of ["worker", "main"]) {
  test(`every message arrives as sent, is readable, and suppresses no other (${where})`, { timeout: 120_000 }, async () => {
    const page = await open(where, true);
    let n = 0;
    const sent = [];
    for (const text of [...Object.values(attacks), eve("<xml:a/>"), eve(`<b>${"y".repeat(5 << 20)}</b>`)]) {
      sent.push(friend(n++), friend(n++), text, friend(n++)); // in one turn
      for (const message of sent.slice(-4)) socket.send(message);
      if (n % 15 === 0) await page.waitForFunction((n) => heard.length >= n, sent.length);
    }
    await page.waitForFunction((n) => heard.length >= n, sent.length, { timeout: 60_000 });
    const got = await page.evaluate(() => heard.map(({ from, xml, omitted }) => {
      const root = xml === null ? undefined : new DOMParser().parseFromString(xml, "text/xml");
      return { from, xml, omitted, readable: root && root.getElementsByTagName("parsererror").length === 0 && root.documentElement.getAttribute("from") === from };
    }));
    const omitted = { [sent.length - 6]: "unreadable", [sent.length - 2]: "too-long" };
    assert.equal(got.length, sent.length);
    for (const [i, { from, xml, omitted: why, readable }] of got.entries()) {
      const what = `message ${i}: ${sent[i].slice(0, 150)}`;
      assert.equal(why, omitted[i], what);
      if (why) assert.equal(xml, null);
      else {
        assert.ok(xml === sent[i], `${what}\nbecame ${xml?.slice(0, 150)}`);
        assert.ok(readable, `${what}\ncannot be read`);
      }
      assert.equal(from, /from='([^']*)'/.exec(sent[i])[1]);
    }
    const { phase, warnings, kept } = await page.evaluate(() => ({
      phase: client.sync.getSnapshot().phase, warnings: globalThis.warnings, kept: client.inspector.getSnapshot().reduce((n, f) => n + f.xml.length, 0),
    }));
    assert.equal(phase, "live");
    assert.ok(warnings.length >= 1 && warnings.length <= 3, JSON.stringify(warnings));
    assert.ok(kept <= 4 << 20, `the inspector keeps ${kept} characters`);
    assert.deepEqual(page.problems, []);
    await page.evaluate(() => client.close());
    await page.context().close();
  });

  test(`without a listener the program posts no messages, and the client stays live (${where})`, { timeout: 60_000 }, async () => {
    const page = await open(where, false);
    for (const text of Object.values(attacks)) socket.send(text);
    socket.send(friend("marker"));
    await page.waitForFunction(() => client.inspector.getSnapshot().some((f) => f.xml.includes("marker")), undefined, { timeout: 40_000 });
    assert.equal(await page.evaluate(() => client.sync.getSnapshot().phase), "live");
    const next = page.evaluate(() => client.once("message").then((m) => m.xml));
    await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 100))); // until the program is notified
    socket.send(friend("last"));
    assert.equal(await next, friend("last"));
    assert.deepEqual(page.problems, []);
    await page.evaluate(() => client.close());
    await page.context().close();
  });
}
