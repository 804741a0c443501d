// What docs says about plain HTML, working offline and hot reload, in Chromium, as printed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { readRecipe } from "../recipes.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { missing } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { logIn, makeSite, problemsOf, serveFolder, serverArguments, shows } from "./lib/site.mjs";
import { startServer } from "./page.mjs";

describe("documented pages", { skip: missing(), timeout: 120_000 }, () => {
  let browser;
  before(async () => { browser = await startChromium(); });
  after(() => browser?.close());

  /** Starts the server with the files of a site. */
  async function serve(t, change) {
    const site = makeSite(change);
    const server = await startServer("-addr", "localhost:0", ...serverArguments.split(" "), "-dir", site.folder);
    t.after(async () => {
      await server.stop();
      site.remove();
    });
    return { ...server, page: server.url.replace("ws:", "http:").replace("/xmpp-websocket", "/") };
  }

  test("the page of plain-html.md subscribes, shows what is published, unsubscribes, and shows an error", async (t) => {
    const server = await serve(t);
    const context = await browser.newContext();
    const page = await context.newPage();
    const problems = problemsOf(page);
    await page.goto(server.page);
    await page.click("#follow");
    await page.waitForFunction(() => /not connected/i.test(document.getElementById("problem").textContent));
    await logIn(page);
    await page.click("#follow");
    await shows(page, "list", "news: subscribed Unsubscribe");
    server.write("publish news It rains");
    await shows(page, "events", "It rains");
    await page.reload();
    await shows(page, "list", "news: subscribed Unsubscribe"); // stored
    await logIn(page);
    await page.click("#list button");
    await shows(page, "list", "");
    await shows(page, "problem", "");
    assert.deepEqual(problems, []);
    await context.close();
  });

  test("the page of logging-in.md asks again after a wrong password, asks one tab only, and logs out all", async (t) => {
    const server = await serve(t, (files) => {
      for (const [name, text] of readRecipe("logging-in")) files.set(name, text);
    });
    const context = await browser.newContext();
    const open = async () => {
      const page = await context.newPage();
      await page.goto(server.page);
      return { page, problems: problemsOf(page), form: (visible) => page.locator("form").waitFor({ state: visible ? "visible" : "hidden" }) };
    };
    const enter = async ({ page, form }, password) => {
      await form(true);
      await page.fill("[name=password]", password);
      await page.click("form button");
    };
    const first = await open();
    await enter(first, "wrong");
    await shows(first.page, "problem", "The server refused the password.");
    await enter(first, "secret");
    await shows(first.page, "state", "live");
    const second = await open();
    await shows(second.page, "state", "live");
    await Promise.all([first.form(false), second.form(false)]);
    await second.page.click("#log-out");
    await Promise.all([first, second].map(({ page }) => shows(page, "state", "offline")));
    assert.deepEqual(await first.page.evaluate(() => indexedDB.databases()), []);
    await second.page.close();
    await first.page.click("#log-in");
    await first.form(true);
    assert.equal(await first.page.textContent("#problem"), "");
    await first.page.click("#log-out");
    await first.form(false);
    assert.deepEqual([first.problems, second.problems], [[], []]);
    await context.close();
  });

  test("with token.js of logging-in.md, each authentication gets a new token, and a refusal of the backend is shown", async (t) => {
    const server = await serve(t, (files) => {
      const token = readRecipe("logging-in").get("token.js").replace("alice@example.org", "alice@localhost")
        .replace("mechanisms:", `service: \`\${location.protocol.replace("http", "ws")}//\${location.host}/xmpp-websocket\`,\n  mechanisms:`);
      files.set("app.js", `${token}globalThis.client = client;\n`);
    });
    const context = await browser.newContext();
    const page = await context.newPage();
    let requests = 0;
    let answer = { status: 503 };
    await page.route("**/xmpp-token", (route) => {
      requests++;
      return route.fulfill(answer);
    });
    await page.goto(server.page);
    const connect = () => page.evaluate(() => client.connect().then(() => client.sync.getSnapshot().phase, ({ code, message }) => `${code}: ${message}`));
    assert.match(await connect(), /^aborted: .*\/xmpp-token answered 503/);
    assert.equal(await page.evaluate(() => client.sync.getSnapshot().phase), "failed");
    answer = { body: "secret" };
    assert.equal(await connect(), "live");
    await page.evaluate(() => client.disconnect());
    assert.equal(await connect(), "live");
    assert.equal(requests, 3);
    await context.close();
  });

  test("with the service worker of offline.md, page and program load without a server, also under a Content-Security-Policy", async (t) => {
    const [, policy] = /^Content-Security-Policy: (.+)$/m.exec(readFileSync(new URL("../../docs/csp.md", import.meta.url), "utf8"));
    const server = await startServer("-addr", "localhost:0", ...serverArguments.split(" "));
    const site = makeSite((files) => {
      for (const [name, text] of readRecipe("offline", ["sh", "html"])) files.set(name, text);
      const [, element] = /^```html\n(.+)\n```$/m.exec(readFileSync(new URL("../../docs/offline.md", import.meta.url), "utf8"));
      files.set("index.html", files.get("index.html").replace(/<script type="importmap">.*\n|<link rel="icon".*\n/g, "").replace("</html>", `${element}\n</html>`));
      files.set("app.js", files.get("app.js").replace('"xmpp-pam"', '"./xmpp-pam/index.js"').replace(/service: .*/, `service: "${server.url}",`));
    });
    const header = { "content-security-policy": `${policy.replace("wss://example.org", new URL(server.url).origin)}; report-uri /report` };
    const web = await serveFolder(site.folder, () => header);
    t.after(site.remove);
    const context = await browser.newContext();
    const page = await context.newPage();
    const problems = problemsOf(page);
    await page.goto(web.url);
    await logIn(page);
    await page.click("#follow");
    await shows(page, "list", "news: subscribed Unsubscribe");
    await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
    await page.goto("about:blank");
    assert.deepEqual([problems, web.reports], [[], []]);

    await Promise.all([web.stop(), server.stop()]);
    const devtools = await browser.newBrowserCDPSession();
    const { targetInfos } = await devtools.send("Target.getTargets"); // else the program is still there
    for (const { targetId } of targetInfos.filter(({ type }) => type === "shared_worker")) await devtools.send("Target.closeTarget", { targetId });
    await page.goto(web.url);
    await shows(page, "list", "news: subscribed Unsubscribe");
    await page.fill("[name=password]", "secret");
    await page.click("form button");
    await page.waitForFunction(() => /^waiting: .*cannot be reached/.test(document.getElementById("state").textContent), null, { timeout: 20_000 });
    await context.close();
  });

  for (const [file, given, disposes, replacements] of [
    ["client.js", { tabs: "shared" }, true, 20], ["client.js", { tabs: "independent" }, true, 20], ["kept.js", { tabs: "independent" }, true, 20],
    ["client.js", { tabs: "shared" }, false, 3], ["client.js", { tabs: "independent" }, false, 3],
  ]) {
    const named = `${replacements} replacements of ${file} of hot-reload.md, ${given.tabs}`;
    test(disposes ? `${named}, leave one program and one connection` : `${named}, without dispose, leave what the page says`, async (t) => {
      const server = await startServer("-addr", "localhost:0", ...serverArguments.split(" "));
      const proxy = await startProxy(server.url);
      const site = makeSite((files) => {
        for (const [name, text] of readRecipe("hot-reload")) {
          files.set(name, text.replaceAll("import.meta.hot", "globalThis.hot").replace(/service: .*/, `service: "${proxy.url}", ...given,`));
        }
        files.set("app.js", "");
      });
      const web = await serveFolder(site.folder, () => ({}));
      const context = await browser.newContext();
      t.after(async () => {
        await context.close();
        await Promise.all([proxy.stop(), server.stop(), web.stop()]);
        site.remove();
      });
      const page = await context.newPage();
      const problems = problemsOf(page);
      const lines = [];
      page.on("console", (m) => lines.push(m.text()));
      await page.goto(web.url);
      await page.evaluate(([file, given, disposes]) => {
        const disposers = [];
        Object.assign(globalThis, {
          given, clients: new Set(), hot: { data: {}, dispose: (fn) => disposers.push(fn) },
          async replace(i) {
            if (disposes) for (const dispose of disposers.splice(0)) dispose();
            clients.add(globalThis.client = (await import(`/${file}?${i}`)).client);
            if (file === "kept.js") await import(`/listeners.js?${i}`);
          },
        });
      }, [file, given, disposes]);
      for (let i = 0; i <= replacements; i++) {
        await page.evaluate((i) => replace(i), i);
        await new Promise((resolve) => setTimeout(resolve, i * 37 % 100)); // in each state of the client
      }
      const separate = given.tabs === "independent" && !disposes ? replacements + 1 : 1;
      await page.waitForFunction(() => client.sync.getSnapshot().phase === "live", null, { timeout: 20_000 });
      const devtools = await browser.newBrowserCDPSession();
      const left = async () => {
        const { targetInfos } = await devtools.send("Target.getTargets");
        const workers = page.workers().length + targetInfos.filter(({ type, url }) => type === "shared_worker" && url.startsWith(web.url)).length;
        return { workers, connections: proxy.links.size, tabs: await page.evaluate(() => client.tabs.getSnapshot().tabs) };
      };
      const want = { workers: separate, connections: separate, tabs: given.tabs === "shared" && !disposes ? replacements + 1 : 1 };
      for (const end = Date.now() + 10_000; Date.now() < end && JSON.stringify(await left()) !== JSON.stringify(want);) await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, 200));
      assert.deepEqual(await left(), want);
      assert.equal(await page.evaluate(() => clients.size), file === "kept.js" ? 1 : replacements + 1);
      if (file === "kept.js") {
        const calls = await page.evaluate(async () => {
          let calls = 0;
          client.subscriptions.subscribe((list) => { calls += list.length; });
          await client.subscribe({ service: "pubsub.localhost", node: "news" });
          return calls;
        });
        assert.ok(calls > 0);
        assert.equal(lines.filter((line) => line === "1 subscriptions").length, calls, "a listener of an old module is left");
      }
      assert.deepEqual(problems, []);
    });
  }
});
