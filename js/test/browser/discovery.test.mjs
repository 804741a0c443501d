// A client without the option `service` finds the endpoint in the domain's host metadata (XEP-0156).

import assert from "node:assert/strict";
import { createServer } from "node:http";
import { after, afterEach, before, describe, test } from "node:test";
import { chromium } from "playwright-core";
import { startDemo } from "./lib/demo.mjs";
import { watch } from "./lib/device.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { chromiumPath, missing } from "./lib/need.mjs";

const seconds = 1000;

describe("discovery", { skip: missing(), timeout: 120 * seconds }, () => {
  let demo, lab, web, browser, service, phone, page;
  let answer; // the answer of the web server of localhost
  let asked = [];
  before(async () => {
    web = createServer((req, res) => {
      asked.push(req.url);
      answer(req, res);
    });
    await new Promise((resolve) => web.listen(0, "127.0.0.1", resolve));
    // The client requests the metadata at port 80, which the test cannot use.
    const args = ["--no-sandbox", "--disable-gpu", `--host-resolver-rules=MAP localhost:80 127.0.0.1:${web.address().port}`];
    [demo, lab, browser] = await Promise.all([startDemo("mem"), startLab(), chromium.launch({ executablePath: chromiumPath, args })]);
    [service, phone] = [socketOf(await demo.device("Laptop")), socketOf(await demo.device("Phone"))];
    page = await (await browser.newContext()).newPage();
    await watch(page);
    await page.goto(lab.url);
  });
  after(async () => {
    await Promise.allSettled([browser?.close(), demo?.stop(), lab?.stop()]);
    web?.close();
    web?.closeAllConnections();
  });
  afterEach(async () => {
    await page.evaluate(() => client.close());
    asked = [];
  });

  const json = () => JSON.stringify({ links: [{ rel: "urn:xmpp:alt-connections:websocket", href: service }] });
  const xml = () => `<XRD xmlns='http://docs.oasis-open.org/ns/xri/xrd-1.0'><Link rel='urn:xmpp:alt-connections:websocket' href='${service}'/></XRD>`;
  const open = { "access-control-allow-origin": "*" };

  async function connect() {
    await makeClient(page, undefined, { reconnect: false });
    return page.evaluate(() => outcome(client.connect({ timeoutMs: 20_000 })));
  }

  test("the client finds the endpoint in host-meta.json, and follows a redirect", async () => {
    answer = (req, res) => res.writeHead(200, open).end(json());
    assert.equal((await connect()).value?.phase, "live");
    assert.deepEqual(asked, ["/.well-known/host-meta.json"]);
    await page.evaluate(() => client.close());

    await makeClient(page, undefined);
    assert.equal((await page.evaluate(() => outcome(client.connect()))).value?.phase, "live");
    await demo.post("send", { device: "Laptop" }, `<close xmlns='urn:ietf:params:xml:ns:xmpp-framing' see-other-uri='${phone}'/>`);
    await page.waitForFunction(() => client.sync.getSnapshot().attempt === 2 && client.sync.getSnapshot().phase === "live", undefined, { timeout: 15 * seconds });
    assert.equal((await demo.device("Phone")).sockets, 1);
  });

  test("host-meta alone is enough", async () => {
    answer = (req, res) => (req.url.endsWith(".json") ? res.writeHead(404, open).end() : res.writeHead(200, open).end(xml()));
    assert.equal((await connect()).value?.phase, "live");
  });

  for (const [name, reply, text, retryable] of [
    ["nothing is there", (req, res) => res.writeHead(404, open).end(), /answered with status 404/, false],
    ["the answer may not be read by this origin", (req, res) => res.writeHead(200).end(json()), /CORS/, true],
    ["a redirection", (req, res) => res.writeHead(302, { ...open, location: "/elsewhere" }).end(), /redirection/, true],
    ["a page instead", (req, res) => res.writeHead(200, open).end("<!doctype html>"), /no host metadata/, false],
  ]) {
    test(`${name}: code discovery`, async () => {
      answer = reply;
      const e = await connect();
      assert.deepEqual([e.code, e.origin, e.retryable], ["discovery", "network", retryable], e.message);
      assert.match(e.message, text);
      assert.ok(!asked.includes("/elsewhere"));
    });
  }
});
