// The stream: errors, violations of the protocol, and failures of the socket, at every step.

import { randomBytes } from "node:crypto";
import { chat, close, el, ns, open, streamError } from "./xml.mjs";

const conditions = ["bad-format", "bad-namespace-prefix", "connection-timeout", "host-gone", "host-unknown", "improper-addressing",
  "internal-server-error", "invalid-from", "invalid-namespace", "invalid-xml", "not-authorized", "not-well-formed", "policy-violation",
  "remote-connection-failed", "reset", "resource-constraint", "restricted-xml", "see-other-host", "system-shutdown", "undefined-condition",
  "unsupported-encoding", "unsupported-feature", "unsupported-stanza-type", "unsupported-version", "invented-yesterday"];

const conflict = { code: "conflict", text: /conflict|another session/i };

/** A stream error as Prosody 13 sends it, with an undeclared prefix. */
const undeclared = (condition) => `<stream:error><${condition} xmlns='${ns.streams}'/><text xmlns='${ns.streams}'>Replaced by new connection</text></stream:error>`;

const inSession = (name, run, more = {}) => ({ name: `in a session: ${name}`, class: "stream", run, ...more });

const errors = [
  ...conditions.map((condition) => inSession(`stream error ${condition}`, ({ connection }) => connection.endStream(streamError(condition, "as the test wants"), close()))),
  inSession("stream error conflict", ({ connection }) => connection.endStream(streamError("conflict", "Replaced by new connection"), close()), { must: conflict }),
  inSession("undeclared stream error conflict", ({ connection }) => connection.endStream(undeclared("conflict"), close()), { must: conflict }),
  inSession("undeclared stream error system-shutdown", ({ connection }) => connection.endStream(undeclared("system-shutdown"), close())),
  inSession("an empty stream error", ({ connection }) => connection.endStream(el("stream:error", { "xmlns:stream": ns.stream }), close())),
  inSession("a stream error with 20 conditions and 60 KB of text", ({ connection }) => connection.endStream(el("stream:error", { "xmlns:stream": ns.stream },
    conditions.map((c) => el(c, { xmlns: ns.streams })), el("text", { xmlns: ns.streams }, "x".repeat(60_000))), close())),
];

/** Returns the address of the account without the secret part. */
const itself = ({ url }) => url.replace(/\?.*/, "");

const ends = [
  inSession("close", ({ connection }) => connection.endStream(close())),
  inSession("close to another host", ({ connection }) => connection.endStream(close("wss://elsewhere.example/ws"))),
  inSession("close to no address", ({ connection }) => connection.endStream(close("javascript:alert(1)"))),
  inSession("close to an address of 60 KB", ({ connection }) => connection.endStream(close(`wss://elsewhere.example/${"x".repeat(60_000)}`))),
  { name: "redirected to itself at each login, without end", class: "stream", rules: 6,
    run: ({ account }) => {
      account.rule("open", (c) => c.endStream(open(), close(itself(account))), 6);
      account.cut();
    } },
  inSession("sent on to itself", ({ account, connection }) => connection.endStream(close(itself(account)))),
  inSession("the socket is closed without a reason", ({ connection }) => connection.closeSocket()),
  ...[1000, 1001, 1002, 1003, 1007, 1008, 1009, 1011, 1012, 4000].map((code) => inSession(`the socket is closed with ${code}`, ({ connection }) => connection.closeSocket(code, "as the test wants"))),
];

const broken = [
  ["no XML", "hello"],
  ["an empty message", ""],
  ["white space", " \n"],
  ["an XML declaration and a comment", "<?xml version='1.0'?><!-- hello -->"],
  ["two elements in one message", chat("a@b.example/c", undefined, "x1") + chat("a@b.example/c", undefined, "x2")],
  ["half an element", "<message xmlns='jabber:client'><body>"],
  ["an end tag", "</message>"],
  ["another end tag", "<message xmlns='jabber:client'><a></b></message>"],
  ["a document type with entities", "<!DOCTYPE m [<!ENTITY a 'aaaaaaaaaa'><!ENTITY b '&a;&a;&a;&a;'>]><message xmlns='jabber:client'>&b;</message>"],
  ["an undeclared entity", "<message xmlns='jabber:client'><body>&forged;</body></message>"],
  ["a processing instruction", "<message xmlns='jabber:client'><?php echo 1 ?></message>"],
  ["a comment in a stanza", "<message xmlns='jabber:client'><!-- hi --></message>"],
  ["an attribute without quotes", "<message xmlns='jabber:client' a=b/>"],
  ["an attribute twice", "<message xmlns='jabber:client' id='a' id='b'/>"],
  ["a character that XML does not know", "<message xmlns='jabber:client'><body>\u0001</body></message>"],
  ["a reference to NUL", "<message xmlns='jabber:client'><body>&#0;</body></message>"],
  ["a byte order mark", "\ufeff<message xmlns='jabber:client'/>"],
  ["a stanza of the server's namespace", "<message xmlns='jabber:server' from='x@y.example'/>"],
  ["an unknown element", "<present xmlns='urn:example:invented'/>"],
  ["features in a session", `<stream:features xmlns:stream='${ns.stream}'/>`],
  ["open in a session", open()],
  ["success in a session", `<success xmlns='${ns.sasl}'/>`],
  ["proceed of STARTTLS", "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"],
].map(([name, text]) => inSession(name, (context) => context.amid(text)));

