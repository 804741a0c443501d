// Takes the pictures of the demo that the README shows: the first screen, and a return from a week away.
//
//   make pictures

import { join } from "node:path";
import { startChromium } from "../test/browser/lib/chromium.mjs";
import { startDemo } from "../test/browser/lib/demo.mjs";
import { root } from "../test/browser/lib/need.mjs";

const folder = join(root, "demo/pictures");
const demo = await startDemo("mem");
const browser = await startChromium();
const page = await (await browser.newContext({ viewport: { width: 1280, height: 720 } })).newPage();
await page.goto(demo.origin);
const said = (pattern) => page.getByTestId("happened").filter({ hasText: pattern }).waitFor({ timeout: 120_000 });
await said(/^City news has published two entries/);
await page.screenshot({ path: join(folder, "first-screen.png") });
await said(/^Phone is up to date after/);
await page.waitForFunction(() => document.querySelector("#scale-time").dataset.state === "done");
await page.setViewportSize({ width: 1280, height: 1220 });
await page.waitForTimeout(600); // the bars grow
await page.screenshot({ path: join(folder, "after-a-week.png") });
await browser.close();
await demo.stop();
