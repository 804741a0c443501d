// make bench-inbox: events in Chromium, found by a catch-up and read from IndexedDB, for this package and for plain
// JavaScript in the same page: ltx, one IndexedDB put for each 100 events, no checks, on the page's own thread.
//
//   node js/bench/inbox.mjs [--rounds 5] [--missed 5000] [--offered 100000]
//
// One run measures both in turns, each in a new profile or page. The figures are medians. Compare ratios.

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
import { answers } from "./loopback.mjs";

const here = dirname(fileURLToPath(import.meta.url));
const option = (value) => ({ type: "string", default: value });
const { values } = parseArgs({ options: { rounds: option("5"), missed: option("5000"), offered: option("100000") } });
const [rounds, missed, offered] = [values.rounds, values.missed, values.offered].map(Number);

const account = "alice@localhost";
const service = "pubsub.localhost";
const nodes = Array.from({ length: 50 }, (_, i) => `feed-${i}`); // of 500 events each, 20,000 in all are kept
const perPage = 100;
const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-bench-"));
const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1];
const time = (i) => new Date(Date.UTC(2026, 0, 1) + i * 1000).toISOString();

/** The event numbered i, as a message to the account. */
const event = (i) => `<message xmlns='jabber:client' from='${service}' to='${account}' type='headline'><event xmlns='http://jabber.org/protocol/pubsub#event'>`
  + `<items node='${nodes[i % nodes.length]}'><item id='${i}'><entry xmlns='http://www.w3.org/2005/Atom'><title>The title of entry ${i}</title>`
  + `<summary>${"Some words that tell what it is about. ".repeat(4)}</summary><link rel='alternate' href='https://example.org/${i}'/><published>${time(i)}</published><updated>${time(i)}</updated></entry></item></items></event></message>`;
/** The same as a result of the archive. */
const archived = (i, queryid) => `<message xmlns='jabber:client' from='${account}'><result xmlns='urn:xmpp:mam:2' queryid='${queryid}' id='a${i}'><forwarded xmlns='urn:xmpp:forward:0'>`
  + `<delay xmlns='urn:xmpp:delay' stamp='${time(i)}'/>${event(i)}</forwarded></result></message>`;

await build({ entryPoints: [join(here, "inbox-page.js")], outfile: join(folder, "page.js"), bundle: true, format: "esm", target: "es2022", external: ["/pkg/*"], logLevel: "warning" });
const server = await startServer();
const browser = await startChromium();
try {
  console.log(`Events in Chromium ${browser.version()}; ${cpus().length} processors, load ${loadavg()[0].toFixed(1)}; medians of ${rounds} rounds.\n`);
  console.log(`${"".padEnd(48)}${"xmpp-pam".padStart(10)}${"plain".padStart(10)}${"ratio".padStart(8)}`);
  const rates = await inTurns(catchUp);
  print(`catch-up of ${missed} events, events a second`, rates, 0);
  const context = await browser.newContext();
  const kept = await inPage(context, (n) => fill(n), offered);
  const loads = await inTurns((way) => inPage(context, ([way, ...args]) => load[way](...args), [way, kept, databaseOf(account)]), 5 * rounds);
  print(`${offered} offered, ${kept.events} kept: first page and counts, ms`, loads, 1);
  console.log("\nThe first page is shown before the program starts, which the benchmark delays; both ways open the database.");
} finally {
  await browser.close();
  server.stop();
  rmSync(folder, { recursive: true, force: true });
}

function print(what, { ours, plain }, digits) {
  const [a, b] = [median(ours), median(plain)];
  console.log(`${what.padEnd(48)}${a.toFixed(digits).padStart(10)}${b.toFixed(digits).padStart(10)}${(a / b).toFixed(2).padStart(8)}`);
}

async function inTurns(measure, times = rounds) {
  const found = { ours: [], plain: [] };
  for (let i = 0; i < times; i++) for (const way of i % 2 ? ["plain", "ours"] : ["ours", "plain"]) found[way].push(await measure(way));
  return found;
}

/** Measures a catch-up in a new profile: returns events a second, from the request for the first page until all are stored. */
async function catchUp(way) {
  const context = await browser.newContext();
  try {
    server.archive = 0;
    const end = await inPage(context, ([way, n]) => catchUp[way](n), [way, missed], () => { server.archive = missed; });
    return missed / (end - server.asked) * 1000;
  } finally {
    await context.close();
  }
}

