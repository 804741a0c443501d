// Runs the first example of the README as printed: its command, except for the port, and its page.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { startChromium, startServer } from "./page.mjs";

const readme = readFileSync(new URL("../../../README.md", import.meta.url), "utf8");
const [, port, rest] = /go run \.\/sdk\/server\/mem\/memserver -addr localhost:(\d+) (.+)/.exec(readme);
const [, path] = new RegExp(`http://localhost:${port}(/\\S+\\.html)`).exec(readme);
const [published, title] = /^ +(publish news (.+))$/m.exec(readme).slice(1);

let server, browser;
before(async () => {
  [server, browser] = await Promise.all([startServer("-addr", "localhost:0", ...rest.split(" ")), startChromium()]);
});
after(async () => {
  await browser?.close();
  await server?.stop();
});

/** Opens a page with separate storage, and waits until it is live. */
async function device() {
  const page = await (await browser.newContext()).newPage();
  const problems = [];
  page.on("pageerror", (e) => problems.push(String(e)));
  await page.goto(new URL(path, server.url.replace("ws:", "http:")).href);
  await page.waitForFunction(() => document.querySelector("#state").value === "live", null, { timeout: 30_000 });
  return { page, problems };
}
const shows = (page, id, text) => page.waitForFunction(([id, text]) => document.getElementById(id).textContent === text, [id, text], { timeout: 10_000 });

test("the page subscribes, another device shows the subscription, and both show what is published", async () => {
  const devices = [await device(), await device()];
  await devices[0].page.click("#subscribe");
  for (const { page } of devices) await shows(page, "list", "news: subscribed");
  server.write(published);
  for (const { page } of devices) await page.waitForFunction((title) => new RegExp(`^\\d.*${title}$`).test(document.getElementById("items").textContent), title, { timeout: 10_000 });
  for (const { problems } of devices) assert.deepEqual(problems, []);
});
