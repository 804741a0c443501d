// Events of services and contacts: of those that are not followed, and of one that is and sends what it can. The inbox must
// keep the events of the honest service, believe nothing that is forged, and not grow.

import { chat, el, event, iqResult, item, ns } from "./xml.mjs";
import { honest, service } from "./account.mjs";
import { checkInbox } from "./inbox.mjs";

const node = "news"; // which the account follows at the service
const contact = "bob@localhost"; // of whom the account follows a node:
const mood = "urn:example:mood";
export const times = (n, make) => Array.from({ length: n }, (_, i) => make(i));
const forged = item("forged", el("x", { xmlns: "urn:x" }));
const long = (n, letter = "x") => letter.repeat(n);

/** Sends stanzas between events of the honest service. The inbox is checked at the end. */
export const scenario = (name, run, { inbox = {}, limits, ...more } = {}) => ({
  name: `events: ${name}`, class: "events", inbox: true, limits: { memory: 128 << 20, heap: 100 << 20, ...limits },
  setup: (account) => {
    account.change(honest.node, "subscribed", { at: honest.service });
    more.prepare?.(account);
  },
  run: async (context) => {
    context.account.push(context.account.publish());
    await run(context);
  },
  check: async (context) => {
    context.account.push(context.account.publish());
    await checkInbox(context, inbox);
    await more.then?.(context);
  },
  ...more,
});

const sent = (name, make, inbox = {}, more = {}) => scenario(name, (context) => {
  const { account } = context;
  context.around(account.publish(), ...[make(account)].flat(Infinity), account.publish());
}, { stranger: true, inbox, ...more });

const from = (address, name = node, ...items) => (w) => event(address, w.jid, name, ...(items.length > 0 ? items : [forged]));
const news = (w, ...items) => event(service, w.jid, node, ...items);
const changed = (w, ...changes) => el("message", { xmlns: ns.client, from: service, to: w.jid }, el("event", { xmlns: ns.event }, ...changes));
const wrapped = (name, xmlns, ...inner) => el("message", { xmlns: ns.client, from: name.from, to: name.to }, el(name.name, { xmlns }, el("forwarded", { xmlns: ns.forward }, ...inner)));

/** Returns a result of an archive. */
export const result = (w, { from: address = w.jid, queryid, id = "a1", stamp = "2000-01-01T00:00:00Z" }, message) => el("message", { xmlns: ns.client, from: address, to: w.jid },
  el("result", { xmlns: ns.mam, queryid, id }, el("forwarded", { xmlns: ns.forward }, el("delay", { xmlns: ns.delay, stamp }), message)));

