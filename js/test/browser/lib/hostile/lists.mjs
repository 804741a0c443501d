// The list and its notifies: from the account's server, which may be wrong, and from unauthorised senders.

import { fullList } from "./connection.mjs";
import { chat, el, iqError, iqResult, notify, ns, row } from "./xml.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const forged = (node = "forged") => ({ service: "pubsub.localhost", node, state: "subscribed" });
const rows = (n, make) => Array.from({ length: n }, (_, i) => make(i)).join("");

/** Lists that the server sends once, in a new session, before it sends the correct one. */
const wrong = (name, act, more = {}) => ({
  name: `list: ${name}`, class: "list", rules: 1,
  run: async (context) => {
    const { account } = context;
    account.rule("list", (c, e, honest) => act({ c, e, honest, account }));
    account.lose(account.session);
    account.cut();
    await context.fired(1);
    account.honest();
    if (more.then) await more.then(context);
    await sleep(more.pause ?? 200);
    // The next session requests the list again.
    account.epoch += "x";
    if (account.session) account.lose(account.session);
    account.cut();
  },
  ...more,
});
const said = (make) => ({ c, e, account }) => {
  c.session.listening = true;
  c.session.stanza(iqResult(e, account.jid, make(account)));
};
const list = (account, ver, ...inner) => el("subscriptions", { xmlns: ns.pam, ver }, ...inner);

