// Plays the cases of sdk/pam/PROTOCOL.md with the real program: each has the messages on the wire, and what the page sees.
// sdk/client/protocol_test.go reads the same files.

import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { DOMParser } from "@xmldom/xmldom";
import { WebSocket, WebSocketServer } from "ws";
import { createClient } from "../dist/index.js";

const folder = fileURLToPath(new URL("../../sdk/pam/testdata/protocol/", import.meta.url));
const names = readdirSync(folder).filter((n) => n.endsWith(".json")).map((n) => n.slice(0, -5));
const wasm = await WebAssembly.compile(readFileSync(new URL("../dist/pam.wasm", import.meta.url)));
const account = "francisco@denmark.lit";

before(() => { globalThis.WebSocket ??= WebSocket; });
after(() => { if (globalThis.WebSocket === WebSocket) delete globalThis.WebSocket; });

for (const name of names) {
  test(name, async () => {
    const expected = JSON.parse(readFileSync(`${folder}${name}.json`, "utf8"));
    const wire = elements(parse(readFileSync(`${folder}${name}.xml`, "utf8"))).map((e) => [e.localName, elements(e)[0]]);
    const server = await startServer(wire, expected.features ?? { account: true, domain: true });
    const client = createClient({
      account, credentials: { password: "pencil" }, service: server.url, storage: "memory", inspector: true, mechanisms: ["PLAIN"],
      runtime: { where: "main", wasm },
    });
    try {
      if (expected.events) client.inbox.newest.subscribe(() => undefined);
      await client.connect();
      let error;
      const outcomes = [];
      for (const [verb, service, node, subid] of expected.calls ?? []) {
        const target = { service, node, ...(subid && { subid }) };
        const call = verb === "refresh" ? client.subscriptions.refresh() : client[verb](target);
        outcomes.push(await call.then(() => "ok", (e) => { error = e; return e.code; }));
      }
      assert.deepEqual(outcomes, expected.outcomes ?? []);
      const seen = () => client.subscriptions.getSnapshot().map((r) => [r.service, r.node, r.subid ?? "", r.state]);
      const events = () => client.inbox.newest.getSnapshot().map((e) => [e.service, e.node, e.type, e.itemId ?? "", e.timeSource === "local-clock" ? "" : e.occurredAt.toISOString().replace(".000Z", "Z")]);
      const ready = () => server.rest() === 0 && (!expected.events || JSON.stringify(events()) === JSON.stringify(expected.events)) && JSON.stringify(seen()) === JSON.stringify(expected.list) && client.subscriptions.getSnapshot().ver === expected.ver
        && client.inspector.stats().ignored === (expected.ignored ?? 0);
      for (const deadline = Date.now() + 2000; !ready() && Date.now() < deadline;) await sleep(5);
      assert.deepEqual(server.faults, []);
      assert.equal(server.rest(), 0, "not all was sent");
      assert.deepEqual(seen(), expected.list);
      assert.equal(client.subscriptions.getSnapshot().ver, expected.ver);
      if (expected.events) assert.deepEqual(events(), expected.events);
      assert.equal(client.inspector.stats().ignored, expected.ignored ?? 0);
      assert.deepEqual(client.sync.getSnapshot().missing, expected.missing ?? []);
      assert.deepEqual(server.order.slice(0, expected.order?.length ?? 0), expected.order ?? []);
      if (expected.error) {
        const { origin, by, condition, pubsubCondition } = error;
        assert.deepEqual(JSON.parse(JSON.stringify({ origin, by, condition, pubsubCondition })), expected.error);
      }
    } finally {
      await client.close();
      server.stop();
    }
  });
}

/** A server that accepts every login and then follows the script. */
async function startServer(wire, features) {
  const sockets = new WebSocketServer({ host: "127.0.0.1", port: 0, handleProtocols: () => "xmpp" });
  await new Promise((resolve) => sockets.once("listening", resolve));
  const faults = [];
  const order = [];
  const ids = new Map(); // in the file → on the wire
  let rest = wire;
  sockets.on("connection", (socket) => {
    let authed = false;
    const say = (text) => socket.send(text);
    const result = (e, body) => say(`<iq xmlns='jabber:client' type='result' id='${e.getAttribute("id")}' from='${e.getAttribute("to") ?? account}'>${body}</iq>`);
    socket.on("message", (data) => {
      const e = parse(data.toString());
      const [payload] = elements(e);
      switch (payload && e.localName === "iq" ? payload.localName : e.localName) {
        case "open":
          say("<open xmlns='urn:ietf:params:xml:ns:xmpp-framing' from='denmark.lit' id='s' version='1.0'/>");
          return say(`<stream:features xmlns:stream='http://etherx.jabber.org/streams'>${authed
            ? "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>"
            : "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms>"}</stream:features>`);
        case "auth":
          authed = true;
          return say("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
        case "bind":
          return result(e, `<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><jid>${account}/barracks</jid></bind>`);
        case "presence":
          return order.push("presence");
        case "query": {
          const yes = e.getAttribute("to").includes("@") ? features.account : features.domain;
          return result(e, `<query xmlns='http://jabber.org/protocol/disco#info'>${yes ? "<feature var='urn:xmpp:pam:0'/>" : ""}</query>`);
        }
        case "close":
          say("<close xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
          return socket.close();
        case "subscriptions": case "pam": {
          order.push(payload.localName);
          const [dir, want] = rest[0] ?? [];
          if (dir !== "out") return faults.push(`not expected: ${data}`);
          ids.set(want.getAttribute("id"), e.getAttribute("id"));
          const [got, expected] = [canonical(e, "?"), canonical(want, "?")];
          if (got !== expected) faults.push(`sent ${got}, want ${expected}`);
          for (rest = rest.slice(1); rest[0]?.[0] === "in"; rest = rest.slice(1)) say(canonical(rest[0][1], ids.get(rest[0][1].getAttribute("id"))));
        }
      }
    });
  });
  return {
    url: `ws://localhost:${sockets.address().port}/`, faults, order, rest: () => rest.length,
    stop() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}

function parse(text) { return new DOMParser().parseFromString(text.trim(), "text/xml").documentElement; }
function elements(e) { return Array.from(e.childNodes).filter((n) => n.nodeType === 1); }

/** Returns the element as text, with its own attributes sorted, and with the given id if it has one. */
function canonical(e, id, inherited) {
  const escape = (s) => s.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/'/g, "&apos;");
  const attrs = Array.from(e.attributes).filter((a) => a.name !== "xmlns").map((a) => [a.name, a.name === "id" && id !== undefined ? id : a.value]).sort(([a], [b]) => (a < b ? -1 : 1));
  const space = e.namespaceURI ?? "";
  if (space !== inherited) attrs.unshift(["xmlns", space]);
  const body = Array.from(e.childNodes).map((n) => (n.nodeType === 1 ? canonical(n, undefined, space) : escape(n.data ?? ""))).join("");
  return `<${e.localName}${attrs.map(([n, v]) => ` ${n}='${escape(v)}'`).join("")}>${body}</${e.localName}>`;
}
