// The archive of the account, which is read after an absence. It answers wrongly about the followed service, and correctly
// about the honest one. What forged results contain must not be believed, and the requests must end.

import { el, event, iqError, iqResult, item, ns } from "./xml.mjs";
import { honest, service } from "./account.mjs";
import { most, published, result, scenario, times, x } from "./events.mjs";
import { caughtUp } from "./inbox.mjs";

const everything = "urn:xmpp-pam:archives-all-events:0";
const fin = (complete, last) => el("fin", { xmlns: ns.mam, complete: `${complete}` }, el("set", { xmlns: ns.rsm }, last ? [el("first", {}, last), el("last", {}, last)] : []));

/** A query of the archive, and what the server can answer. */
class Query {
  constructor(account, c, e, page) {
    const query = e.getChild("query", ns.mam);
    const field = (name) => query.getChild("x")?.getChildren("field").find((f) => f.attrs.var === name)?.getChildText("value");
    Object.assign(this, { account, c, e, page, id: query.attrs.queryid, about: field("with") });
  }

  /** Sends results with these items; `of` differs from the defaults of result(). */
  results(ids, of = {}, message = (id) => event(service, this.account.jid, "news", item(id, x))) {
    for (const id of ids) this.c.session.stanza(result(this.account, { queryid: this.id, id: `a-${id}`, ...of }, message(id)));
  }

  end(complete = true, last = "", from = this.account.jid) { this.c.session.stanza(iqResult(this.e, from, fin(complete, last))); }
}

/**
 * The device was connected, and is again: what `answer(query)` sends are the events that it has missed. With `live`, the
 * first session has an archive too, and these stanzas arrive in it.
 */
const archive = (name, answer, { wait = true, sessions = 1, live, ...inbox } = {}, more = {}) => {
  const begin = (account) => {
    let pages = 0, missed;
    account.features = [...account.features, ns.mam, everything];
    account.rule("archive", (c, e) => {
      const query = new Query(account, c, e, pages);
      if (query.about === service && (account.away || !live)) {
        pages++;
        return void answer(query);
      }
      if (query.about === honest.service && account.away) query.results(["h"], { stamp: new Date().toISOString() }, () => (missed ??= account.publish()));
      query.end();
    }, 1e6);
  };
  return scenario(`archive: ${name}`, async (context) => {
    const { account } = context;
    await caughtUp(context);
    if (live) context.around(...live(account));
    else begin(account);
    account.away = true;
    for (let i = 0; i < sessions; i++) {
      await context.heard();
      const { fired } = account;
      account.lose(account.session);
      account.cut();
      await context.fired(fired + 2);
    }
    await context.live("after the absence");
    if (wait) await caughtUp(context);
  }, { inbox: { stored: 1 << 20, ...inbox }, prepare: live && begin, class: "archive", ...more });
};

const flood = { limits: { gap: 5000 } };

const endless = [
  ["of 100,000 pages", (q) => { const ids = times(100, (i) => `${q.page}-${i}`); q.results(ids); q.end(false, `a-${ids.at(-1)}`); }, { want: most(500, 500), requests: 140 }, flood],
  ["of 100,000 small pages", (q) => { q.results([`${q.page}`]); q.end(false, `a-${q.page}`); }, { want: most(200), requests: 290 }, flood],
  ["of empty pages without end", (q) => q.end(false, `p${q.page}`), { requests: 290 }, flood],
  ["that sends the same page again and again", (q) => { q.results(["1", "2"]); q.end(false, "a-2"); }, { want: published("1", "2") }],
  ["that sends two pages in turn", (q) => { q.results([`${q.page % 2}`]); q.end(false, `a-${q.page % 2}`); }, { want: published("0", "1") }],
  ["that sends pages without ids", (q) => { q.results([`${q.page}`], { id: undefined }); q.end(false); }, { want: most(1, 3) }],
  ["of one page with 12,000 results", (q) => { q.results(times(12_000, (i) => `${i}`)); q.end(true, "a-11999"); }, { want: most(500, 500) }, flood],
  ["that sends results without an end", (q) => q.results(["1", "2"]), { wait: false, want: published("1", "2") }],
  ["that has lost every message", (q) => q.c.session.stanza(iqError(q.e, q.account.jid, "item-not-found"))],
  ["that always fails", (q) => q.c.session.stanza(iqError(q.e, q.account.jid, "internal-server-error"))],
  ["that answers with something else", (q) => q.c.session.stanza(iqResult(q.e, q.account.jid, el("pubsub", { xmlns: ns.pubsub }, el("items", { node: "news" }, item("forged", x)))))],
];

