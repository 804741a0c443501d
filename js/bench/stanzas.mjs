// Stanzas of about `size` bytes that any entity may send and whose cost could exceed their length, one of each kind.

const head = "<message xmlns='jabber:client' from='eve@evil.example/x' to='alice@localhost/bench'>";
const tail = "</message>";
const times = (n, make) => Array.from({ length: Math.max(1, Math.floor(n)) }, (_, i) => make(i)).join("");
/** Repeats a piece until size is reached. */
const fill = (size, piece) => {
  const pieces = [];
  for (let length = 0, i = 0; length < size; i++) {
    pieces.push(piece(i));
    length += pieces.at(-1).length;
  }
  return pieces.join("");
};
const inside = (content, attributes = "") => head.replace(">", `${attributes}>`) + content + tail;
const declare = (n, space = (i) => `urn:x${i}`, first = 0) => times(n, (i) => ` xmlns:p${first + i}='${space(first + i)}'`);
/** Returns elements around content that declare n prefixes, 60 each. */
const nested = (n, content) => {
  const layers = Math.ceil(n / 60);
  return times(layers, (i) => `<a${declare(Math.min(60, n - 60 * i), undefined, 60 * i)}>`) + content + "</a>".repeat(layers);
};

export const stanzas = {
  "elements in a row": (n) => inside(fill(n, () => "<a/>")),
  "elements with text": (n) => inside(fill(n, (i) => `<a>text ${i}</a>`)),
  "deep elements": (n) => inside(fill(n, () => "<a>".repeat(60) + "</a>".repeat(60))),
  "attributes": (n) => inside(fill(n, () => `<a${times(60, (i) => ` a${i}='v'`)}/>`)),
  "attributes of one element each": (n) => inside(fill(n, () => "<a b='' c=''/>")),
  "attributes with prefixes": (n) => inside(fill(n, () => `<a${times(59, (i) => ` p${i}:a=''`)}/>`), declare(59)),
  "attributes in long, similar namespaces": (n) => inside(fill(n / 2, () => `<a${times(59, (i) => ` p${i}:a=''`)}/>`), declare(59, (i) => "x".repeat(n / 120) + String(i).padStart(2, "0"))),
  "prefixes in scope, few used": (n) => inside(nested(240, fill(n, () => "<p0:a/>"))),
  "prefixes in scope, all used": (n) => inside(nested(240, fill(n, (i) => `<p${i % 240}:a p${(7 * i) % 240}:b=''/>`))),
  "prefixes shadowed": (n) => inside(nested(200, fill(n, (i) => `<p1:a${declare(9, (k) => `urn:y${k}`, i % 190)}/>`))),
  "a long namespace, elements": (n) => inside(fill(n / 2, () => "<p:a/>"), ` xmlns:p='${"x".repeat(Math.min(n / 2, 65_000))}'`),
  "a long namespace, attributes": (n) => inside(fill(n / 2, () => "<a p:b=''/>"), ` xmlns:p='${"x".repeat(Math.min(n / 2, 65_000))}'`),
  "a long default namespace that comes and goes": (n) => inside(fill(n / 2, () => "<p:a><b/></p:a>"), ` xmlns:p='${"x".repeat(Math.min(n / 2, 65_000))}'`),
  "a namespace of 1 KB, elements": (n) => inside(fill(n, () => "<p:a/>"), ` xmlns:p='${"x".repeat(1000)}'`),
  "many namespaces": (n) => inside(fill(n, (i) => `<a xmlns='urn:${i}'/>`)),
  "similar namespaces": (n) => inside(fill(n, (i) => `<a xmlns='${"x".repeat(1000)}${i}'/>`)),
  "one text": (n) => inside(`<body>${"x".repeat(n)}</body>`),
  "a text beyond ASCII": (n) => inside(`<body>${"é€😀".repeat(n / 9)}</body>`),
  "a text of quotes and line ends": (n) => inside(`<body>${"\"\n\\\r\n".repeat(n / 5)}</body>`),
  "references": (n) => inside(`<body>${"&amp;".repeat(n / 5)}</body>`),
  "references to characters": (n) => inside(`<body>${"&#x41;".repeat(n / 6)}</body>`),
  "references in values": (n) => inside(fill(n, () => `<a b='${"&lt;".repeat(200)}'/>`)),
  "CDATA sections": (n) => inside(`<body>${"<![CDATA[x]]>y".repeat(n / 14)}</body>`),
  "long names": (n) => inside(fill(n, (i) => `<${"n".repeat(990)}${i}/>`)),
  "long names of attributes": (n) => inside(fill(n, () => `<a${times(60, (i) => ` ${"n".repeat(900)}${i}=''`)}/>`)),
  "long prefixes": (n) => inside(fill(n, (i) => `<${"p".repeat(500)}${i % 60}:a/>`), times(60, (i) => ` xmlns:${"p".repeat(500)}${i}='u${i}'`)),
  "long values": (n) => inside(fill(n, () => `<a b='${"v".repeat(60_000)}'/>`)),
  "short values": (n) => inside(fill(n, (i) => `<a b='${i}'>x</a>`)),
  "a long sender": (n) => inside(fill(n, () => "<a/>")).replace("eve@evil.example/x", `eve@evil.example/${"ä".repeat(500)}`),
  "an event": (n) => inside(`<event xmlns='http://jabber.org/protocol/pubsub#event'><items node='n'>${fill(n, (i) => `<item id='${i}'><entry xmlns='http://www.w3.org/2005/Atom'><title>${i}</title></entry></item>`)}</items></event>`),
  "subscriptions in an event": (n) => inside(`<event xmlns='http://jabber.org/protocol/pubsub#event'>${fill(n, (i) => `<subscription node='n${i}' jid='alice@localhost' subscription='subscribed'/>`)}</event>`),
  "subscriptions of others in an event": (n) => inside(`<event xmlns='http://jabber.org/protocol/pubsub#event'>${fill(n, (i) => `<subscription node='n${i}' jid='eve${i}@x' subscription='subscribed'/>`)}</event>`),
  "forged notifies": (n) => inside(fill(n, (i) => `<notify xmlns='urn:xmpp:pam:0' service='s'><subscription xmlns='http://jabber.org/protocol/pubsub' node='n${i}' subscription='none'/></notify>`)),
  "delays": (n) => inside(fill(n, () => "<delay xmlns='urn:xmpp:delay' stamp='2026-01-01T00:00:00Z'/>")),
};

/** For these kinds ltx only slices the text, so a ratio to ltx has no meaning. */
export const sliced = new Set(["similar namespaces", "one text", "a text beyond ASCII", "a text of quotes and line ends", "long values"]);
