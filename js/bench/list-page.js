// What runs in the page of `make bench-list`: this package, and plain JavaScript that does the same without checks.

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
globalThis.reload = () => way.reload();

async function ours() {
  const { createClient } = await import("/pkg/index.js");
  const wasm = await WebAssembly.compileStreaming(fetch("/pkg/pam.wasm"));
  const make = (account) => createClient({ account, credentials: { password: "secret" }, service, mechanisms: ["PLAIN"], runtime: { wasm } });
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
    async reload() {
      await client.close();
      const took = async (account) => {
        const start = now();
        const again = make(account);
        await again.subscriptions.ready;
        const end = now();
        await again.close();
        return end - start;
      };
      await took("nobody@localhost");
      const [empty, full] = [await took("nobody@localhost"), await took("alice@localhost")];
      return full - empty;
    },
  };
}

async function plain() {
  const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });
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
    async reload() {
      const start = now();
      list = await done(db.transaction("lists").objectStore("lists").get("alice"));
      if (list.rows.length === 0) throw new Error("nothing is stored");
      return now() - start;
    },
  };
}
