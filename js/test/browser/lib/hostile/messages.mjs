// Stanzas that any sender can send: well-formed, but costly to process. The session must continue, and the messages around
// them must arrive.

import { chat, el, ns } from "./xml.mjs";

const evil = "mallory@elsewhere.example/x";
const wrap = (attributes, inner, w) => `<message xmlns='jabber:client' from='${evil}' to='${w.jid}' id='x'${attributes}>${inner}</message>`;
/** Repeats a piece until the text has n KB. */
const fill = (kb, piece) => {
  const make = typeof piece === "string" ? () => piece : piece;
  const parts = [];
  for (let size = 0, i = 0; size < kb * 1024; i++) size += parts[parts.push(make(i)) - 1].length;
  return parts.join("");
};
const long = (kb, letter = "n") => `urn:${letter.repeat(kb * 1024)}`;

/** Namespaces that are declared once and used often; size in KB. */
const shapes = {
  "elements of a long namespace": (kb, w) => wrap("", `<x xmlns:a='${long(kb / 2)}'>${fill(kb / 2, "<a:b/>")}</x>`, w),
  "attributes of a long namespace": (kb, w) => wrap("", `<x xmlns:a='${long(kb / 2)}'>${fill(kb / 2, "<b a:c=''/>")}</x>`, w),
  "a long namespace declared on the message": (kb, w) => wrap(` xmlns:a='${long(Math.min(kb / 2, 60))}'`, fill(kb / 2, "<a:b/>"), w),
  "a long namespace used on both sides of another": (kb, w) => wrap("", `<x xmlns='${long(kb / 2)}' xmlns:y='u:'>${fill(kb / 2, "<y:a><x/></y:a>")}</x>`, w),
  "two long namespaces in turn": (kb, w) => wrap("", `<x xmlns:a='${long(kb / 4)}' xmlns:b='${long(kb / 4, "m")}'>${fill(kb / 2, "<a:b/><b:a/>")}</x>`, w),
  "a namespace of 1 KB, very often": (kb, w) => wrap("", `<x xmlns:a='${long(1)}'>${fill(kb, "<a:b/>")}</x>`, w),
  "a namespace of 200 bytes, very often, nested": (kb, w) => wrap("", `<x xmlns:a='${long(0.2)}'>${fill(kb, "<a:b><c/></a:b>")}</x>`, w),
  "many prefixes, all in use": (kb, w) => wrap("", `<x ${Array.from({ length: 100 }, (_, i) => `xmlns:p${i}='${long(kb / 400)}${i}'`).join(" ")}>${fill(kb / 2, (i) => `<p${i % 100}:a p${(i + 7) % 100}:b=''/>`)}</x>`, w),
  "a long prefix": (kb, w) => wrap("", `<x xmlns:${"p".repeat(900)}='${long(1)}'>${fill(kb, `<${"p".repeat(900)}:a/>`)}</x>`, w),
  "declarations in every element": (kb, w) => wrap("", `<x>${fill(kb, (i) => `<a xmlns='urn:${i}' xmlns:b='u:${i}'><b:c/></a>`)}</x>`, w),
};
const bombs = Object.entries(shapes).flatMap(([name, make]) => [64, 120, 200, 250].map((kb) => [`${name}, ${kb} KB`, (w) => make(kb, w)]));

