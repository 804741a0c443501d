// Reads the stored inbox without the program: an independent implementation of the layout that
// sdk/internal/inbox/records.go describes. It checks formats, digests, and that counts, events, bodies and the newest page
// agree.

import assert from "node:assert/strict";
import { readRows } from "./records.mjs";

const types = { p: "published", r: "retracted", u: "purged", d: "deleted", c: "configured" };
const sources = { d: "delay", a: "archive", p: "payload", l: "local-clock" };
const deliveries = { l: "live", r: "resumed", c: "catch-up" };
const pageSize = 50;

/**
 * Returns the inbox in records as {events, nodes, unseen, dropped, awayEvents}, events newest first; undefined if none is
 * stored. An event is {id, service, node, item, type, at, source, received, delivery, seen, xml}, and a node {service, node,
 * unseen, dropped}.
 */
export function storedInbox(records) {
  const all = new Map(records.filter(([key]) => key.startsWith("inbox/")).map(([key, bytes]) => [key, unseal(key, Uint8Array.from(bytes))]));
  const meta = all.get("inbox/meta");
  if (!meta) {
    assert.equal(all.size, 0, "an inbox without its meta record");
    return undefined;
  }
  const [format, , eventCount, unseen, dropped, nodeCount, pageCount, , awayEvents, next, , session, , , past] = meta[0];
  assert.deepEqual([format, meta.length], ["1", 1 + Number(past)], "the meta record");
  assert.ok(meta.slice(1).every(([number], i, list) => Number(number) < Number(session) && (i === 0 || Number(number) > Number(list[i - 1][0]))), "past sessions");
  const below = (prefix) => [...all].filter(([key]) => key.startsWith(prefix)).flatMap(([, rows]) => rows);

  const positions = new Set(below("inbox/position/").map(([number]) => number));
  const nodes = new Map(below("inbox/node/").map((f) => [f[5], { service: f[0], node: f[1], unseen: Number(f[2]), dropped: Number(f[3]), newest: f[4], position: f[6], uncertain: isUncertain(f) }]));
  assert.equal(new Set([...nodes.values()].map((n) => `${n.service} ${n.node}`)).size, Number(nodeCount), "the number of nodes");
  for (const n of nodes.values()) assert.ok(n.position === "" || positions.has(n.position), `the position of ${n.node}`);
  assert.deepEqual(positions, new Set([...nodes.values()].map((n) => n.position).filter(Boolean)), "a position of no node");

  const bodies = new Map([...all].filter(([key]) => key.startsWith("inbox/xml/")).map(([key, rows]) => [key, new Map(rows.map(([id, ...body]) => [id, body]))]));
  const used = new Set();
  const events = below("inbox/event/").map(([id, number, type, item, , hash, at, source, received, delivery, seenAt, elsewhere, , synced, body]) => {
    const node = nodes.get(number);
    assert.ok(node, `event ${id} is of no node`);
    const key = `inbox/xml/${Number(body).toString(36)}`;
    const found = bodies.get(key)?.get(id);
    assert.ok(found, `the body of event ${id}`);
    used.add(key);
    const seen = seenAt ? "seen-here" : synced || elsewhere ? "likely-seen-elsewhere" : node.uncertain ? "" : "unseen";
    return {
      id, service: node.service, node: node.node, item, type: types[type], at: Number(at), source: sources[source], received: Number(received),
      delivery: deliveries[delivery], seen, xml: found[4], hash,
    };
  });
  events.sort((a, b) => (sortKey(a) < sortKey(b) ? 1 : -1));
  assert.equal(events.length, Number(eventCount), "the number of events");
  assert.equal(new Set(events.map((e) => e.id)).size, events.length, "an id was used twice");
  for (const e of events) assert.ok(parseInt(e.id, 36) < parseInt(next, 36), `event ${e.id} is not before the next one, ${next}`);
  assert.deepEqual([...bodies.keys()].filter((key) => !used.has(key)), [], "bodies of no event");

  const page = below("inbox/page/").sort(([a], [b]) => (a < b ? 1 : -1));
  assert.equal(page.length, Number(pageCount), "the number of rows of the page");
  assert.ok(page.length <= pageSize + 16, `the page has ${page.length} rows`);
  page.forEach(([key, id, service, node, item, type, at, source, received, delivery, seen, , , body, , , , , xml], i) => {
    const e = events[i];
    e.seen ||= seen;
    const inPage = { id, service, node, item, type, at: Number(at), source, received: Number(received), delivery, seen, xml: body ? e.xml : xml, hash: e.hash };
    assert.deepEqual([key, inPage], [sortKey(e), e], `row ${i} of the page`);
  });

  for (const n of nodes.values()) {
    if (n.uncertain && page.length < events.length) continue;
    assert.equal(n.unseen, events.filter((e) => e.node === n.node && e.service === n.service && e.seen === "unseen").length, `unseen events of ${n.node}`);
  }
  const sum = (field) => [...nodes.values()].reduce((total, n) => total + n[field], 0);
  assert.deepEqual([sum("unseen"), sum("dropped")], [Number(unseen), Number(dropped)], "the counts of the nodes and of the inbox");
  const shown = [...nodes.values()].filter((n) => n.newest !== "").map(({ service, node, unseen, dropped }) => ({ service, node, unseen, dropped }));
  shown.sort((a, b) => (a.service + a.node < b.service + b.node ? -1 : 1));
  return { events, nodes: shown, unseen: Number(unseen), dropped: Number(dropped), awayEvents: Number(awayEvents) };
}

/** Reports whether a marker, of which the item has not come, may reach events of the node in this row. */
function isUncertain(row) {
  const markers = row.slice(15); // after the memory of dropped events
  const open = markers.slice(markers[0] === "" ? 1 : 6)[0];
  return open !== "";
}

/** A time in the future is replaced by the arrival. */
function sortKey({ id, at, received }) {
  const hex = (n) => n.toString(16).padStart(16, "0");
  return hex(BigInt(at > received + 300_000 ? received : at) + 2n ** 63n) + hex(BigInt(parseInt(id, 36)));
}

/** Returns the rows of a record without the last one, which is its digest. */
function unseal(key, bytes) {
  const rows = readRows(bytes);
  const sum = rows.pop();
  assert.deepEqual(sum, [digest(bytes.subarray(0, bytes.length - sum[0].length - 2)).toString(36)], `the digest of ${key}`);
  return rows;
}

function digest(bytes) {
  const prime = 0x100000001b3n;
  const step = (h, word) => BigInt.asUintN(64, (h ^ word) * prime);
  let h = 0xcbf29ce484222325n ^ BigInt(bytes.length);
  const words = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let i = 0;
  for (; i + 8 <= bytes.length; i += 8) {
    h = step(h, words.getBigUint64(i, true));
    h ^= h >> 32n;
  }
  for (; i < bytes.length; i++) h = step(h, BigInt(bytes[i]));
  return Number(BigInt.asUintN(64, h * prime) >> 32n);
}
