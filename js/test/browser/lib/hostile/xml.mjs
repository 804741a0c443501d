// XML as text, and the elements of the protocols. It shares no code with the package that it tests.

export const ns = {
  framing: "urn:ietf:params:xml:ns:xmpp-framing",
  stream: "http://etherx.jabber.org/streams",
  streams: "urn:ietf:params:xml:ns:xmpp-streams",
  sasl: "urn:ietf:params:xml:ns:xmpp-sasl",
  bind: "urn:ietf:params:xml:ns:xmpp-bind",
  stanzas: "urn:ietf:params:xml:ns:xmpp-stanzas",
  client: "jabber:client",
  sm: "urn:xmpp:sm:3",
  pam: "urn:xmpp:pam:0",
  pubsub: "http://jabber.org/protocol/pubsub",
  event: "http://jabber.org/protocol/pubsub#event",
  owner: "http://jabber.org/protocol/pubsub#owner",
  items: "http://jabber.org/protocol/disco#items",
  mam: "urn:xmpp:mam:2",
  rsm: "http://jabber.org/protocol/rsm",
  forward: "urn:xmpp:forward:0",
  delay: "urn:xmpp:delay",
  atom: "http://www.w3.org/2005/Atom",
  seen: "urn:xmpp-pam:seen:0",
  info: "http://jabber.org/protocol/disco#info",
  ping: "urn:xmpp:ping",
};

const entities = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "'": "&apos;", '"': "&quot;" };

export const esc = (text) => String(text).replace(/[&<>'"]/g, (c) => entities[c]);

/** Returns an element. Undefined attributes are omitted; children are XML. */
export function el(name, attributes = {}, ...children) {
  const list = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const inner = children.flat().filter((child) => child !== undefined).join("");
  const start = `<${name}${list.map(([key, value]) => ` ${key}='${esc(value)}'`).join("")}`;
  return inner === "" ? `${start}/>` : `${start}>${inner}</${name}>`;
}

export const open = (from = "localhost", more = {}) => el("open", { xmlns: ns.framing, from, id: "s1", version: "1.0", "xml:lang": "en", ...more });

export const close = (to = undefined) => el("close", { xmlns: ns.framing, "see-other-uri": to });

/** The features before authentication. */
export const mechanisms = (...names) => el("stream:features", { "xmlns:stream": ns.stream },
  el("mechanisms", { xmlns: ns.sasl }, names.map((name) => el("mechanism", {}, esc(name)))));

/** The features after authentication. */
export const granted = ({ bind = true, sm = true } = {}) => el("stream:features", { "xmlns:stream": ns.stream },
  bind ? el("bind", { xmlns: ns.bind }) : undefined, sm ? el("sm", { xmlns: ns.sm }) : undefined);

export const streamError = (condition, text = undefined) => el("stream:error", { "xmlns:stream": ns.stream, xmlns: ns.client },
  el(condition, { xmlns: ns.streams }), text === undefined ? undefined : el("text", { xmlns: ns.streams }, esc(text)));

export const failure = (condition, text = undefined) => el("failure", { xmlns: ns.sasl },
  condition === undefined ? undefined : el(condition, {}), text === undefined ? undefined : el("text", {}, esc(text)));

export const challenge = (text) => el("challenge", { xmlns: ns.sasl }, Buffer.from(text).toString("base64"));

export const success = (text = "") => el("success", { xmlns: ns.sasl }, Buffer.from(text).toString("base64"));

export const iqResult = (request, from, ...children) => el("iq", { xmlns: ns.client, type: "result", id: request.attrs.id, from }, ...children);

export const iqError = (request, from, condition, type = "cancel") => el("iq", { xmlns: ns.client, type: "error", id: request.attrs.id, from },
  el("error", { type }, el(condition, { xmlns: ns.stanzas })));

/** Returns a subscription as a row of the list or of a notify. */
export const row = ({ service, node, subid, state }, jid, inList) => el("subscription",
  { xmlns: inList ? undefined : ns.pubsub, service: inList ? service : undefined, node, jid, subid, subscription: state });

export const notify = (to, service, ver, ...rows) => el("message", { xmlns: ns.client, from: to, to },
  el("notify", { xmlns: ns.pam, service, ver }, ...rows));

export const chat = (from, to, id, ...children) => el("message", { xmlns: ns.client, from, to, type: "chat", id }, ...children);

export const item = (id, ...payload) => el("item", { id }, ...payload);

/** Returns the message with an event of a node. */
export const event = (from, to, node, ...items) => el("message", { xmlns: ns.client, from, to, type: "headline" },
  el("event", { xmlns: ns.event }, el("items", { node }, ...items)));
