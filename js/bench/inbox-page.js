// The page of `make bench-inbox`: this package, and plain JavaScript that does the same without checks.

import { parse } from "ltx";

const url = `ws://${location.host}/`;
const done = (request) => new Promise((resolve, reject) => { request.onsuccess = () => resolve(request.result); request.onerror = () => reject(request.error); });

async function make(options = {}) {
  const { createClient } = await import("/pkg/index.js");
  return createClient({ account: "alice@localhost", credentials: { password: "secret" }, service: url, mechanisms: ["PLAIN"], tabs: "independent", ...options });
}

/** Waits until the inbox is in a state. */
const reached = (client, ok) => new Promise((resolve) => {
  const stop = client.inbox.subscribe((state) => {
    if (!ok(state)) return;
    setTimeout(() => stop());
    resolve(state);
  });
});

const isDone = ({ catchUp }) => catchUp.phase === "done";

globalThis.catchUp = {
  async ours(n) {
    const client = await make();
    await client.connect();
    await reached(client, isDone);
    await client.disconnect();
    await offer();
    const all = reached(client, (state) => isDone(state) && state.unseen === n);
    await client.connect();
    await all;
    return Date.now();
  },
  async plain(n) {
    const opening = indexedDB.open("plain", 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore("events");
    const db = await done(opening);
    await offer();
    const socket = new WebSocket(url, "plain");
    await new Promise((resolve) => { socket.onopen = resolve; });
    let page = [];
    let got = 0;
    await new Promise((resolve, reject) => {
      socket.onmessage = ({ data }) => {
        const result = parse(data).getChild("result", "urn:xmpp:mam:2");
        const forwarded = result.getChild("forwarded", "urn:xmpp:forward:0");
        const items = forwarded.getChild("message").getChild("event", "http://jabber.org/protocol/pubsub#event").getChild("items");
        const item = items.getChild("item");
        const entry = item.getChild("entry");
        page.push({
          node: items.attrs.node, id: item.attrs.id, at: forwarded.getChild("delay", "urn:xmpp:delay").attrs.stamp, archiveId: result.attrs.id,
          title: entry.getChildText("title"), summary: entry.getChildText("summary"), link: entry.getChild("link").attrs.href, xml: entry.toString(),
        });
        if (++got % 100 > 0 && got < n) return;
        const tx = db.transaction("events", "readwrite", { durability: "strict" });
        tx.objectStore("events").put(page, got);
        page = [];
        tx.onabort = () => reject(tx.error);
        tx.oncomplete = () => {
          if (got === n) resolve();
          else socket.send(`page ${got}`);
        };
      };
      socket.send("page 0");
    });
    const end = Date.now();
    socket.close();
    db.close();
    return end;
  },
};

/** Fills the inbox with live events. */
globalThis.fill = async (n) => {
  let socket;
  const Socket = WebSocket;
  globalThis.WebSocket = class extends Socket {
    constructor(...args) {
      super(...args);
      socket = this;
    }
  };
  const client = await make({ runtime: { where: "main" } });
  await client.connect();
  await reached(client, isDone);
  socket.send(`flood ${n}`);
  const { unseen } = await reached(client, (state) => state.unseen + state.dropped === n);
  await new Promise((resolve) => setTimeout(resolve, 3000));
  const { length } = client.inbox.newest.getSnapshot();
  await client.close();
  return { events: unseen, newest: length };
};

globalThis.load = {
  async ours({ events, newest }) {
    const client = await make({ runtime: { wasm: new Promise(() => undefined) } });
    const start = performance.now();
    client.inbox.ready.catch(() => undefined);
    await reached(client, (state) => state.unseen === events && client.inbox.newest.getSnapshot().length === newest);
    return performance.now() - start;
  },
  async plain({ events, newest }, name) {
    const start = performance.now();
    const db = await done(indexedDB.open(name));
    const records = db.transaction("records").objectStore("records");
    const range = IDBKeyRange.bound("inbox/meta", "inbox/po", false, true);
    const [keys, values] = await Promise.all([records.getAllKeys(range), records.getAll(range)].map(done));
    const decoder = new TextDecoder();
    const counts = [];
    const page = [];
    let unseen = 0;
    keys.forEach((key, i) => {
      for (const row of decoder.decode(values[i]).split("\u001E").slice(0, -2)) {
        const f = row.split("\u001F");
        if (key.startsWith("inbox/node/")) {
          counts.push(Object.freeze({ service: f[0], node: f[1], unseen: Number(f[2]), dropped: Number(f[3]), newest: new Date(Number(f[4])) }));
          unseen += counts.at(-1).unseen;
        } else if (key.startsWith("inbox/page/")) {
          page.push(Object.freeze({
            sort: f[0], id: f[1], service: f[2], node: f[3], itemId: f[4], type: f[5], occurredAt: new Date(Number(f[6])), receivedAt: new Date(Number(f[8])),
            delivery: f[9], seen: Object.freeze({ state: f[10], basis: f[11] }), namespace: f[16], xml: f[18],
            entry: Object.freeze({ id: f[20], title: f[21], summary: f[22], content: f[23], link: f[24], image: f[25], author: f[26], published: new Date(Number(f[27])), updated: new Date(Number(f[28])) }),
          }));
        }
      }
    });
    page.sort((a, b) => (a.sort < b.sort ? 1 : -1));
    page.length = Math.min(page.length, 50);
    Object.freeze(page);
    const took = performance.now() - start;
    db.close();
    if (unseen !== events || page.length !== newest) throw new Error(`${unseen} unseen events and a page of ${page.length} are stored`);
    return took;
  },
};
