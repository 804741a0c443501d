// make bench-list: a long list in Chromium, from the socket, from IndexedDB, and changed by one notify, for this package and
// for plain JavaScript in the same page: ltx, one IndexedDB put, no checks, on the page's own thread.
//
//   node js/bench/list.mjs [--rounds 5] [--rows 10000]
//
// One run measures both in turns, each in a new profile. The figures are medians. Compare ratios.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { cpus, loadavg, tmpdir } from "node:os";
import { dirname, extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { build } from "esbuild";
import { WebSocketServer } from "ws";
import { startChromium } from "../test/browser/lib/chromium.mjs";
import { dist } from "../test/browser/lib/need.mjs";
import { databaseOf } from "../test/browser/lib/records.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const { values } = parseArgs({ options: { rounds: { type: "string", default: "5" }, rows: { type: "string", default: "10000" } } });
const rounds = Number(values.rounds);
const rows = Number(values.rows);
const notifies = 20;

const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-bench-"));
const now = () => performance.timeOrigin + performance.now(); // the same clock as the page's
const account = "alice@localhost";
const nsPAM = "urn:xmpp:pam:0";
const row = (i) => `<subscription service='pubsub${i % 7}.example.org' node='urn:example:node:${i}' jid='${account}' subscription='subscribed' subid='${(i * 7919).toString(36)}'/>`;
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];

await build({ entryPoints: [join(here, "list-page.js")], outfile: join(folder, "page.js"), bundle: true, format: "esm", target: "es2022", external: ["/pkg/*"], logLevel: "warning" });
const server = await startServer();
const browser = await startChromium();
try {
  const results = { ours: [], plain: [] };
  for (let round = 0; round < rounds; round++) for (const way of round % 2 ? ["plain", "ours"] : ["ours", "plain"]) results[way].push(await measure(way, rows));
  const ours = (key) => median(results.ours.map((r) => r[key]));
  const plain = (key) => median(results.plain.map((r) => r[key]));
  console.log(`A list of ${rows} subscriptions in Chromium ${browser.version()}; ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}; medians of ${rounds} rounds, in ms.\n`);
  console.log(`${"".padEnd(40)}${"xmpp-pam".padStart(10)}${"plain".padStart(10)}${"ratio".padStart(8)}`);
  for (const [key, what] of [["list", "socket → stored → snapshot"], ["notify", "one notify → stored → snapshot"]]) {
    console.log(`${what.padEnd(40)}${ours(key).toFixed(1).padStart(10)}${plain(key).toFixed(1).padStart(10)}${(ours(key) / plain(key)).toFixed(2).padStart(8)}`);
  }
  for (const n of [rows, 100]) {
    const { ours, plain } = await measureLoad(n);
    console.log(`${`${n} rows: IndexedDB → first snapshot`.padEnd(40)}${ours.toFixed(1).padStart(10)}${plain.toFixed(1).padStart(10)}${(ours / plain).toFixed(2).padStart(8)}`);
  }
  console.log(`${"longest task of the page's thread".padEnd(40)}${ours("longest").toFixed(0).padStart(10)}${plain("longest").toFixed(0).padStart(10)}`);
  console.log(`\nunchanged list on reconnect: ${results.ours[0].request} bytes asked, ${results.ours[0].reply} bytes answered`);
  console.log("The first snapshot is shown before the program starts, which the benchmark delays; both ways open the database.");
  for (const n of [100, 100_000]) {
    const { list, notify, heap } = await measure("ours", n);
    console.log(`${String(n).padStart(7)} subscriptions: list ${list.toFixed(0)} ms, one notify ${notify.toFixed(1)} ms, wasm memory ${(heap / 2 ** 20).toFixed(0)} MiB`);
  }
} finally {
  await browser.close();
  server.stop();
  rmSync(folder, { recursive: true, force: true });
}

/** Measures one way in a new profile. */
async function measure(way, count) {
  server.rows = count;
  server.ver = 1;
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    await page.goto(server.url);
    await page.addScriptTag({ url: "/page.js", type: "module" });
    await page.evaluate((way) => start(way), way);
    const list = await page.evaluate((n) => getList(n), count) - server.sentList;
    const times = [];
    for (let i = 0; i < notifies; i++) {
      await page.evaluate(() => { globalThis.changed = nextChange(); });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const at = server.notify(count + i);
      times.push(await page.evaluate(() => globalThis.changed) - at);
    }
    const { longest, heap } = await page.evaluate(() => facts());
    const { request, reply } = await page.evaluate(() => again(), undefined).then(() => server);
    return { list, notify: median(times), longest, heap, request, reply };
  } finally {
    await context.close();
  }
}