/** Runs a function in a new page. The page may call `offer()`, which runs the given one here. */
async function inPage(context, run, args, offer = () => undefined) {
  const page = await context.newPage();
  try {
    await page.exposeFunction("offer", offer);
    await page.goto(server.url);
    await page.addScriptTag({ url: "/page.js", type: "module" });
    return await page.evaluate(run, args);
  } finally {
    await page.close();
  }
}

/** Starts the server, which also serves the page. Its archive has the first `archive` events; `asked` is when the first page was requested. */
async function startServer() {
  const types = { ".js": "text/javascript", ".wasm": "application/wasm" };
  const http = createServer((req, res) => {
    const { pathname } = new URL(req.url, "http://localhost");
    if (pathname === "/") return void res.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>bench</title>");
    try {
      const body = readFileSync(pathname.startsWith("/pkg/") ? join(dist, pathname.slice(5)) : join(folder, pathname));
      res.writeHead(200, { "content-type": types[extname(pathname)] ?? "text/plain", "cache-control": "max-age=3600" }).end(body);
    } catch {
      res.writeHead(404).end();
    }
  });
  const sockets = new WebSocketServer({ server: http, handleProtocols: (offered) => offered.values().next().value, perMessageDeflate: false });
  await new Promise((resolve) => http.listen(0, "127.0.0.1", resolve));
  const self = { url: `http://localhost:${http.address().port}/`, archive: 0, asked: 0, stop() { for (const socket of sockets.clients) socket.terminate(); http.close(); } };
  sockets.on("connection", (socket) => {
    const session = {};
    const send = (...messages) => { for (const m of messages) socket.send(m); };
    socket.on("message", (data) => {
      const text = String(data);
      const id = /\sid='([^']*)'/.exec(text)?.[1];
      const to = /\sto='([^']*)'/.exec(text)?.[1] ?? account;
      const result = (body) => send(`<iq xmlns='jabber:client' type='result' id='${id}' from='${to}'>${body}</iq>`);
      const command = /^(flood|page) (\d+)$/.exec(text);
      if (command?.[1] === "flood") return flood(send, Number(command[2]));
      if (command) return page(send, Number(command[2]), "q");
      if (text.includes("urn:xmpp:mam:2'") && text.includes("<query")) {
        const after = /<after>a(\d+)</.exec(text);
        const from = after ? Number(after[1]) + 1 : 0;
        const end = page(send, from, /queryid='([^']*)'/.exec(text)[1]);
        return result(`<fin xmlns='urn:xmpp:mam:2'${end === self.archive ? " complete='true'" : ""}><set xmlns='http://jabber.org/protocol/rsm'>${end > from ? `<first>a${from}</first><last>a${end - 1}</last>` : ""}</set></fin>`);
      }
      if (text.includes("<subscriptions")) {
        return result(`<subscriptions xmlns='urn:xmpp:pam:0' ver='1'>${nodes.map((node) => `<subscription service='${service}' node='${node}' jid='${account}' subscription='subscribed'/>`).join("")}</subscriptions>`);
      }
      if (text.includes("disco#info")) {
        const features = to === account ? ["urn:xmpp:pam:0", "urn:xmpp:mam:2", "urn:xmpp-pam:archives-all-events:0"] : [];
        return result(`<query xmlns='http://jabber.org/protocol/disco#info'>${features.map((f) => `<feature var='${f}'/>`).join("")}</query>`);
      }
      if (text.includes("<items")) return result(`<pubsub xmlns='http://jabber.org/protocol/pubsub'><items node='${/node='([^']*)'/.exec(text)[1]}'/></pubsub>`);
      send(...answers(text, session));
      if (text.startsWith("<close")) socket.close();
    });
  });
  /** Sends a page of the archive, and returns the number of the event after it. */
  function page(send, from, queryid) {
    if (from === 0) self.asked = Date.now();
    const end = Math.min(from + perPage, self.archive);
    for (let i = from; i < end; i++) send(archived(i, queryid));
    return end;
  }
  /** Sends events as they happen, as fast as the page reads. */
  async function flood(send, n) {
    for (let i = 0; i < n; i += 1000) {
      for (let k = i; k < Math.min(i + 1000, n); k++) send(event(k));
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }
  return self;
}