/** Events that must not be believed. */
const unbelieved = [
  ["of 500 services that are not followed", (w) => times(500, (i) => from(`s${i}.example`)(w))],
  ["of 500 nodes of a followed service that are not followed", (w) => times(500, (i) => from(service, `forged ${i}`)(w))],
  ["of nodes of other services and contacts that are followed", (w) => [from(service, honest.node), from(service, "constructor"), from(honest.service, node), from(contact, node), from(honest.service, mood)].map((make) => make(w))],
  ["of a contact who is not followed (+notify)", (w) => times(300, (i) => from(`carol${i % 3}@localhost`, i % 2 ? mood : "urn:xmpp:microblog:0")(w))],
  ["of another node of a followed contact (+notify)", (w) => [from(contact, "urn:xmpp:bookmarks:1")(w), from(contact, `${mood}:0`)(w)]],
  ["of devices of a followed contact", (w) => [from(`${contact}/x`, mood)(w), from(`${contact}/`, mood)(w)]],
  ["of a service that has a localpart or a resource", (w) => [from(`forged@${service}`)(w), from(`${service}/x`)(w), from(`${w.name}@${service}`)(w)]],
  ["of the account, its devices and its server", (w) => [w.jid, `${w.jid}/other`, w.session.full, "localhost", "localhost/x"].map((address) => from(address)(w))],
  ["of look-alikes of the service", (w) => ["pubsub．localhost", "pubsub.localhost.", "xn--pubsub-.localhost", "ｐubsub.localhost", "pub\u00ADsub.localhost", "pubsub.localhost\u200B", "pubsub.localhost.evil.example", "pubsub.localhost@evil.example"].map((address) => from(address)(w))],
  ["of a service with from in a namespace", (w) => from("evil.example")(w).replace("<message ", `<message xmlns:x='urn:x' x:from='${service}' `)],
  ["without a sender", (w) => from(undefined)(w)],
  ["in errors", (w) => from(service)(w).replace("type='headline'", "type='error'")],
  ["in carbons", (w) => ["sent", "received"].flatMap((name) => [w.jid, "mallory@elsewhere.example/x"].map((address) => wrapped({ name, from: address, to: w.jid }, "urn:xmpp:carbons:2", from(service)(w))))],
  ["forwarded", (w) => [wrapped({ name: "x", from: service, to: w.jid }, "urn:x", from(service)(w)), el("message", { xmlns: ns.client, from: contact, to: w.jid }, el("forwarded", { xmlns: ns.forward }, from(service)(w)))]],
  ["within the body of a chat message", (w) => chat(service, w.jid, "x", el("x", { xmlns: "urn:x" }, el("event", { xmlns: ns.event }, el("items", { node }, forged))))],
  ["in other namespaces and elements", (w) => [from(service)(w).replace(ns.event, `${ns.event}s`), from(service)(w).replace("<items", "<items xmlns='urn:x'"), from(service)(w).replaceAll("message", "presence").replace("type='headline'", "")]],
  ["in answers to nothing", (w) => times(200, (i) => el("iq", { xmlns: ns.client, from: service, to: w.session.full, type: "result", id: `${i}` }, el("pubsub", { xmlns: ns.pubsub }, el("items", { node }, forged))))],
  ["in results of archives that were not asked", (w) => [w.jid, "localhost", service, "mallory@localhost", undefined].flatMap((address) => ["", "1", "catch-up-1", "forged"].map((queryid) => result(w, { from: address, queryid }, from(service)(w))))],
  ["of nodes without a name", (w) => [from(service, "")(w), from(service, undefined)(w).replace(` node='${node}'`, ""), changed(w, el("purge"), el("delete"), el("configuration"))]],
].map(([name, make]) => sent(`${name} are not believed`, make));

const spaces = times(10_000, (i) => `<a xmlns='urn:n:${i}'/>`).join("");
export const most = (n, of = 500) => (events) => {
  if (events.length > of || events.length < n) throw new Error(`${events.length} events, want ${n} to ${of}`);
};
export const published = (...ids) => ids.map((id) => [service, node, "published", id]);
export const x = el("x", { xmlns: "urn:x" });
const floods = { limits: { gap: 5000 } };

