// A device as one would write it without the library: it logs in over a WebSocket (RFC 7395), and every few seconds asks the
// publish-subscribe service what the account follows (XEP-0060 §5.6) and for the newest entries of each feed. It shares
// nothing with other devices except what the service answers, so that it does not learn what was read elsewhere.

const framing = "urn:ietf:params:xml:ns:xmpp-framing";
const sasl = "urn:ietf:params:xml:ns:xmpp-sasl";
const bind = "urn:ietf:params:xml:ns:xmpp-bind";
const pubsub = "http://jabber.org/protocol/pubsub";

// With Trusted Types, a page parses text only through a policy. What is parsed here is read and never shown as HTML.
const policy = globalThis.trustedTypes?.createPolicy("pam-demo", { createHTML: (xml) => xml });
const parse = (xml) => new DOMParser().parseFromString(policy?.createHTML(xml) ?? xml, "text/xml").documentElement;

const size = (text) => new TextEncoder().encode(text).length;
const escape = (text) => text.replace(/[<>&'"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** Dispatches "list" when it has another list of feeds, and "entry" (detail: {node, id}) when it has a new entry. */
export class PlainDevice extends EventTarget {
  feeds = new Set(); // names of nodes
  entries = new Map(); // "node id" → {node, id, read}
  bytes = { sent: 0, received: 0 };
  #options;
  #socket;
  #jid; // the account's bare JID
  #answers = new Map(); // id of a request → {resolve, reject}
  #expected = new Map(); // name of an element → {resolve, reject}
  #requests = 0;
  #timer;

  /** url: of the WebSocket; service: the publish-subscribe service; every: ms between polls; newest: entries of a poll. */
  constructor({ url, domain, account, password, service, every = 5000, newest = 3 }) {
    super();
    this.#options = { url, domain, account, password, service, every, newest };
    this.#jid = `${account}@${domain}`;
  }

  /** Logs in, polls once, and continues to poll. */
  async open() {
    const { url, account, password } = this.#options;
    this.#socket = new WebSocket(url, "xmpp");
    this.#socket.onmessage = ({ data }) => this.#receive(data);
    this.#socket.onclose = () => this.#lost(new Error("the connection was lost"));
    await new Promise((resolve, reject) => {
      this.#socket.onopen = resolve;
      this.#expected.set("open", { resolve() {}, reject });
    });
    await this.#openStream();
    const login = String.fromCharCode(...new TextEncoder().encode(`\0${account}\0${password}`));
    this.#send(`<auth xmlns='${sasl}' mechanism='PLAIN'>${btoa(login)}</auth>`);
    await this.#expect("success");
    await this.#openStream();
    await this.#request("set", null, `<bind xmlns='${bind}'/>`);
    await this.poll();
    this.#schedule(Math.random() * this.#options.every); // so that devices do not poll at the same time
  }

  close() {
    clearTimeout(this.#timer);
    if (this.#socket?.readyState === WebSocket.OPEN) this.#send(`<close xmlns='${framing}'/>`);
    this.#socket?.close();
    this.#lost(new Error("the device was closed"));
  }

  async follow(node) {
    await this.#change("subscribe", node);
    this.#list(new Set([...this.feeds, node]));
  }

  async unfollow(node) {
    await this.#change("unsubscribe", node);
    this.#list(new Set([...this.feeds].filter((n) => n !== node)));
  }

  /** Marks all entries as read, which only this device knows. */
  readAll() {
    for (const entry of this.entries.values()) entry.read = true;
  }

  async poll() {
    const { service, newest } = this.#options;
    const answer = await this.#request("get", service, `<pubsub xmlns='${pubsub}'><subscriptions/></pubsub>`);
    const rows = [...answer.getElementsByTagNameNS(pubsub, "subscription")];
    const current = rows.filter((row) => row.getAttribute("subscription") === "subscribed");
    this.#list(new Set(current.map((row) => row.getAttribute("node"))));
    await Promise.all([...this.feeds].map(async (node) => {
      const items = `<items node='${escape(node)}' max_items='${newest}'/>`;
      const page = await this.#request("get", service, `<pubsub xmlns='${pubsub}'>${items}</pubsub>`);
      for (const item of page.getElementsByTagNameNS(pubsub, "item")) this.#entry(node, item.getAttribute("id"));
    }));
  }

  #schedule(ms) {
    this.#timer = setTimeout(async () => {
      await this.poll().catch((error) => this.dispatchEvent(new CustomEvent("failed", { detail: error })));
      if (this.#socket.readyState === WebSocket.OPEN) this.#schedule(this.#options.every);
    }, ms);
  }

  #list(feeds) {
    if (feeds.size === this.feeds.size && [...feeds].every((node) => this.feeds.has(node))) return;
    this.feeds = feeds;
    this.dispatchEvent(new Event("list"));
  }

  #entry(node, id) {
    const key = `${node} ${id}`;
    if (this.entries.has(key)) return;
    this.entries.set(key, { node, id, read: false });
    this.dispatchEvent(new CustomEvent("entry", { detail: { node, id } }));
  }

  // --- XMPP ---

  #change(action, node) {
    const body = `<${action} node='${escape(node)}' jid='${escape(this.#jid)}'/>`;
    return this.#request("set", this.#options.service, `<pubsub xmlns='${pubsub}'>${body}</pubsub>`);
  }

  #openStream() {
    this.#send(`<open xmlns='${framing}' to='${escape(this.#options.domain)}' version='1.0'/>`);
    return this.#expect("features");
  }

  #request(type, to, body) {
    const id = `plain-${++this.#requests}`;
    const address = to ? ` to='${escape(to)}'` : "";
    this.#send(`<iq xmlns='jabber:client' type='${type}' id='${id}'${address}>${body}</iq>`);
    return new Promise((resolve, reject) => this.#answers.set(id, { resolve, reject }));
  }

  #expect(name) {
    return new Promise((resolve, reject) => this.#expected.set(name, { resolve, reject }));
  }

  #send(text) {
    if (this.#socket.readyState !== WebSocket.OPEN) throw new Error("there is no connection");
    this.bytes.sent += size(text);
    this.#socket.send(text);
  }

  #receive(text) {
    this.bytes.received += size(text);
    const element = parse(text);
    const type = element.getAttribute("type");
    if (element.localName === "iq" && (type === "result" || type === "error")) {
      const answer = this.#answers.get(element.id);
      this.#answers.delete(element.id);
      if (type === "result") answer?.resolve(element);
      else answer?.reject(new Error(element.querySelector("error > *")?.localName ?? "the request failed"));
    } else if (element.localName === "failure") {
      this.#lost(new Error(`the server refused the log-in: ${element.firstElementChild?.localName}`));
    } else {
      this.#expected.get(element.localName)?.resolve(element);
      this.#expected.delete(element.localName);
    }
  }

  /** Rejects all that waits for the server. */
  #lost(error) {
    const waiting = [...this.#answers.values(), ...this.#expected.values()];
    this.#answers.clear();
    this.#expected.clear();
    for (const { reject } of waiting) reject(error);
  }
}
