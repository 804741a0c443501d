// Lets the page of the demo play by itself for an hour, and measures whether it grows: the heap and the DOM nodes of the
// page and both devices (one process), the Go heap of each device, and the records that each has stored.
//
//   node test/soak/self-play.mjs [--minutes 60] [--server mem]

import { parseArgs } from "node:util";
import { setTimeout as sleep } from "node:timers/promises";
import { startChromium } from "../browser/lib/chromium.mjs";
import { startDemo } from "../browser/lib/demo.mjs";

const { values } = parseArgs({ options: { minutes: { type: "string", default: "60" }, server: { type: "string", default: "mem" } } });
const minutes = Number(values.minutes);
const demo = await startDemo(values.server);
const browser = await startChromium();
const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
const problems = [];
page.on("pageerror", (e) => problems.push(String(e)));
page.on("console", (m) => problems.push(m.text()));
await page.goto(demo.origin);
await page.waitForFunction(() => globalThis.pamShell?.play.running, null, { timeout: 60_000 });
const cdp = await page.context().newCDPSession(page);
await cdp.send("Performance.enable");

/** Measures at a rest, when all garbage has been collected. */
async function measure() {
  const rests = await page.evaluate(() => pamShell.play.rests);
  await page.waitForFunction((rests) => pamShell.play.rests > rests || !pamShell.play.running, rests, { timeout: 60_000 });
  const equal = await page.evaluate(() => {
    const [phone, laptop] = ["Phone", "Laptop"].map((name) => pamShell.stage.get(name));
    if (pamShell.network.position(phone) !== "online") return true;
    const view = ({ state: { ver, unseen, rows } }) => JSON.stringify([ver, unseen, rows]);
    return view(phone) === view(laptop);
  });
  await cdp.send("HeapProfiler.collectGarbage");
  const { metrics } = await cdp.send("Performance.getMetrics");
  const metric = (name) => metrics.find((m) => m.name === name).value;
  const devices = page.frames().filter((frame) => frame !== page.mainFrame());
  const go = await Promise.all(devices.map((frame) => frame.evaluate(() => pamDemo.client.inspector.stats().goHeapBytes)));
  return {
    rests: rests + 1, playing: await page.evaluate(() => pamShell.play.running), equal,
    heap: metric("JSHeapUsedSize"), nodes: metric("Nodes"), listeners: metric("JSEventListeners"), documents: metric("Documents"), go,
  };
}

const mb = (n) => (n / 1e6).toFixed(1);
console.log("minute  rests  JS heap MB  nodes  listeners  documents  Go heap MB  equal");
const begun = Date.now();
const all = [];
for (let minute = 0; minute <= minutes; minute++) {
  await sleep(Math.max(0, begun + minute * 60_000 - Date.now()));
  const m = await measure();
  all.push(m);
  console.log([String(minute).padStart(6), String(m.rests).padStart(6), mb(m.heap).padStart(11), String(m.nodes).padStart(6), String(m.listeners).padStart(10), String(m.documents).padStart(10), m.go.map(mb).join(" ").padStart(11), m.equal].join(" "));
  if (!m.playing) problems.push(`it has stopped playing: ${await page.textContent("#happened")}`);
  if (!m.equal) problems.push(`the devices differ in minute ${minute}`);
  if (problems.length > 0) break;
}
// What is kept is bounded, and full after a part of the time: its last half must not be larger than the one before.
const half = all.slice(Math.floor(all.length / 2));
const peak = (list, of) => Math.max(...list.map(of));
const thirds = [half.slice(0, Math.ceil(half.length / 2)), half.slice(Math.ceil(half.length / 2))];
if (all.length > 8) {
  for (const [what, of] of [["JS heap", (m) => m.heap], ["DOM nodes", (m) => m.nodes], ["listeners", (m) => m.listeners], ["Go heap", (m) => Math.max(...m.go)]]) {
    const [before, after] = thirds.map((list) => peak(list, of));
    console.log(`${what}: at most ${before} in the third quarter, ${after} in the last`);
    if (after > before * 1.1) problems.push(`${what} grows`);
  }
}
await browser.close();
await demo.stop();
for (const problem of problems) console.error(problem);
process.exit(problems.length > 0 ? 1 : 0);