/** What a followed service sends about its own node. */
const much = [
  ["one event 1,000 times", (w) => times(1000, () => news(w, item("1", x))), { want: published("1") }],
  ["one event 1,000 times, of which every second is delayed", (w) => times(1000, (i) => news(w, item("1", x)).replace("</message>", i % 2 ? "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>" : "</message>")), { want: published("1") }],
  ["3,000 items in turn with other payloads", (w) => times(3000, (i) => news(w, item("1", el("x", { xmlns: "urn:x" }, `${i}`)))), { want: most(500) }, floods],
  ["1,000 items under one long namespace", (w) => news(w, ...times(1000, (i) => item(`l${i}`, "<p:x/>"))).replace("<items ", `<items xmlns:p='urn:${long(60 << 10)}' `), { want: most(500) }, floods],
  ["10,000 items in 10 messages", (w) => times(10, (i) => news(w, ...times(1000, (j) => item(`${i}-${j}`, x)))), { want: most(500) }, floods],
  ["payloads with 10,000 namespaces", (w) => times(5, (i) => news(w, item(`s${i}`, el("x", { xmlns: "urn:x" }, spaces)))), { want: published("s0", "s1", "s2", "s3", "s4"), stored: 5 * (300 << 10) }, floods],
  ["a payload of 200 KB", (w) => news(w, item("large", el("x", { xmlns: "urn:x" }, long(200 << 10)))), { want: published("large") }],
  ["300 payloads that are longer than what is kept", (w) => times(300, (i) => news(w, item(`long ${i}`, el("x", { xmlns: "urn:x" }, long(270 << 10))))), { want: most(300) }, floods],
  ["500 short items in long messages", (w) => times(500, (i) => news(w, item(`short ${i}`, x)).replace("</message>", `<x xmlns='urn:x'>${long(200 << 10)}</x></message>`)), { want: most(500) }, floods],
  ["20,000 retractions of unknown items", (w) => times(20, (i) => news(w, ...times(1000, (j) => el("retract", { id: `${i}-${j}` })))), { want: most(500) }, floods],
  ["3,000 purges", (w) => times(3000, () => changed(w, el("purge", { node }))), { want: [[service, node, "purged", undefined]] }, floods],
  ["items and purges in turn", (w) => times(1000, (i) => (i % 2 ? changed(w, el("purge", { node })) : news(w, item("1", x)))), { want: most(500) }, floods],
  ["items and retractions in turn", (w) => times(1000, (i) => news(w, i % 2 ? el("retract", { id: "1" }) : item("1", x))), { want: most(500) }, floods],
  ["1,000 configurations, with forms of 100 fields", (w) => times(1000, (i) => changed(w, el("configuration", { node }, el("x", { xmlns: "jabber:x:data", type: "result" }, times(100, (j) => el("field", { var: `f${j}` }, el("value", {}, `${i}`))))))), { want: most(1), stored: 3 << 20 }, floods],
  ["5,000 SubID headers", (w) => news(w, item("1", x)).replace("</message>", `<headers xmlns='http://jabber.org/protocol/shim'>${times(5000, (i) => `<header name='SubID'>s${i}</header>`).join("")}</headers></message>`), { want: published("1") }],
  ["item ids and publishers of 50 KB and 100 KB", (w) => [50, 100].map((kb) => [news(w, item(long(kb << 10), x)), news(w, item(`${kb}`, x).replace("<item ", `<item publisher='${long(kb << 10)}' `)), news(w, el("retract", { id: long(kb << 10) }))]), { want: published("50") }],
  ["node names of 50 KB and 1 MB", (w) => [50 << 10, 1 << 20].map((n) => [event(service, w.jid, long(n), forged), changed(w, el("purge", { node: long(n) }), el("delete", { node: long(n) }))]), {}],
  ["items without an id, a payload or anything", (w) => times(200, () => news(w, "<item/>", "<item id=''/>", "<item><x xmlns='urn:x'/></item>", "<retract/>", "<retract id=''/>", "text", "<other/>")), { want: most(1, 10) }],
  ["notices without a payload for 3,000 items", (w) => times(3000, (i) => news(w, item(`n${i}`))), { want: most(500), requests: 3100 }, floods],
  ["notices without a payload for one item, 1,000 times", (w) => times(1000, () => news(w, item("1"))), { want: published("1") }],
].map(([name, make, inbox, more]) => sent(name, make, inbox, more));

