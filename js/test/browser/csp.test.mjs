// The policies of docs/csp.md in Chromium: what they allow, and what happens without each of their parts.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { missing } from "./lib/need.mjs";
import { makeSite, serveFolder, serverArguments } from "./lib/site.mjs";
import { startServer } from "./page.mjs";

const document = readFileSync(new URL("../../docs/csp.md", import.meta.url), "utf8");
const [[, both], [, trusted]] = [...document.matchAll(/^```http\n(?:Content-Security-Policy: )?(.+)\n```$/gm)];
const rows = document.split("\n").filter((line) => line.startsWith("| ")).map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
const plain = (cell) => cell.replaceAll("`", "");
const ways = { shared: { tabs: "shared" }, independent: { tabs: "independent" }, main: { tabs: "independent", runtime: { where: "main" } } };
const places = { shared: "shared-worker", independent: "worker", main: "main" };

describe("Content-Security-Policy", { skip: missing(), timeout: 120_000 }, () => {
  let browser, server, site, hash;
  before(async () => {
    site = makeSite((files) => {
      const begin = "Object.assign(globalThis, { client, warnings: [] });\nclient.on('warning', (e) => warnings.push(e.code));\n";
      files.set("app.js", files.get("app.js").replace(/^const client = .*?^}\);$/ms, `const client = createClient(given);\n${begin}`));
      const [, map] = /<script type="importmap">(.*)<\/script>/.exec(files.get("index.html"));
      hash = `'sha256-${createHash("sha256").update(map).digest("base64")}'`;
    });
    [browser, server] = await Promise.all([startChromium(), startServer("-addr", "localhost:0", ...serverArguments.split(" "))]);
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
    site?.remove();
  });

  /** Opens the page under policies, and connects. The page itself needs its import map and its icon. */
  async function connect(t, way, page, worker) {
    const origin = server.url.replace("/xmpp-websocket", "");
    const header = (policy) => policy && { "content-security-policy": `${policy.replaceAll("wss://example.org", origin)}; report-uri /report` };
    const policies = { "/index.html": header(`${page.replace("script-src", `script-src ${hash}`)}; img-src data:`), "/xmpp-pam/worker.js": header(worker) };
    const web = await serveFolder(site.folder, (path) => policies[path]);
    const context = await browser.newContext();
    t.after(() => Promise.all([context.close(), web.stop()]));
    const tab = await context.newPage();
    await tab.addInitScript((given) => { globalThis.given = given; }, { ...ways[way], account: "alice@localhost", service: server.url, credentials: { password: "secret" } });
    await tab.goto(web.url);
    await tab.waitForFunction(() => globalThis.client, null, { timeout: 10_000 });
    const outcome = await tab.evaluate(async () => {
      const end = await client.connect({ timeoutMs: 10_000 }).then(({ phase }) => phase, (e) => e.code);
      return { end, where: client.runtime.getSnapshot().where, warnings };
    });
    if (web.reports.length === 0) await new Promise((resolve) => setTimeout(resolve, 100)); // one may still be under way
    return { ...outcome, reports: web.reports.map((r) => r["effective-directive"]) };
  }
  const live = (way) => ({ end: "live", where: places[way], warnings: [], reports: [] });

  test("the policy for page and worker.js allows every way to run the program, without a report", async (t) => {
    await Promise.all(Object.keys(ways).map(async (way) => assert.deepEqual(await connect(t, way, both, both), live(way), way)));
  });

  test("the smallest policy for each way suffices", async (t) => {
    const smallest = rows.filter(([name]) => /^(shared|one in|in the page)/.test(name));
    assert.equal(smallest.length, 3);
    await Promise.all(smallest.map(async ([, page, worker], i) => {
      const way = Object.keys(ways)[i];
      const none = (cell) => `default-src 'none'; ${plain(cell)}`;
      assert.deepEqual(await connect(t, way, none(page), worker && none(worker)), live(way), way);
    }));
  });

  test("without a part of the policy, the documented error or warning is reported", async (t) => {
    const start = rows.findIndex(([name]) => name === "Missing");
    const cases = rows.slice(start + 1).filter((cells) => cells.length === 3);
    assert.equal(cases.length, 7);
    for (const [what, ...effects] of cases) {
      const [, source, directive, files] = /^(.+?)(?: in `([a-z-]+)`)?(?: with (.+))?$/.exec(what);
      const from = source === "the server" ? " wss://example.org" : ` ${plain(source)}`;
      const strip = (yes) => (yes ? both.split("; ").map((d) => (d.startsWith(directive ?? "script-src") ? d.replace(from, "") : d)).join("; ") : both);
      const [page, worker] = [/page|both/.test(files ?? "page"), /worker\.js|both/.test(files ?? "")].map(strip);
      await Promise.all(effects.map(async (effect, i) => {
        const way = Object.keys(ways)[i];
        if (effect === "no effect") { // the smallest policies lack it too
          const cells = rows.find(([name]) => name.startsWith(way === "shared" ? "shared" : "one in")).slice(1);
          const file = cells[/page/.test(files) ? 0 : 1].split("; ").filter((d) => d.includes(directive ?? "script-src"));
          assert.ok(!file.join().includes(plain(source)), what);
          return;
        }
        const { end, warnings, where } = await connect(t, way, page.replace(/worker-src(?=;|$)/, "worker-src 'none'"), worker);
        const [, kind, code] = /^(error|warning) `([a-z-]+)`/.exec(effect);
        const name = `${what}, ${way}`;
        if (kind === "error") assert.equal(end, code, name);
        else assert.deepEqual([warnings, where], [[code], "worker"], name);
      }));
    }
  });

  test("with Trusted Types the page needs the policy xmpp-pam", async (t) => {
    await Promise.all(["shared", "independent"].map(async (way) => {
      assert.deepEqual(await connect(t, way, `${both}; ${trusted}`, both), live(way), way);
      const needsNone = `${both}; ${trusted.replace(/^.*; /, "").replace("xmpp-pam", "another")}`;
      assert.deepEqual((await connect(t, way, needsNone, both)).end, live(way).end, way);
    }));
    const { end } = await connect(t, "independent", `${both}; ${trusted.replace("xmpp-pam", "another")}`, both);
    assert.equal(end, "wasm-load");
  });
});
