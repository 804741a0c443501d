// What the page sees of the inbox, and what is stored of it.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { databaseOf } from "../records.mjs";
import { honest } from "./account.mjs";

const bounds = { stored: 256 << 10, requests: 40 }; // bytes of the records; requests of the client

/**
 * Checks the inbox at the end of a scenario:
 *   want      [service, node, type, item] of the events besides those of the honest service, or a function that checks them
 *   seen      the states of the honest service's items that are not "unseen", by id
 *   stored    bytes of the records, at most
 *   requests  requests of the client, at most
 */
export async function checkInbox({ account, tab }, { want = [], seen = {}, stored = bounds.stored, requests = bounds.requests }) {
  let now;
  const found = ({ service, node }) => service === honest.service && node === honest.node;
  for (const deadline = Date.now() + 10_000; ; await sleep(100)) {
    now = await tab.ask(report, databaseOf(account.jid));
    const here = now.events.filter(found).map((e) => e.item);
    if (account.published.every((id) => here.includes(id)) && now.rows === now.events.length) break;
    if (Date.now() > deadline) assert.deepEqual([here.toReversed(), now.rows], [account.published, now.events.length], "the events of the honest service");
  }
  const own = now.events.filter(found);
  assert.deepEqual(own.map((e) => e.item).sort(), [...account.published].sort(), "the events of the honest service");
  assert.deepEqual(own.map((e) => e.title), own.map((e) => e.item), "the titles of the honest service's events");
  assert.deepEqual(Object.fromEntries(own.filter((e) => e.seen !== "unseen").map((e) => [e.item, e.seen])), seen, "the events that are not unseen");
  assert.equal(now.events[0].item, account.published.at(-1), "the event that is listed first");
  const heard = account.published.map((id) => [id, now.heard.filter((e) => e === `${honest.service} ${honest.node} published ${id}`).length]);
  assert.deepEqual(heard.filter(([, n]) => n !== 1), [], "events that the page was not told of once");

  const rest = now.events.filter((e) => !found(e));
  if (typeof want === "function") want(rest, now);
  else assert.deepEqual(rest.map((e) => [e.service, e.node, e.type, e.item].join(" ")).sort(), want.map((e) => e.join(" ")).sort(), "the other events");
  assert.deepEqual(now.events.filter((e) => e.forged), [], "forged events");
  assert.deepEqual(now.heard.filter((e) => e.includes("forged")), [], "forged events that the page was told of");
  assert.deepEqual(now.events.flatMap((e) => e.urls).filter((url) => !/^(https?:\/\/|data:image\/(?!svg)|xmpp:)/i.test(url)), [], "unsafe links");
  assert.deepEqual(now.events.filter((e) => Number.isNaN(e.at)), [], "events without a time");

  const unseen = now.events.filter((e) => e.seen === "unseen");
  const per = (list) => Object.fromEntries(list.filter(([, n]) => n > 0).sort());
  const counted = new Map();
  for (const { service, node } of unseen) counted.set(`${service} ${node}`, (counted.get(`${service} ${node}`) ?? 0) + 1);
  assert.deepEqual(per(now.nodes), per([...counted]), "the numbers of unseen events of the nodes");
  assert.deepEqual([now.unseen, now.dropped], [unseen.length, now.droppedOfNodes], "the numbers of unseen and dropped events");
  assert.deepEqual(now.meta, [now.events.length, now.unseen, now.dropped], "the numbers in the stored record");
  assert.ok(now.bytes <= stored, `${now.bytes} bytes are stored`);
  const sent = account.steps.filter((step) => /^(presence|info|info-domain|list|archive|items|nodes|other|subscribe|unsubscribe|message)$/.test(step));
  assert.ok(sent.length <= requests, `${sent.length} requests: ${sent.slice(-30).join(" ")}`);
}

/** Waits until no catch-up is running. */
export async function caughtUp({ tab }, limit = 30_000) {
  for (const deadline = Date.now() + limit; ; await sleep(50)) {
    const { phase, since } = await tab.ask(() => {
      const { catchUp } = client.inbox.getSnapshot();
      return { phase: catchUp.phase, since: catchUp.since?.getTime() };
    });
    if (phase === "done" || phase === "failed") return since;
    if (Date.now() > deadline) assert.fail(`the catch-up is ${phase} for ${limit / 1000} s`);
  }
}

/** Runs in the page. The numbers of the stored record are those of events, unseen events and dropped events. */
async function report(name) {
  const events = [];
  let before;
  do {
    const { items, cursor } = await client.inbox.list({ limit: 500, ...(before && { before }) });
    events.push(...items);
    before = cursor;
  } while (before);
  const { nodes, unseen, dropped } = client.inbox.getSnapshot();
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const db = await done(indexedDB.open(name));
  const records = db.transaction("records").objectStore("records");
  const [keys, values] = await Promise.all([done(records.getAllKeys()), done(records.getAll())]);
  db.close();
  let bytes = 0, rows = 0, meta;
  keys.forEach((key, i) => {
    bytes += key.length + values[i].length;
    const text = () => new TextDecoder().decode(values[i]);
    if (key === "inbox/meta") meta = text().split("\u001F").slice(2, 5).map(Number);
    if (key.startsWith("inbox/event/")) rows += text().split("\u001E").length - 2; // the last row is the digest
  });
  return {
    unseen, dropped, bytes, rows, meta, heard: life.events,
    nodes: nodes.map((n) => [`${n.service} ${n.node}`, n.unseen]), droppedOfNodes: nodes.reduce((sum, n) => sum + n.dropped, 0),
    events: events.map((e) => ({
      service: e.service, node: e.node, type: e.type, item: e.itemId, seen: e.seen.state, at: e.occurredAt.getTime(), source: e.timeSource, omitted: e.omitted,
      title: e.entry?.title, urls: [e.entry?.link, e.entry?.image, e.redirect].filter((url) => url), size: e.xml?.length ?? 0,
      forged: [e.service, e.node, e.itemId, e.entry?.title, e.xml].some((text) => text?.includes("forged")),
    })),
  };
}