const one = [
  ["an element xml:a", (w) => wrap("", "<xml:a/>", w)],
  ["attributes of the prefix xml", (w) => wrap(" xml:lang='en' xml:space='preserve' xml:base='x:' xml:id='i'", "<body xml:lang=''>x</body>", w)],
  ["250 KB of nesting", (w) => wrap("", "<a>".repeat(36_000) + "</a>".repeat(36_000), w)],
  ["200 levels", (w) => wrap("", "<a>".repeat(200) + "</a>".repeat(200), w)],
  ["60,000 empty children", (w) => wrap("", "<a/>".repeat(60_000), w)],
  ["20,000 attributes", (w) => wrap("", `<a ${Array.from({ length: 20_000 }, (_, i) => `a${i}=''`).join(" ")}/>`, w)],
  ["an attribute of 250 KB", (w) => wrap("", `<a b='${"x".repeat(250_000)}'/>`, w)],
  ["a name of 250 KB", (w) => wrap("", `<${"a".repeat(125_000)}></${"a".repeat(125_000)}>`, w)],
  ["255 declarations", (w) => wrap("", `<a ${Array.from({ length: 255 }, (_, i) => `xmlns:p${i}='u:${i}'`).join(" ")}/>`, w)],
  ["300 declarations", (w) => wrap("", `<a ${Array.from({ length: 300 }, (_, i) => `xmlns:p${i}='u:${i}'`).join(" ")}/>`, w)],
  ["250 KB of quotes", (w) => wrap("", `<body>${"\"'".repeat(125_000)}</body>`, w)],
  ["250 KB of entities", (w) => wrap("", `<body>${"&lt;&amp;&#x41;".repeat(17_000)}</body>`, w)],
  ["250 KB of characters that JSON escapes", (w) => wrap("", `<body>${"\\\"\t\u2028\u007f".repeat(31_000)}</body>`, w)],
  ["250 KB of emoji", (w) => wrap("", `<body>${"💥".repeat(62_000)}</body>`, w)],
  ["250 KB of CDATA", (w) => wrap("", `<body>${"<![CDATA[<a>]]>".repeat(17_000)}</body>`, w)],
  ["an undeclared prefix", (w) => wrap("", "<forged:a/>", w)],
  ["an undeclared prefix of an attribute", (w) => wrap(" a:b='c'", "", w)],
  ["a prefix taken back", (w) => wrap("", "<a xmlns:b='u:'><c xmlns:b=''/></a>", w)],
  ["the prefix xmlns bound", (w) => wrap("", "<a xmlns:xmlns='u:'/>", w)],
  ["the prefix xml bound to something", (w) => wrap("", "<a xmlns:xml='u:'/>", w)],
  ["one attribute under two prefixes", (w) => wrap("", "<x xmlns:a='u:' xmlns:b='u:' a:c='' b:c=''/>", w)],
  ["no sender", (w) => `<message xmlns='jabber:client' to='${w.jid}'><body>x</body></message>`],
  ["an invalid JID as sender", (w) => wrap("", "", w).replace(evil, "@@/")],
  ["a sender of 5,000 characters", (w) => wrap("", "", w).replace(evil, `${"a".repeat(5000)}@elsewhere.example`)],
  ["to another account", (w) => wrap("", "<body>x</body>", w).replace(w.jid, "somebody@localhost")],
  ["unknown types", (w) => wrap(" type='__proto__'", "<body>x</body>", w)],
  ["a pubsub event of 200 KB", (w) => el("message", { xmlns: ns.client, from: "pubsub.localhost", to: w.jid, type: "headline" }, el("event", { xmlns: ns.event }, el("items", { node: "news" }, el("item", { id: "1" }, el("x", { xmlns: long(60) }, fill(140, "<y/>"))))))],
];

const small = (w, i) => chat(evil, w.jid, `x${i}`, el("body", {}, `hello ${i}`));
const iq = (w, i, type, ...inner) => el("iq", { xmlns: ns.client, from: evil, to: w.jid, id: `x${i}`, type }, ...inner);
const many = (n, make) => (w) => Array.from({ length: n }, (_, i) => make(w, i));

const floods = [
  ["1,000 small ones in one turn", many(1000, small)],
  ["10,000 small ones in one turn", many(10_000, small), { limits: { gap: 5000 } }],
  ["300 small ones, every tenth a bomb", many(300, (w, i) => (i % 10 ? small(w, i) : shapes["elements of a long namespace"](60, w))), { limits: { gap: 4000 } }],
  ["20 bombs in one turn", many(20, (w) => shapes["a namespace of 1 KB, very often"](200, w)), { limits: { gap: 5000 } }],
  ["1,000 pings", many(1000, (w, i) => iq(w, i, "get", el("ping", { xmlns: ns.ping })))],
  ["1,000 questions for features", many(1000, (w, i) => iq(w, i, "get", el("query", { xmlns: ns.info, node: `forged#${i}` })))],
  ["500 questions without an id, a payload or a type", many(500, (w, i) => [iq(w, i, "get"), iq(w, i, undefined), iq(w, i, "set", "<a/>", "<b/>").replace(/ id='[^']*'/, ""), iq(w, i, "__proto__")][i % 4])],
  ["1,000 answers to nothing", many(1000, (w, i) => iq(w, i, i % 2 ? "result" : "error", el("query", { xmlns: ns.info })))],
  ["lists set by another sender", many(50, (w, i) => iq(w, i, "set", el("subscriptions", { xmlns: ns.pam, ver: "forged" }, el("subscription", { service: "pubsub.localhost", node: "forged", jid: w.jid }))))],
  ["2,000 presences of every type", many(2000, (w, i) => el("presence", { xmlns: ns.client, from: `m${i}@elsewhere.example`, type: [undefined, "subscribe", "unavailable", "probe", "error"][i % 5] }, el("c", { xmlns: "http://jabber.org/protocol/caps", hash: "sha-1", node: "u:", ver: "x".repeat(i) })))],
];

const sent = (name, make, more = {}) => ({
  name: `message: ${name}`, class: "message", stranger: true,
  run: (context) => context.around(...[make(context.account)].flat()),
  ...more,
});

export const messages = [
  ...bombs.map(([name, make]) => sent(name, make, { limits: { gap: 3000 } })),
  ...one.map(([name, make]) => sent(name, make)),
  ...floods.map(([name, make, more]) => sent(name, make, more)),
];
