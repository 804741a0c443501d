// An account at the server: its list, its sessions, the messages of its friend, and the rules by which the server misbehaves.

import { randomBytes } from "node:crypto";
import { chat, el, esc, event, item, notify, ns, row } from "./xml.mjs";
import { Session } from "./session.mjs";

export const friend = "friend@elsewhere.example/home";
export const service = "pubsub.localhost";
export const honest = { service: "good.localhost", node: "feed" };

const deltas = 50; // how many changes the server keeps

export class Account {
  constructor(name, password) {
    this.jid = `${name}@localhost`;
    this.name = name;
    this.password = password;
    this.offered = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"];
    this.features = [ns.pam]; // of the account
    this.personal = false; // the account has personal nodes
    this.published = []; // the ids of the honest service's items
    this.epoch = randomBytes(4).toString("hex");
    this.rows = new Map();
    this.history = [];
    for (const [node, state, subid, where] of [["news", "subscribed"], ["weather", "pending"], ["a & <b> 'c' \"d\" é 💡", "subscribed"],
      ["twice", "subscribed", "s1"], ["twice", "subscribed", "s2"], ["urn:example:mood", "subscribed", undefined, "bob@localhost"]]) {
      this.change(node, state, { subid, at: where });
    }
    this.connection = undefined; // the newest
    this.session = undefined; // the newest
    this.sessions = new Map(); // those that can be resumed, by their id
    this.connections = 0;
    this.offline = [];
    this.sent = new Map(); // number of a friend's message → how often the server started to deliver it
    this.faults = []; // violations of the protocol by the client
    this.largest = 0; // length of the longest stanza sent to it
    this.secrets = new Set(); // the data of the client's authentications
    this.plain = false; // the password was sent with PLAIN,
    this.plainAllowed = false; // which was allowed
    this.rules = [];
    this.fired = 0; // how often a rule was applied
    this.steps = []; // the client's steps so far
  }

  // The list -----------------------------------------------------------------------

  get ver() { return `${this.epoch}-${this.history.length}`; }

  /** Returns the list as sorted rows of text, for comparison. */
  list() {
    return [...this.rows.values()].map((r) => [r.service, r.node, r.subid ?? "", this.jid, r.state].join(" ")).sort();
  }

  /** Another device of the account, or the service, changes a subscription; "none" ends it. */
  change(node, state, { subid, at = service } = {}) {
    const entry = { service: at, node, subid, state };
    const key = [at, node, subid ?? ""].join("\n");
    if (state === "none") this.rows.delete(key);
    else this.rows.set(key, entry);
    this.history.push(entry);
    if (this.session?.listening) this.session.stanza(this.notifyOf(this.history.length));
  }

  /** Returns the notify of the n-th change. */
  notifyOf(n) {
    const entry = this.history[n - 1];
    return notify(this.jid, entry.service, `${this.epoch}-${n}`, row(entry, this.jid, false));
  }

  /** Returns the notifies since a version, or undefined if the server no longer knows it. */
  since(ver) {
    const n = ver?.startsWith(`${this.epoch}-`) ? Number(ver.slice(this.epoch.length + 1)) : NaN;
    if (!(n >= 0 && n <= this.history.length && this.history.length - n <= deltas)) return undefined;
    return this.history.slice(n).map((_, i) => this.notifyOf(n + i + 1));
  }

  // The friend -----------------------------------------------------------------------

  /** Returns a message of the friend, which the page must receive. */
  friendMessage() {
    const number = this.sent.size + 1;
    this.sent.set(number, 1);
    return chat(friend, this.jid, `m${number}`, el("body", {}, esc(`friend ${number} & <co>`)));
  }

  /** Returns the event of an item of the honest service, which the inbox must contain. */
  publish() {
    const id = `h${this.published.length + 1}`;
    this.published.push(id);
    return event(honest.service, this.jid, honest.node, item(id, el("entry", { xmlns: ns.atom }, el("title", {}, id))));
  }

  /** Delivers stanzas to the session, in one turn of the page's event loop if they fit. Without a session they are queued. */
  push(...stanzas) {
    const session = this.session;
    if (!session) return void this.offline.push(...stanzas);
    session.connection?.batch(() => {
      for (const stanza of stanzas) session.stanza(stanza);
      session.ask();
    }) ?? stanzas.forEach((stanza) => session.stanza(stanza));
  }

  /** Delivers to the next session what the client has not received in a lost session. */
  lose(session) {
    this.sessions.delete(session.id);
    for (const stanza of session.unacknowledged) {
      const number = Number(/ id='m(\d+)'/.exec(stanza.slice(0, 300))?.[1]);
      if (!stanza.startsWith("<message") || !this.sent.has(number)) continue;
      this.sent.set(number, this.sent.get(number) + 1);
      this.offline.push(stanza);
    }
    session.unacknowledged = [];
    if (this.session === session) this.session = undefined;
  }

  begin(connection) {
    for (const old of new Set([...this.sessions.values(), this.session])) if (old) this.lose(old);
    this.session = new Session(this, connection);
    return this.session;
  }

  // Misbehaviour ------------------------------------------------------------------

  /** At a step of the client the server calls `act(connection, element, honest)` instead, the given number of times. */
  rule(step, act, times = 1) {
    this.rules.push({ step, act, times });
  }

  ruleAt(step) {
    this.steps.push(step);
    const rule = this.rules.find((r) => r.step === step && r.times > 0);
    if (!rule) return undefined;
    rule.times--;
    return (...args) => {
      try {
        rule.act(...args);
      } finally {
        this.fired++;
      }
    };
  }

  honest() { this.rules = []; }

  /** Simulates a network failure. */
  cut() { this.connection?.reset(); }
}
