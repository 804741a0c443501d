// make bench-startup: from navigation to the stored list and to the list of the server, for a page with this package, and for
// pages that log in and request the list with strophe.js and with @xmpp/client.
//
//   node js/bench/startup.mjs [--rounds 7] [--json file]
//
// One run measures the pages in turns: cold, with an empty cache, and warm, in the same profile again. On the slow line the
// server sends 1.6 Mbit/s, and everything takes 75 ms each way. Chromium slows the processor 4 times, but only for a page's own
// thread, so that this package then runs its program there. Compare ratios.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { brotliCompressSync } from "node:zlib";
import { build } from "esbuild";
import WebSocket, { WebSocketServer } from "ws";
import { startChromium } from "../test/browser/lib/chromium.mjs";
import { dist } from "../test/browser/lib/need.mjs";
import { startServer } from "../test/browser/lib/server.mjs";

const peerVersion = "0.14.0"; // of @xmpp/client
const subscriptions = 100;
const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: "string", default: "7" }, json: { type: "string" } } });
const rounds = Number(values.rounds);
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const pages = ["xmpp-pam", "strophe.js", "@xmpp/client"];
const conditions = {
  loopback: {},
  "slow line": { line: { delay: 75, rate: 200 } }, // ms, bytes each ms
  "slow processor": { processor: 4 },
};

const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-startup-"));
const names = Array.from({ length: subscriptions }, (_, i) => `node-${i}`);
const xmpp = await startServer("-account", "alice:secret", ...names.flatMap((name) => ["-node", name]));
await bundle();
const site = await serve();
const browser = await startChromium({ guarded: false });
try {
  console.log(`Chromium ${browser.version()}, ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}; medians of ${rounds} rounds; ${subscriptions} subscriptions.\n`);
  await followAll();
  const table = [];
  for (const [condition, how] of Object.entries(conditions)) table.push(...await measure(condition, how));
  print(table);
  if (values.json) writeFileSync(values.json, JSON.stringify(table));
} finally {
  await browser.close();
  await Promise.all([xmpp.stop(), site.stop()]);
  rmSync(folder, { recursive: true, force: true });
}

/** Bundles the pages' scripts, minified, and puts the package's other files beside them. */
async function bundle() {
  execFileSync("npm", ["install", "--prefix", folder, "--no-audit", "--no-fund", "--silent", `@xmpp/client@${peerVersion}`], { stdio: "inherit" });
  // Its modules import those of Node.js; the build for browsers is a script that sets a global variable.
  const script = readFileSync(join(folder, "node_modules/@xmpp/client/dist/xmpp.min.js"), "utf8").replace(/\/\/# source.*/, "");
  writeFileSync(join(folder, "peer.mjs"), `${script}\nexport default XMPP;\n`);
  await build({
    entryPoints: { ours: join(here, "startup/ours.js"), strophe: join(here, "startup/strophe.js"), xmpp: join(here, "startup/xmpp.js") },
    outdir: folder, bundle: true, minify: true, format: "esm", target: "es2022", logLevel: "error", platform: "browser",
    alias: { "xmpp-pam": join(dist, "index.js"), "@xmpp/client": join(folder, "peer.mjs") },
  });
  for (const name of ["worker.js", "pam.wasm"]) writeFileSync(join(folder, name), readFileSync(join(dist, name)));
}

async function serve() {
  const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".html": "text/html" };
  const cache = new Map();
  const read = (name) => {
    if (!cache.has(name)) {
      const page = /^(ours|strophe|xmpp)\.html$/.exec(name)?.[1];
      const body = page ? Buffer.from(`<!doctype html><meta charset=utf-8><title>${page}</title><link rel=icon href=data:,><script type=module src=/${page}.js></script>`)
        : readFileSync(join(folder, name));
      cache.set(name, name === "pam.wasm" ? readFileSync(join(dist, "pam.wasm.br")) : brotliCompressSync(body));
    }
    return cache.get(name);
  };
  const self = { bytes: 0, line: undefined };
  let free = 0; // when the line has sent what was given to it
  async function send(res, header, body) {
    if (!self.line) return res.writeHead(200, header).end(body);
    const { delay, rate } = self.line;
    free = Math.max(free, performance.now() + delay);
    res.writeHead(200, header);
    for (let at = 0; at < body.length; at += 4096) {
      const part = body.subarray(at, at + 4096);
      free += part.length / rate;
      await sleep(free + delay - performance.now());
      res.write(part);
    }
    return res.end();
  }
  const http = createServer((req, res) => {
    const name = new URL(req.url, "http://localhost").pathname.slice(1);
    try {
      const body = read(name);
      self.bytes += body.length;
      const header = { "content-type": types[extname(name)], "content-encoding": "br", "cache-control": name.endsWith(".html") ? "no-cache" : "max-age=31536000, immutable" };
      void send(res, header, body);
    } catch {
      res.writeHead(404).end();
    }
  });
  const relay = new WebSocketServer({ server: http, handleProtocols: () => "xmpp", perMessageDeflate: false });
  relay.on("connection", (from) => {
    const to = new WebSocket(xmpp.url, "xmpp");
    const open = new Promise((resolve) => { to.once("open", resolve); });
    const later = (send) => (self.line ? setTimeout(send, self.line.delay) : send());
    from.on("message", (data) => later(() => open.then(() => to.send(String(data)))));
    to.on("message", (data) => later(() => from.send(String(data))));
    from.on("close", () => to.close());
    to.on("close", () => from.close());
    for (const socket of [from, to]) socket.on("error", () => undefined);
  });
  await new Promise((resolve) => { http.listen(0, "localhost", resolve); });
  const { port } = http.address();
  return Object.assign(self, {
    url: `http://localhost:${port}`, socket: `ws://localhost:${port}/`,
    stop: () => new Promise((resolve) => {
      http.close(resolve);
      http.closeAllConnections();
      for (const socket of relay.clients) socket.terminate();
    }),
  });
}

