// The pages of docs that need no tool, in Chromium, as printed.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { missing } from "./lib/need.mjs";
import { logIn, makeSite, problemsOf, serverArguments, shows } from "./lib/site.mjs";
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
    await page.waitForFunction(() => /^Not connected/.test(document.getElementById("problem").textContent));
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
});