const wrong = [
  ["that is complete at once", (q) => q.end()],
  ["with results of other queries", (q) => {
    for (const queryid of ["", "1", "catch-up-1", `${q.id}0`, q.id.slice(0, -1), `${q.id.slice(0, -2)}99`]) q.results(["forged"], { queryid });
    q.results(["true"]);
    q.end();
  }, { want: published("true") }],
  ["with results of other senders", (q) => {
    for (const from of [`${q.account.jid}/other`, q.account.session.full, "mallory@localhost", service, honest.service, "localhost.example", `${q.account.name}@xn--localhost-`]) q.results(["forged"], { from });
    q.results(["true"]);
    q.end();
  }, { want: published("true") }],
  ["that other senders end first", (q) => {
    for (const from of ["mallory@localhost", service, `${q.account.jid}/other`]) q.end(true, "forged", from);
    q.results(["true"]);
    q.end();
  }, { want: published("true") }],
  ["with results after the end", (q) => { q.results(["true"]); q.end(); q.results(["forged"]); }, { want: published("true") }],
  ["with results of the last session", (q) => {
    if (q.page === 0) return void (q.account.lastQuery = q.id);
    q.results(["forged"], { queryid: q.account.lastQuery });
    q.results(["true"]);
    q.end();
  }, { sessions: 2, want: published("true") }],
  ["with events of what is not followed", (q) => {
    for (const [from, node] of [["stranger.example", "news"], [service, "forged"], [service, honest.node], ["bob@localhost/x", "urn:example:mood"], ["carol@localhost", "urn:example:mood"], ["pubsub.localhost.", "news"]]) {
      q.results(["forged"], {}, () => event(from, q.account.jid, node, item("forged", x)));
    }
    q.results(["true"]);
    q.end();
  }, { want: published("true") }],
  ["with results without a message, a stamp or a place", (q) => {
    q.results(["1"], { stamp: undefined });
    q.results(["2"], { stamp: "never" });
    q.results(["forged"], {}, () => undefined);
    q.results(["forged"], {}, () => el("presence", { xmlns: ns.client, from: service }, event(service, q.account.jid, "news", item("forged", x))));
    q.results(["forged"], {}, (id) => result(q.account, { queryid: q.id }, event(service, q.account.jid, "news", item(id, x))));
    q.results(["3"], { id: "x".repeat(50_000) });
    q.end();
  }, { want: published("1", "2") }],
  ["of which other senders have named the places", (q) => {
    if (q.e.getChild("query", ns.mam).getChild("set", ns.rsm)?.getChildText("after") !== "place") q.results(["forged"]); // asked after another place
    q.results(["true"]);
    q.end();
  }, { want: published("live", "true"), live: (w) => {
    const named = ([by, id]) => el("stanza-id", { xmlns: "urn:xmpp:sid:0", by, id });
    const others = ["mallory@localhost", service, "localhost", `${w.jid}/x`, "", undefined].map((by) => [by, "forged"]);
    return [event(service, w.jid, "news", item("live", x)).replace("</message>", `${[...others.slice(0, 2), [w.jid, "place"], ...others].map(named).join("")}</message>`)];
  } }],
  ["with results of the far future", (q) => { q.results(times(20, (i) => `${i}`), { stamp: "9999-12-31T23:59:59Z" }); q.end(); }, { want: published(...times(20, (i) => `${i}`)) }],
];

export const archives = [...endless, ...wrong].map((args) => archive(...args));