const frames = [
  inSession("a binary message", ({ connection }) => connection.binary(randomBytes(300))),
  inSession("a binary message that is a stanza", ({ connection }) => connection.binary(Buffer.from(chat("a@b.example/c", undefined, "x1")))),
  inSession("text that is not UTF-8", ({ connection }) => connection.ws.send(Buffer.from([0x3c, 0xff, 0xfe, 0x3e]), { binary: false })),
  inSession("a masked frame", ({ connection }) => connection.bytes(0x81, 0x82, 1, 2, 3, 4, 5, 6)),
  inSession("a frame of 2^62 bytes", ({ connection }) => connection.bytes(0x81, 0x7f, 0x40, 0, 0, 0, 0, 0, 0, 0, 0x3c)),
  inSession("reserved bits", ({ connection }) => connection.bytes(0xf1, 1, 0x3c)),
  inSession("a control frame that is too long", ({ connection }) => connection.bytes(0x89, 0x7e, 1, 0, [...Buffer.alloc(256)])),
  inSession("a continuation of nothing", ({ connection }) => connection.bytes(0x80, 1, 0x3c)),
  inSession("1,000 pings of the WebSocket", ({ connection }) => { for (let i = 0; i < 1000; i++) connection.ws.ping(); }),
  inSession("a stanza in frames of one byte", ({ connection, session }) => {
    const text = chat("a@b.example/c", undefined, "x1");
    const bytes = Buffer.from(text);
    session.unacknowledged.push(text);
    bytes.forEach((byte, i) => connection.bytes(i === 0 ? 0x01 : i === bytes.length - 1 ? 0x80 : 0x00, 1, byte));
  }),
];

const answers = [
  ["401", "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\nContent-Length: 0\r\n\r\n"],
  ["403", "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n"],
  ["404", "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"],
  ["503", "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"],
  ["a page", "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<html></html>"],
  ["a redirection", "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"],
  ["a wrong accept", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: AAAA\r\nSec-WebSocket-Protocol: xmpp\r\n\r\n"],
  ["garbage", "\0\0\0\0\0\0\0\0"],
].map(([name, text]) => ({
  name: `the upgrade is answered with ${name}`, class: "stream", rules: 2,
  run: ({ account }) => {
    account.rule("upgrade", ({ socket }) => socket.end(text), 2);
    account.cut();
  },
}));

/** The steps of a new session, in order. */
export const steps = ["open", "auth", "response", "reopen", "bind", "enable", "presence", "info", "list"];

const newSession = (account) => {
  account.lose(account.session);
  account.cut();
};

const cuts = ["upgrade", ...steps].map((step) => ({
  name: `a TCP reset at ${step}`, class: "stream", rules: step === "presence" || step === "info" ? 1 : 2, // stanzas sent before <enable/> are not counted and not resent
  run: ({ account }) => {
    account.rule(step, (c) => (step === "upgrade" ? c.socket.resetAndDestroy() : c.reset()), 2);
    newSession(account);
  },
}));

/** The server sends nothing more; the page is woken, so that the client checks its connection sooner. */
const silences = ["upgrade", "open", "auth", "response", "reopen", "bind", "list"].map((step) => ({
  name: `silence at ${step}`, class: "silence", rules: 1,
  run: async ({ account, tab }) => {
    const silent = new Set();
    account.rule(step, (c) => {
      if (c.answer) c.receive = () => undefined;
      silent.add(c);
    });
    newSession(account);
    while (silent.size === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    await tab.wake();
  },
  limits: { again: 45_000 },
}));

const closes = ["open", "auth", "response", "reopen", "bind", "list"].map((step) => ({
  name: `close at ${step}`, class: "stream", rules: 2,
  run: ({ account }) => {
    account.rule(step, (c) => c.endStream(close()), 2);
    newSession(account);
  },
}));

export const stream = [...errors, ...ends, ...broken, ...frames, ...answers, ...cuts, ...silences, ...closes];