/** Measures the time from opening a page to the stored list, in turns, each in a new page. */
async function measureLoad(count) {
  server.rows = count;
  server.ver = 1;
  const context = await browser.newContext();
  const inPage = async (run, ...args) => {
    const page = await context.newPage();
    try {
      await page.goto(server.url);
      await page.addScriptTag({ url: "/page.js", type: "module" });
      return await page.evaluate(run, ...args);
    } finally {
      await page.close();
    }
  };
  try {
    await inPage(async (n) => {
      await start("ours");
      await getList(n);
      await close();
    }, count);
    const times = { ours: [], plain: [] };
    for (let i = 0; i < 5 * rounds; i++) {
      for (const way of i % 2 ? ["plain", "ours"] : ["ours", "plain"]) times[way].push(await inPage(([way, ...args]) => load[way](...args), [way, count, databaseOf(account)]));
    }
    return { ours: median(times.ours), plain: median(times.plain) };
  } finally {
    await context.close();
  }
}

/** Starts the server, which also serves the page. */
async function startServer() {
  const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
  const http = createServer((req, res) => {
    const { pathname } = new URL(req.url, "http://localhost");
    if (pathname === "/") return void res.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>bench</title>");
    try {
      const body = readFileSync(pathname.startsWith("/pkg/") ? join(dist, pathname.slice(5)) : join(folder, pathname));
      // Cacheable, so that the browser keeps the compiled code of both ways, as for a returning visitor.
      res.writeHead(200, { "content-type": types[extname(pathname)] ?? "text/plain", "cache-control": "max-age=3600" }).end(body);
    } catch {
      res.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ server: http, handleProtocols: (offered) => offered.values().next().value, perMessageDeflate: false });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const self = {
    url: `http://localhost:${http.address().port}/`, rows: 0, ver: 1, sentList: 0, request: 0, reply: 0,
    notify(i) {
      const text = `<message xmlns='jabber:client' type='headline' from='${account}'><notify xmlns='${nsPAM}' ver='v${++self.ver}' service='pubsub.example.org'>`
        + `<subscription xmlns='http://jabber.org/protocol/pubsub' node='urn:example:node:${i}' jid='${account}' subscription='subscribed'/></notify></message>`;
      const at = now();
      for (const socket of sockets.clients) socket.send(text);
      return at;
    },
    stop() { for (const socket of sockets.clients) socket.terminate(); http.close(); },
  };
  sockets.on("connection", (socket) => {
    let authed = false;
    const list = (id) => `<iq xmlns='jabber:client' type='result' id='${id}' from='${account}'><subscriptions xmlns='${nsPAM}' ver='v${self.ver}'>${Array.from({ length: self.rows }, (_, i) => row(i)).join("")}</subscriptions></iq>`;
    socket.on("message", (data) => {
      const text = String(data);
      const id = /\bid='([^']*)'/.exec(text)?.[1];
      const result = (body) => socket.send(`<iq xmlns='jabber:client' type='result' id='${id}' from='${account}'>${body}</iq>`);
      if (text === "list" || /<subscriptions /.test(text)) {
        if (text.includes(` ver='v${self.ver}'`)) {
          const reply = `<iq xmlns='jabber:client' type='result' id='${id}' from='${account}'/>`;
          [self.request, self.reply] = [text.length, reply.length];
          return socket.send(reply);
        }
        const answer = list(id);
        self.sentList = now();
        return socket.send(answer);
      }
      if (text.startsWith("<open")) {
        socket.send("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='localhost' id='s' version='1.0'/>");
        return socket.send(`<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${authed ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>" : "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"}</stream:features>`);
      }
      if (text.startsWith("<auth")) {
        authed = true;
        return socket.send("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
      }
      if (text.includes("<bind")) return result(`<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${account}/x</jid></bind>`);
      if (text.includes("disco#info")) return result(`<query xmlns='http://jabber.org/protocol/disco#info'><feature var='${nsPAM}'/></query>`);
      if (text.startsWith("<close")) {
        socket.send("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
        socket.close();
      }
    });
  });
  return self;
}