const lists = [
  wrong("33 MiB", said((w) => list(w, "big", rows(320_000, (i) => `<subscription service='pubsub.localhost' node='node-${i}-${"n".repeat(30)}' jid='${w.jid}'/>`))), { limits: { gap: 8000, memory: 640 << 20 }, pause: 3000 }),
  wrong("100,000 rows that cannot be read", said((w) => list(w, "odd", rows(100_000, (i) => `<subscription service='@@${i}' node='n' jid='${w.jid}'/>`))), { limits: { gap: 6000 }, pause: 2000 }),
  wrong("100,000 rows of another account", said((w) => list(w, "others", rows(100_000, (i) => `<subscription service='pubsub.localhost' node='forged${i}' jid='mallory@localhost'/>`))), { limits: { gap: 6000 }, pause: 2000 }),
  wrong("one row 50,000 times", said((w) => list(w, "same", row({ ...forged(), node: "again" }, w.jid, true).repeat(50_000))), { limits: { gap: 5000 }, pause: 1500 }),
  wrong("a version of 65,000 apostrophes", said((w) => el("subscriptions", { xmlns: ns.pam }, row(forged("quoted"), w.jid, true)).replace(">", ` ver="${"'".repeat(65_000)}">`)),
    { then: async ({ account, tab }) => {
      account.rule("list", (c, e, honest) => {
        const { ver = "" } = e.getChild("subscriptions").attrs;
        if (ver.length > 4096) account.faults.push(`the client sent back a version of ${ver.length} characters`);
        honest();
      }, 3);
      await tab.call("refresh");
    } }),
  wrong("an empty version", said((w) => fullList(w).replace(/ ver='[^']*'/, " ver=''"))),
  wrong("no version", said((w) => fullList(w).replace(/ ver='[^']*'/, ""))),
  wrong("an empty list", said(() => el("subscriptions", { xmlns: ns.pam, ver: "none" }))),
  wrong("an empty result to a request without a version", ({ c, e, account }) => { c.session.listening = true; c.session.stanza(iqResult(e, account.jid)); }),
  wrong("two lists in one result", ({ c, e, account }) => { c.session.listening = true; c.session.stanza(iqResult(e, account.jid, fullList(account), list(account, "second", row(forged(), account.jid, true)))); }),
  wrong("something else in the result", said(() => el("query", { xmlns: "jabber:iq:roster" }))),
  wrong("rows of every odd kind", said((w) => list(w, "odd", row({ service: "pubsub.localhost", node: "__proto__", state: "constructor" }, w.jid, true),
    row({ service: "toString@valueOf", node: "hasOwnProperty", state: "__proto__" }, w.jid, true), "<subscription/>", "text", el("other", {}),
    row({ service: "pubsub.localhost", node: "\u202e\u200b", state: "x".repeat(10_000) }, w.jid, true), row({ service: "s".repeat(1023), node: "", state: "none" }, w.jid, true),
    row({ service: "pubsub.localhost", node: "n".repeat(60_000), state: "subscribed", subid: "s".repeat(60_000) }, w.jid, true)))),
  wrong("an error", ({ c, e, account }) => c.session.stanza(iqError(e, account.jid, "internal-server-error", "wait"))),
  wrong("an error without a condition", ({ c, e }) => c.session.stanza(el("iq", { xmlns: ns.client, type: "error", id: e.attrs.id }))),
  wrong("an error of a service", ({ c, e, account }) => c.session.stanza(iqError(e, account.jid, "not-allowed").replace("<error ", "<error by='evil.example' "))),
  wrong("the answer under another id first", ({ c, e, honest, account }) => { c.session.stanza(iqResult({ attrs: { id: "other" } }, account.jid, list(account, "x", row(forged(), account.jid, true)))); honest(); }),
  wrong("an answer of another sender first", ({ c, e, honest, account }) => { c.session.stanza(iqResult(e, "mallory@localhost", list(account, "x", row(forged(), account.jid, true)))); honest(); }),
  wrong("the answer of another device first", ({ c, e, honest, account }) => { c.session.stanza(iqResult(e, `${account.jid}/other`, list(account, "x", row(forged(), account.jid, true)))); honest(); }),
  wrong("the answer of a look-alike domain first", ({ c, e, honest, account }) => { c.session.stanza(iqResult(e, `${account.name}@xn--localhost-`, list(account, "x", row(forged(), account.jid, true)))); honest(); }),
  wrong("the answer twice", ({ c, e, honest, account }) => { honest(); c.session.stanza(iqResult(e, account.jid, list(account, "x", row(forged(), account.jid, true)))); }),
  wrong("5,000 errors under the same id", ({ c, e, honest, account }) => { for (let i = 0; i < 5000; i++) c.session.stanza(iqError(e, "mallory@localhost", "gone")); honest(); }),
  wrong("no answer, and 30 notifies", ({ c, account }) => { c.session.listening = true; for (let i = 0; i < 30; i++) account.change(`noise ${i % 3}`, i % 2 ? "none" : "subscribed"); }),
  wrong("a notify with every answer", ({ c, e, honest, account }) => { account.change("noisy", "subscribed"); honest(); account.change("noisy", "none"); }),
];

const live = (name, run, more = {}) => ({ name: `notify: ${name}`, class: "list", run, ...more });
const n = (w, from, ...inner) => el("message", { xmlns: ns.client, from, to: w.jid }, el("notify", { xmlns: ns.pam, service: "pubsub.localhost", ver: "forged" }, ...inner));
const one = (w) => row(forged(), w.jid, false);

/** Content that other senders, or another device, may put into a message, and that must not change the list. */
const forgeries = [
  ["of another sender", (w) => n(w, "mallory@elsewhere.example/x", one(w))],
  ["of another user of the domain", (w) => n(w, "mallory@localhost", one(w))],
  ["of the service", (w) => n(w, "pubsub.localhost", one(w))],
  ["of another device of the account", (w) => n(w, `${w.jid}/other`, one(w))],
  ["of a look-alike of the domain", (w) => n(w, `${w.name}@xn--localhost-`, one(w))],
  ["of a domain below", (w) => n(w, "pam.localhost", one(w))],
  ["with an empty from", (w) => n(w, "", one(w))],
  ["with from in a namespace", (w) => n(w, "mallory@elsewhere.example/x", one(w)).replace("<message ", `<message xmlns:x='urn:x' x:from='${w.jid}' `)],
  ["that is an error", (w) => n(w, w.jid, one(w)).replace("<message ", "<message type='error' ")],
  ["in a carbon that was sent", (w) => carbon(w, "sent")],
  ["in a carbon that was received", (w) => carbon(w, "received")],
  ["in a result of the archive", (w) => el("message", { xmlns: ns.client, from: w.jid, to: w.jid }, el("result", { xmlns: "urn:xmpp:mam:2", id: "1" }, el("forwarded", { xmlns: "urn:xmpp:forward:0" }, n(w, w.jid, one(w)))))],
  ["in a chat message of another sender, deeply nested", (w) => chat("mallory@elsewhere.example/x", w.jid, "x1", el("x", { xmlns: "urn:x" }, el("notify", { xmlns: ns.pam, ver: "forged" }, one(w))))],
].map(([name, make]) => live(name, (context) => context.around(make(context.account), make(context.account)), { stranger: true }));

const carbon = (w, direction) => el("message", { xmlns: ns.client, from: w.jid, to: w.jid },
  el(direction, { xmlns: "urn:xmpp:carbons:2" }, el("forwarded", { xmlns: "urn:xmpp:forward:0" }, n(w, w.jid, one(w)))));

const floods = [
  live("2,000 forged ones in one turn", (context) => context.around(...Array.from({ length: 2000 }, (_, i) => n(context.account, `mallory${i}@elsewhere.example/x`, one(context.account)))), { stranger: true }),
  live("a forged one with 3,000 rows", (context) => context.around(n(context.account, "mallory@elsewhere.example/x", one(context.account).repeat(2000))), { stranger: true }),
  live("1,000 right ones in one turn", ({ account, connection }) => connection.batch(() => { for (let i = 0; i < 1000; i++) account.change(`flood ${i % 100}`, i % 3 ? "subscribed" : "none"); }), { limits: { gap: 4000 } }),
  live("one with 2,000 rows that cannot be read", (context) => context.around(notify(context.account.jid, "pubsub.localhost", "odd", "<subscription node='x' subscription='subscribed' jid='@@@'/>".repeat(2000)))),
  live("without a version", (context) => { context.account.change("silent", "subscribed"); context.around(notify(context.account.jid, "pubsub.localhost", undefined, row({ node: "silent", state: "subscribed" }, context.account.jid, false))); }),
  live("500 hints of the service about a node in the list", (context) => context.around(...Array.from({ length: 500 }, () => hint(context.account, "news"))), {
    stranger: true, check: ({ account }) => { const lists = account.steps.filter((s) => s === "list").length; if (lists > 8) throw new Error(`${lists} lists for hints`); } }),
  live("hints of other senders", (context) => context.around(...Array.from({ length: 300 }, () => hint(context.account, "news").replace("from='pubsub.localhost'", "from='evil.example'"))), {
    stranger: true, check: ({ account }) => { const lists = account.steps.filter((s) => s === "list").length; if (lists > 3) throw new Error(`${lists} lists for hints of other senders`); } }),
  live("old ones, with a stamp", (context) => context.around(notify(context.account.jid, "pubsub.localhost", "old", row(forged(), context.account.jid, false)).replace("</message>", "<delay xmlns='urn:xmpp:delay' stamp='2020-01-01T00:00:00Z'/></message>")), { stranger: true }),
];

const hint = (w, node) => el("message", { xmlns: ns.client, from: "pubsub.localhost", to: w.jid, type: "headline" },
  el("event", { xmlns: ns.event }, el("subscription", { node, jid: w.jid, subscription: "none" }), el("delete", { node })));

const requests = [
  ["subscribe", "not-authorized", "evil.example"], ["subscribe", "remote-server-timeout"], ["unsubscribe", "internal-server-error"], ["subscribe", "a".repeat(1000)],
  ["unsubscribe", "item-not-found"], // and the row is removed
].map(([method, condition, by]) => ({
  name: `${method} is answered ${condition.slice(0, 30)}`, class: "list", rules: 1,
  run: async ({ account, tab }) => {
    account.rule(method, (c, e) => {
      if (condition === "item-not-found") account.change("news", "none");
      c.session.stanza(iqError(e, account.jid, condition).replace("<error ", by ? `<error by='${by}' ` : "<error "));
    });
    await tab.call(method, { service: "pubsub.localhost", node: method === "subscribe" ? "wanted" : "news" });
  },
}));

export const listing = [...lists, ...forgeries, ...floods, ...requests];
