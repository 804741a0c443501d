// Runs the built package in this process against a minimal server in JavaScript, so that almost all processor time is the
// package's.

import { readFileSync } from "node:fs";

const ns = { framing: "urn:ietf:params:xml:ns:xmpp-framing", sasl: "urn:ietf:params:xml:ns:xmpp-sasl", bind: "urn:ietf:params:xml:ns:xmpp-bind" };

/** Returns the server's answers to a message of the client. `session` is the state of the connection. */
export function answers(message, session) {
  const attribute = (name) => new RegExp(`\\s${name}='([^']*)'`).exec(message)?.[1];
  if (message.startsWith("<open")) {
    const features = session.loggedIn ? `<bind xmlns='${ns.bind}'/>` : `<mechanisms xmlns='${ns.sasl}'><mechanism>PLAIN</mechanism></mechanisms>`;
    return [`<open xmlns='${ns.framing}' from='localhost' id='s' version='1.0'/>`, `<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${features}</stream:features>`];
  }
  if (message.startsWith("<auth")) {
    session.loggedIn = true;
    return [`<success xmlns='${ns.sasl}'/>`];
  }
  if (message.startsWith("<close")) return [`<close xmlns='${ns.framing}'/>`];
  if (!message.startsWith("<iq") || /type='(result|error)'/.test(message)) return [];
  const payload = message.includes(ns.bind) ? `<bind xmlns='${ns.bind}'><jid>alice@localhost/bench</jid></bind>`
    : message.includes("<subscriptions") ? "<subscriptions xmlns='urn:xmpp:pam:0' ver='1'/>" : "";
  return [`<iq xmlns='jabber:client' type='result' id='${attribute("id")}' from='${attribute("to") ?? "alice@localhost"}'>${payload}</iq>`];
}

class LoopbackSocket {
  static OPEN = 1;
  static last;
  CLOSED = 3;
  readyState = 1;
  bufferedAmount = 0;
  protocol = "xmpp";
  #session = {};

  constructor() {
    LoopbackSocket.last = this;
    setTimeout(() => this.onopen?.());
  }
  send(message) {
    this.say(...answers(message, this.#session));
  }
  say(...messages) {
    for (const data of messages) setTimeout(() => this.onmessage?.({ data }));
  }
  close() {
    this.readyState = 3;
  }
}

/** Connects a client. `deliver` resolves when the page has received the text, or a warning that it was ignored. */
export async function openBench({ inspector = false } = {}) {
  globalThis.WebSocket = LoopbackSocket;
  const { createClient } = await import("../dist/index.js");
  const wasm = readFileSync(new URL("../dist/pam.wasm", import.meta.url));
  const client = createClient({
    account: "alice@localhost", credentials: { password: "x" }, service: "ws://127.0.0.1:1/", storage: "memory", inspector,
    runtime: { where: "main", wasm },
  });
  let heard = () => undefined;
  const messages = [];
  client.on("message", (m) => {
    if (m.xml?.includes("id='marker'")) heard();
    else messages.push(m);
  });
  await client.connect();
  return {
    client, messages,
    /** Passes the texts to the client in one turn, followed by a marker message, and waits for the marker. */
    async deliver(...texts) {
      messages.length = 0;
      const done = new Promise((resolve) => { heard = resolve; });
      for (const data of [...texts, "<message xmlns='jabber:client' from='a@b' id='marker'/>"]) LoopbackSocket.last.onmessage({ data });
      await done;
    },
    close: () => client.close(),
  };
}
