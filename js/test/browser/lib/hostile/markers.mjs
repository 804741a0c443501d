// Markers, in which the devices of the account share up to which event all were seen, as private items of the account. Only
// the account's own server sends them; what others send, or what is no marker, must not hide an event.

import { createHash } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { el, event, iqResult, item, ns } from "./xml.mjs";
import { honest, service } from "./account.mjs";
import { scenario, times, x } from "./events.mjs";

const nodes = 64;
const privateNode = (i) => `${ns.seen}:${i}`;
const keyOf = (service, node) => createHash("sha256").update(`${service}<${node}`).digest("hex").slice(0, 40);

/** Returns the number of the private node in which the item of a key belongs. */
function placeOf(key) {
  let hash = 2166136261;
  for (const b of Buffer.from(key)) hash = Math.imul(hash ^ b, 16777619) >>> 0;
  return hash % nodes;
}

/** Returns a marker of the honest service's item, as [number of its node, item]. */
function marker(id, { of = honest.service, node = honest.node, key = keyOf(of, node), place = placeOf(key), publisher, ...attributes } = {}) {
  const payload = el("seen", { xmlns: ns.seen, service: of, node, item: id, at: "2040-01-01T00:00:00Z", source: "delay", ...attributes });
  return [place, el("item", { id: key, publisher }, payload)];
}

const sent = (w, [place, text], from = w.jid) => event(from, w.jid, privateNode(place), text);

/** The account has personal nodes, which contain `stored(i)`, and `make` returns what arrives when the device has read them. */
const shared = (name, make, { stored, bytes = 256 << 10, ...inbox } = {}, more = {}) => scenario(`markers: ${name}`, async (context) => {
  const { account } = context;
  await context.fired(stored ? nodes + 1 : 1);
  await sleep(200);
  context.around(account.publish(), ...[make(account)].flat(Infinity));
}, {
  class: "marker", stranger: true, inbox: { requests: 150, stored: bytes, ...inbox },
  prepare: (account) => {
    account.personal = true;
    account.features = [...account.features, `${ns.pubsub}#publish-options`];
    account.rule("nodes", (c, e) => c.session.stanza(iqResult(e, account.jid, el("query", { xmlns: ns.items }, stored ? times(nodes, (i) => el("item", { jid: account.jid, node: privateNode(i) })) : []))), 10);
    if (!stored) return;
    account.rule("items", (c, e, pass) => {
      const { node } = e.getChild("pubsub").getChild("items").attrs;
      if (!node.startsWith(ns.seen)) return pass();
      return c.session.stanza(iqResult(e, account.jid, el("pubsub", { xmlns: ns.pubsub }, el("items", { node }, stored(Number(node.slice(ns.seen.length + 1)))))));
    }, 1000);
  },
  ...more,
});

const all = (w) => w.published.map((id) => marker(id));
const key = keyOf(honest.service, honest.node);

/** What is no marker of the honest node. */
const garbage = (id) => [
  marker(id, { key: "forged" }), marker(id, { key: keyOf(honest.service, "other") }), marker(id, { place: (placeOf(key) + 1) % nodes }), marker(id, { key: "x".repeat(5000) }),
  marker(id, { publisher: "mallory@localhost/x" }), marker(""), marker("x".repeat(50_000)), marker(id, { xmlns: "urn:x" }), marker(id, { node: "x".repeat(5000), key }), marker(id, { service, key }),
  ...["", "<x xmlns='urn:x'/>", "text", `<seen xmlns='${ns.seen}'/>`, `<seen xmlns='${ns.seen}'>${"<a/>".repeat(20_000)}</seen>`].map((inner) => [placeOf(key), el("item", { id: key }, inner)]),
];
const clean = (w) => sent(w, [placeOf(key), el("retract", { id: key })]);

export const markers = [
  shared("of another device", (w) => sent(w, marker("h1")), { seen: { h1: "likely-seen-elsewhere" } }),
  shared("of other senders", (w) => ["mallory@localhost", service, honest.service, "bob@localhost", "localhost", `${w.jid}/other`, w.session.full, `${w.name}@xn--localhost-`, `${w.jid}.`]
    .map((from) => all(w).map((m) => sent(w, m, from)))),
  shared("in carbons and results of archives", (w) => all(w).flatMap((m) => ["sent", "received"].map((direction) => el("message", { xmlns: ns.client, from: w.jid, to: w.jid },
    el(direction, { xmlns: "urn:xmpp:carbons:2" }, el("forwarded", { xmlns: ns.forward }, sent(w, m))))))),
  shared("that are none", (w) => w.published.flatMap((id) => garbage(id).flatMap((m) => [sent(w, m), clean(w)]))),
  shared("that are none, in 64 nodes", () => [], { stored: (i) => garbage("h1").filter(([place]) => place === i).map(([, text]) => text) }),
  shared("of 3,000 nodes that are not followed", (w) => times(3000, (i) => sent(w, marker("1", { of: "s.example", node: `n${i}` }))), { bytes: 2 << 20 }, { limits: { gap: 5000 } }),
  shared("of 1,000 items that are not known", (w) => times(1000, (i) => sent(w, marker(`unknown ${i}`, { at: `20${10 + (i % 10)}-01-01T00:00:00Z` }))), { seen: { h1: "unknown", h2: "unknown" } }),
  shared("in nodes that are purged and deleted 500 times", (w) => times(500, (i) => el("message", { xmlns: ns.client, from: w.jid, to: w.jid },
    el("event", { xmlns: ns.event }, el(i % 2 ? "purge" : "delete", { node: privateNode(i % nodes) }))))),
  shared("without an end, in 64 nodes", () => [], { stored: (i) => times(200, (j) => item(`${i}-${j}`, x)) }),
];
