// A session of a client, which can be resumed on another connection (XEP-0198).

import { randomBytes } from "node:crypto";
import { el, ns } from "./xml.mjs";

export class Session {
  constructor(account, connection) {
    this.account = account;
    this.connection = connection;
    this.id = randomBytes(6).toString("hex");
    this.full = `${account.jid}/r${randomBytes(3).toString("hex")}`;
    this.counting = false;
    this.received = 0; // the client's stanzas
    this.acknowledged = 0; // how many of ours the client has
    this.unacknowledged = []; // those after these
    this.available = false; // the client has sent presence
    this.listening = false; // and has asked for the list
  }

  stanza(text) {
    this.account.largest = Math.max(this.account.largest, text.length);
    if (this.counting) this.unacknowledged.push(text);
    this.connection?.write(text);
  }

  /** The friend's messages that the client may not have. */
  numbers() {
    return this.unacknowledged.map((text) => Number(/ id='m(\d+)'/.exec(text.slice(0, 300))?.[1])).filter((n) => this.account.sent.has(n));
  }

  ask() {
    if (this.counting) this.connection?.write(el("r", { xmlns: ns.sm }));
  }

  enable() {
    this.counting = true;
    this.received = 0;
    this.account.sessions.set(this.id, this);
    return el("enabled", { xmlns: ns.sm, id: this.id, resume: "true" });
  }

  /** The client's count of our stanzas. */
  acknowledge(h) {
    const n = h - this.acknowledged;
    if (!(n >= 0 && n <= this.unacknowledged.length)) {
      this.account.faults.push(`the client acknowledged ${h} stanzas, but was sent ${this.acknowledged + this.unacknowledged.length} and had acknowledged ${this.acknowledged}`);
      return;
    }
    this.acknowledged = h;
    this.unacknowledged.splice(0, n);
  }

  /** The connection is gone. */
  detach(orderly) {
    this.connection = undefined;
    if (orderly || !this.counting) this.account.lose(this);
  }

  /** Goes on with another connection, which has had `h` of our stanzas. `answer` may be a false one. */
  resume(connection, h, answer = el("resumed", { xmlns: ns.sm, previd: this.id, h: this.received })) {
    this.connection = connection;
    this.acknowledge(h);
    connection.write(answer);
    for (const text of this.unacknowledged) connection.write(text);
    this.ask();
  }
}
