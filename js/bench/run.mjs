// make bench-browser: events per second from a flooding server to a callback in Chromium, for this package and for other
// libraries, and the time for which the page's thread is blocked meanwhile.
//
//   node js/bench/run.mjs [--rounds 5] [--events 20000] [--only worker,ltx] [--profile folder]
//
// One run measures all rows in turns, each in a new page after a warm-up flood. The figures are medians. Compare ratios,
// because machines differ and are shared.

import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { startChromium } from "../test/browser/lib/chromium.mjs";
import { dist } from "../test/browser/lib/need.mjs";
import { profiled } from "./profile.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "../..");
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, events: { type: "string", default: "20000" }, only: { type: "string" }, profile: { type: "string" } } });
const rounds = Number(values.rounds);
const events = Number(values.events);

const all = {
  raw: "raw onmessage (ceiling)",
  worker: "xmpp-pam, Worker (default)",
  main: "xmpp-pam, where: \"main\"",
  ltx: "ltx (xmpp.js)",
  dom: "DOMParser",
  strophe: "strophe-style: wrapped, DOMParser",
};
const names = values.only ? values.only.split(",") : Object.keys(all);

const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-bench-"));
const results = Object.fromEntries(names.map((name) => [name, []]));
const before = loadavg()[0];
let server, browser, devtools;
try {
  execFileSync("go", ["build", "-o", join(folder, "flood"), "./js/bench/flood"], { cwd: root, stdio: "inherit" });
  await build({ entryPoints: [join(here, "page.js")], outfile: join(folder, "page/page.js"), bundle: true, format: "esm", target: "es2022", external: ["/pkg/*"], logLevel: "warning" });
  server = spawn(join(folder, "flood"), [`pkg=${dist}`, `bench=${join(folder, "page")}`], { stdio: ["pipe", "pipe", "inherit"] });
  const line = await new Promise((resolve, reject) => {
    createInterface({ input: server.stdout }).once("line", resolve);
    server.once("exit", (code) => reject(new Error(`the server ended with exit code ${code}`)));
  });
  const origin = `http://${line.replace("listening ", "")}/`;
  browser = await startChromium();
  devtools = await browser.newBrowserCDPSession();
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < names.length; i++) {
      const name = names[(i + round) % names.length];
      results[name].push(await measure(origin, name));
    }
  }
} finally {
  await browser?.close();
  server?.stdin.end();
  rmSync(folder, { recursive: true, force: true });
}
print();

/** Makes one measurement in a new profile. */
async function measure(origin, name) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(origin);
    await page.addScriptTag({ url: "/bench/page.js", type: "module" });
    await page.evaluate((name) => open(name), name);
    await page.evaluate((n) => measure(n), events / 2);
    const run = async () => {
      const start = await processorTime();
      const result = await page.evaluate((n) => measure(n), events);
      return { ...result, cpu: (await processorTime() - start) * 1e6 / events };
    };
    if (!values.profile) return await run();
    mkdirSync(values.profile, { recursive: true });
    return await profiled(browser, page, run, (target, profile) => writeFileSync(join(values.profile, `${name}-${target}.cpuprofile`), profile));
  } finally {
    await context.close();
  }
}

/** Returns the processor seconds of all processes of the browser. */
async function processorTime() {
  const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
  return processInfo.reduce((sum, p) => sum + p.cpuTime, 0);
}

function print() {
  const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
  const rate = Object.fromEntries(names.map((name) => [name, median(results[name].map((r) => events / r.seconds))]));
  const column = (text, width) => String(text).padStart(width);
  const ratio = (a, b) => column(rate[b] ? (rate[a] / rate[b]).toFixed(2) : "", 9);
  console.log(`Events of 460 bytes from a flooding server on loopback to a callback, in Chromium ${browser.version()};
${cpus().length} processors, load ${before.toFixed(1)} before and ${loadavg()[0].toFixed(1)} after; medians of ${rounds} rounds of ${events} events, in turns.
CPU is the processor time of all of Chromium's processes for one event, in µs: other programs disturb it least.
A stall is the longest time between two beats of a 4 ms timer on the page's thread; a long task is one over 50 ms.
`);
  console.log(`${"".padEnd(34)}${column("events/s", 10)}${column("lowest", 9)}${column("highest", 9)}${column("to ltx", 9)}${column("strophe", 9)}${column("CPU", 7)}${column("stall ms", 10)}${column("worst", 8)}${column("long", 6)}`);
  for (const name of names) {
    const rates = results[name].map((r) => events / r.seconds);
    const stalls = results[name].map((r) => r.longest);
    console.log(`${all[name].padEnd(34)}${column(Math.round(rate[name]), 10)}${column(Math.round(Math.min(...rates)), 9)}${column(Math.round(Math.max(...rates)), 9)}${ratio(name, "ltx")}${ratio(name, "strophe")}${column(Math.round(median(results[name].map((r) => r.cpu))), 7)}${column(median(stalls).toFixed(1), 10)}${column(Math.max(...stalls).toFixed(1), 8)}${column(results[name].reduce((n, r) => n + r.tasks, 0), 6)}`);
  }
  console.log(`
What each does with a message before the same callback gets {from, node, id, title}, which it checks (none lost, in order):
  raw       nothing: only counts
  xmpp-pam  the package as it is built, logged in with stream management: strict parsing under limits, addresses checked,
            stanzas counted and acknowledged, the stanza as it came handed to client.on("message") with its sender;
            the callback finds node, id and title in that text
  ltx       parse(), then getChild() by name and namespace; no check of characters, addresses or limits
  DOMParser parseFromString() and getElementsByTagNameNS()
  strophe   the same with a wrapper around each message, as strophe.js does on WebSockets`);
}
