// The pages of docs that need no tool, in Chromium, as printed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { readRecipe } from "../recipes.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { missing } from "./lib/need.mjs";
import { logIn, makeSite, problemsOf, serveFolder, serverArguments, shows } from "./lib/site.mjs";
import { startServer } from "./page.mjs";

describe("pages without a tool", { skip: missing(), timeout: 120_000 }, () => {
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
});