/** Content of items that a page might believe or follow. */
const unsafe = ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "java\tscript:alert(1)", "data:text/html,<script>", "vbscript:x", "file:///etc/passwd", "//evil.example", "http:///evil", "https://a b", "http://a\\b", "data:image/svg+xml,<svg/>", "data:image/svg+xml;base64,PHN2Zy8+", "DATA:image/SVG+xml;base64,PHN2Zy8+", `https://evil.example/${long(9000)}`];
const atom = (...inner) => el("entry", { xmlns: ns.atom }, ...inner);
const link = (href, rel = "alternate", type = undefined) => el("link", { href, rel, type });
const contents = [
  ["links of an entry that run a program", (w) => unsafe.map((href, i) => news(w, item(`u${i}`, atom(el("title", {}, "t"), link(href), link(href, "enclosure", "image/png"), el("thumbnail", { xmlns: "http://search.yahoo.com/mrss/", url: href }))))),
    { want: (events) => { const bad = events.filter((e) => e.urls.length > 0); if (events.length !== unsafe.length || bad.length > 0) throw new Error(`${events.length} events, links ${JSON.stringify(bad)}`); } }],
  ["a safe link among unsafe ones", (w) => news(w, item("1", atom(...unsafe.map((href) => link(href)), link("https://good.example/1")))),
    { want: ([e]) => { if (e.urls.join() !== "https://good.example/1") throw new Error(`links ${e.urls}`); } }],
  ["a title of 200 KB with markup", (w) => news(w, item("1", atom(el("title", { type: "html" }, `&lt;img src=x onerror=alert(1)&gt;${long(200 << 10, "t")}`)))),
    { want: ([e]) => { if (/<|onerror/.test(e.title) || e.title.length > 1024) throw new Error(`the title has ${e.title.length} characters: ${e.title.slice(0, 50)}`); }, stored: 512 << 10 }],
  ["a deletion with a redirect to another service", (w) => times(200, (i) => changed(w, el("delete", { node }, el("redirect", { uri: `xmpp:forged.example?;node=n${i % 3}` })))),
    { want: () => undefined, requests: 60 }, { then: noRequest("subscribe") }],
  ["a deletion with a redirect that runs a program", (w) => changed(w, el("delete", { node }, el("redirect", { uri: "javascript:alert(1)" }))), { want: [[service, node, "deleted", undefined]] }],
  ["absurd stamps", (w) => ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "2999-01-01T00:00:00+14:00", "-0001-01-01T00:00:00Z", "2026-13-45T99:99:99Z", "1e400", "", long(50 << 10, "9"), "292278994-08-17T07:12:55Z", "2026-01-01T00:00:00.0000000000000000000001Z"]
    .map((stamp, i) => news(w, item(`t${i}`, x)).replace("</message>", `${el("delay", { xmlns: ns.delay, stamp })}</message>`)), { want: published(...times(10, (i) => `t${i}`)) }],
  ["absurd times of entries", (w) => ["9999-12-31T23:59:59Z", "0000-01-01T00:00:00Z", "never", long(50_000, "1")].map((at, i) => news(w, item(`t${i}`, atom(el("updated", {}, at), el("published", {}, at))))),
    { want: published("t0", "t1", "t2", "t3") }],
  ["500 events of the far future", (w) => times(500, (i) => news(w, item(`t${i}`, atom(el("updated", {}, `${9000 + i}-01-01T00:00:00Z`))))), { want: most(400) }],
  ["names that JavaScript uses", (w) => ["__proto__", "constructor", "toString", "hasOwnProperty", "\u202E\u200B"].map((id) => news(w, item(id, el("__proto__", { xmlns: "constructor" })))), { want: published("__proto__", "constructor", "toString", "hasOwnProperty", "\u202E\u200B") }],
  ["an item that other parsers refuse", (w) => news(w, item("1", el("x", { xmlns: "urn:x" }, "<xml:a/>"))), { want: (events) => { if (events.length !== 1 || events[0].omitted !== "unreadable") throw new Error(JSON.stringify(events)); } }],
].map(([name, make, inbox, more]) => sent(name, make, inbox, more));

function noRequest(step) {
  return ({ account }) => { if (account.steps.includes(step)) throw new Error(`the client sent a request: ${step}`); };
}

/** Answers about the items of a node that was subscribed to just now. */
const answers = [
  ["5,000 items", (w) => times(5000, (i) => item(`i${i}`, x)), most(1, 20)],
  ["items of another node", () => forged, most(0, 0), { other: "other" }],
  ["no items, but pages without end", () => "", most(0, 0), { more: el("set", { xmlns: ns.rsm }, el("first", { index: "0" }, "a"), el("last", {}, "b"), el("count", {}, "1000000")) }],
].map(([name, make, want, { other, more } = {}]) => scenario(`${name} in an answer`, async (context) => {
  const { account } = context;
  account.rule("items", (c, e) => c.session.stanza(iqResult(e, e.attrs.to,
    el("pubsub", { xmlns: ns.pubsub }, el("items", { node: other ?? e.getChild("pubsub").getChild("items").attrs.node }, make(account)), more))), 100);
  account.change("added", "subscribed");
  await context.fired(1);
}, { inbox: { want: (events) => want(events.filter((e) => e.node === "added")) } }));

const unanswered = scenario("notices without a payload, for items that the service does not send", async (context) => {
  const { account } = context;
  account.rule("items", () => undefined, 1e6);
  context.around(...times(1000, (i) => news(account, item(`n${i}`))));
  await context.fired(1);
  await context.heard();
}, { stranger: true, inbox: { want: most(500) } });

export const events = [unanswered, ...unbelieved, ...much, ...contents, ...answers];
