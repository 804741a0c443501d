// The page of `make bench-list`: this package, and plain JavaScript that does the same without checks.

import { parse } from "ltx";

const now = () => performance.timeOrigin + performance.now();
const service = `ws://${location.host}/`;
let longest = 0;
let way;

globalThis.start = async (name) => {
  way = name === "ours" ? await ours() : await plain();
  new PerformanceObserver((entries) => { for (const e of entries.getEntries()) longest = Math.max(longest, e.duration); }).observe({ type: "longtask" });
};
globalThis.getList = (n) => way.getList(n);
globalThis.nextChange = () => way.nextChange();
globalThis.facts = () => ({ longest, heap: way.heap?.() ?? 0 });
globalThis.again = () => way.again?.();
globalThis.close = () => way.close?.();

// Loads the stored list in a new page: with this package, whose program never loads, or with JavaScript that reads the same
// records, decodes them and freezes the rows. Both open the database.

globalThis.load = {
  async ours(n) {
    const { createClient } = await import("/pkg/index.js");
    const wasm = new Promise(() => undefined);
    const client = createClient({ account: "alice@localhost", credentials: { password: "secret" }, service, tabs: "independent", runtime: { wasm } });
    const start = now();
    client.subscriptions.ready.catch(() => undefined);
    await new Promise((resolve) => { client.subscriptions.subscribe((list) => list.length === n && resolve()); });
    return now() - start;
  },
  async plain(n, name) {
    const start = now();
    const db = await done(indexedDB.open(name));
    const records = db.transaction("records").objectStore("records");
    const [keys, values] = await Promise.all([records.getAllKeys(), records.getAll()].map(done));
    const decoder = new TextDecoder();
    const rows = [];
    keys.forEach((key, i) => {
      if (!/^list\/\d/.test(key)) return;
      for (const row of decoder.decode(values[i]).split("\u001E").slice(0, -1)) {
        const [service, node, subid, jid, state, kind] = row.split("\u001F");
        rows.push(Object.freeze({ key: `${service}\0${node}\0${subid}`, service, node, subid, jid, state, kind }));
      }
    });
    Object.freeze(rows);
    const took = now() - start;
    db.close();
    if (rows.length !== n) throw new Error(`${rows.length} rows are stored`);
    return took;
  },
};

const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });

async function ours() {
  const { createClient } = await import("/pkg/index.js");
  const wasm = await WebAssembly.compileStreaming(fetch("/pkg/pam.wasm"));
  const make = (account) => createClient({ account, credentials: { password: "secret" }, service, mechanisms: ["PLAIN"], tabs: "independent", runtime: { wasm } });
  const client = make("alice@localhost");
  await client.subscriptions.ready;
  return {
    async getList(n) {
      const seen = new Promise((resolve) => {
        client.subscriptions.subscribe(() => client.subscriptions.getSnapshot().length === n && resolve(now()));
      });
      await client.connect();
      return seen;
    },
    nextChange: () => client.once("subscriptions").then(now),
    heap: () => client.inspector.stats().goHeapBytes,
    async again() {
      await client.disconnect();
      await client.connect();
    },
    close: () => client.close(),
  };
}

async function plain() {
  const opening = indexedDB.open("plain", 1);
  opening.onupgradeneeded = () => opening.result.createObjectStore("lists");
  const db = await done(opening);
  const put = (list) => new Promise((resolve, reject) => {
    const tx = db.transaction("lists", "readwrite", { durability: "strict" });
    tx.objectStore("lists").put(list, "alice");
    tx.oncomplete = resolve;
    tx.onabort = () => reject(tx.error);
  });
  const socket = new WebSocket(service, "plain");
  await new Promise((resolve) => { socket.onopen = resolve; });
  let list = { ver: null, rows: [] };
  let shown = () => undefined;
  const read = ({ attrs }, service) => ({ service: attrs.service ?? service, node: attrs.node, jid: attrs.jid, subid: attrs.subid, state: attrs.subscription });
  socket.onmessage = async ({ data }) => {
    const stanza = parse(data);
    const whole = stanza.getChild("subscriptions", "urn:xmpp:pam:0");
    const notify = stanza.getChild("notify", "urn:xmpp:pam:0");
    if (whole) list = { ver: whole.attrs.ver, rows: whole.getChildren("subscription").map((e) => read(e)) };
    else list = { ver: notify.attrs.ver, rows: [...list.rows, ...notify.getChildren("subscription").map((e) => read(e, notify.attrs.service))] };
    await put(list);
    shown(now());
  };
  const next = () => new Promise((resolve) => { shown = resolve; });
  return {
    getList() {
      socket.send("list");
      return next();
    },
    nextChange: next,
  };
}
