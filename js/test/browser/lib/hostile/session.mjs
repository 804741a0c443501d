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
    this.acknowledged = 0; // number of the server's stanzas that the client has acknowledged
    this.unacknowledged = []; // the stanzas after these
    this.available = false; // the client has sent presence
    this.listening = false; // the client has requested the list
  }

  stanza(text) {
    this.account.largest = Math.max(this.account.largest, text.length);
    if (this.counting) this.unacknowledged.push(text);
    this.connection?.write(text);
  }

  /** Returns the friend's messages that the client may not have received. */
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

  /** Handles the client's count of the server's stanzas. */
  acknowledge(h) {
    const n = h - this.acknowledged;
    if (!(n >= 0 && n <= this.unacknowledged.length)) {
      this.account.faults.push(`the client acknowledged ${h} stanzas, but was sent ${this.acknowledged + this.unacknowledged.length} and had acknowledged ${this.acknowledged}`);
      return;
    }
    this.acknowledged = h;
    this.unacknowledged.splice(0, n);
  }

  /** The connection was lost. */
  detach(orderly) {
    this.connection = undefined;
    if (orderly || !this.counting) this.account.lose(this);
  }

  /** Resumes on another connection, whose client has received `h` stanzas. `answer` may be wrong. */
  resume(connection, h, answer = el("resumed", { xmlns: ns.sm, previd: this.id, h: this.received })) {
    this.connection = connection;
    this.acknowledge(h);
    connection.write(answer);
    for (const text of this.unacknowledged) connection.write(text);
    this.ask();
  }
}