async function followAll() {
  const { page } = await open(await browser.newContext(), "xmpp-pam", {});
  await page.evaluate(async (names) => { for (const node of names) await client.subscribe({ service: "pubsub.localhost", node }); }, names);
  await page.context().close();
}

/** Opens a page under a condition, and waits until it has the list. */
async function open(context, name, { line, processor }) {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  if (processor) await cdp.send("Emulation.setCPUThrottlingRate", { rate: processor });
  site.line = line;
  const file = { "xmpp-pam": "ours", "strophe.js": "strophe", "@xmpp/client": "xmpp" }[name];
  await page.addInitScript((given) => { globalThis.given = given; }, { service: site.socket, where: processor ? "main" : undefined });
  site.bytes = 0;
  await page.goto(`${site.url}/${file}.html`);
  await page.waitForFunction(() => globalThis.times?.live, undefined, { timeout: 120_000, polling: 20 });
  return { page, times: await page.evaluate(() => times), bytes: site.bytes };
}

async function measure(condition, how) {
  const found = new Map(); // name and visit: the runs
  for (let i = 0; i < rounds; i++) {
    for (const name of i % 2 ? pages.toReversed() : pages) {
      const context = await browser.newContext();
      for (const visit of ["cold", "warm"]) {
        const { page, times, bytes } = await open(context, name, how);
        const key = `${name} ${visit}`;
        found.set(key, [...found.get(key) ?? [], { ...times, bytes }]);
        await page.evaluate(() => globalThis.leave());
        await page.close();
      }
      await context.close();
    }
  }
  return ["cold", "warm"].map((visit) => {
    const of = (name, field) => median(found.get(`${name} ${visit}`).map((run) => run[field] ?? Number.NaN));
    return {
      condition, visit, bytes: pages.map((name) => of(name, "bytes")), live: pages.map((name) => of(name, "live")),
      stored: visit === "warm" ? of("xmpp-pam", "stored") : undefined,
    };
  });
}

function print(table) {
  console.log("| Condition | Visit | KB: xmpp-pam, strophe.js, @xmpp/client | Stored list | List of the server: xmpp-pam | strophe.js | @xmpp/client | Ratios |");
  console.log("|---|---|---|---|---|---|---|---|");
  const ms = (n) => (n === undefined ? "" : `${Math.round(n)} ms`);
  for (const { condition, visit, bytes, stored, live } of table) {
    console.log(`| ${condition} | ${visit} | ${bytes.map((n) => Math.round(n / 1000)).join(", ")} | ${ms(stored)} | ${live.map(ms).join(" | ")} | ${live.slice(1).map((n) => (live[0] / n).toFixed(1)).join(", ")} |`);
  }
}
