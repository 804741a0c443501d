import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient, PamError } from "../dist/index.js";
import { readTarget } from "../build/src/options.js";
import { base, makeHost } from "./host.mjs";

const throwing = (name) => Object.defineProperty({ ...base }, name, { get() { throw new Error("trap"); }, enumerable: true });

const cases = [
  ["no options", undefined, "bad-options", /options must be an object/],
  ["null", null, "bad-options", /options must be an object/],
  ["an array", [], "bad-options", /options must be an object/],
  ["no account", { ...base, account: undefined }, "bad-options", /options\.account is missing/],
  ["account of another type", { ...base, account: 5 }, "bad-options", /options\.account/],
  ["full JID", { ...base, account: "alice@example.org/phone" }, "bad-jid", /bare JID/],
  ["a domain", { ...base, account: "example.org" }, "bad-jid", /bare JID/],
  ["empty account", { ...base, account: "" }, "bad-jid", /bare JID/],
  ["two at signs", { ...base, account: "a@b@c" }, "bad-jid", /bare JID/],
  ["space in account", { ...base, account: "a b@c" }, "bad-jid", /bare JID/],
  ...[..."\"&'<>: "].map((c) => [`${c} in the local part of account`, { ...base, account: `a${c}b@c` }, "bad-jid", /bare JID/]),
  ...[..."\"&'<> "].map((c) => [`${c} in the domain of account`, { ...base, account: `a@b${c}c` }, "bad-jid", /bare JID/]),
  ["account that is too long", { ...base, account: `${"a".repeat(1023)}@${"b".repeat(1024)}` }, "bad-jid", /bare JID/],
  ["control in account", { ...base, account: "a\u0000@c" }, "bad-jid", /bare JID/],
  ["no credentials", { ...base, credentials: undefined }, "bad-options", /options\.credentials is missing/],
  ["credentials as text", { ...base, credentials: "secret" }, "bad-options", /options\.credentials must be .* or a function/],
  ["empty password", { ...base, credentials: { password: "" } }, "bad-options", /options\.credentials\.password/],
  ["a token", { ...base, credentials: { token: "x" } }, "bad-options", /options\.credentials\.token/],
  ...["http", "https"].map((scheme) => [`${scheme} service`, { ...base, service: `${scheme}://example.org/` }, "bad-options", /options\.service/]),
  ["no URL", { ...base, service: "example.org" }, "bad-options", /options\.service/],
  ["password in URL", { ...base, service: "wss://a:b@example.org/" }, "bad-options", /options\.service/],
  ["user name in URL", { ...base, service: "wss://a@example.org/" }, "bad-options", /options\.service must contain no user name/],
  ["password alone in URL", { ...base, service: "wss://:b@example.org/" }, "bad-options", /options\.service must contain no user name/],
  ["fragment in URL", { ...base, service: "wss://example.org/#x" }, "bad-options", /options\.service/],
  ["service null", { ...base, service: null }, "bad-options", /options\.service/],
  ["empty service", { ...base, service: "" }, "bad-options", /options\.service/],
  ["followTo as text", { ...base, followTo: "node2.example.org" }, "bad-options", /options\.followTo must be an array of hosts/],
  ["followTo with nothing", { ...base, followTo: [] }, "bad-options", /options\.followTo/],
  ["followTo of another type", { ...base, followTo: [new URL("wss://b/")] }, "bad-options", /options\.followTo/],
  ["unknown option", { ...base, acount: "x" }, "bad-options", /options\.acount is not an option/],
  ["__proto__ from JSON", JSON.parse(`{"__proto__": {"account": "x@y"}, "account": "a@b"}`), "bad-options", /options\.__proto__/],
  ["unknown storage", { ...base, storage: "cookies" }, "bad-options", /options\.storage.*indexeddb, memory/],
  ["mechanisms as text", { ...base, mechanisms: "PLAIN" }, "bad-options", /options\.mechanisms/],
  ["an empty mechanism", { ...base, mechanisms: ["PLAIN", ""] }, "bad-options", /options\.mechanisms/],
  ["followTo with an empty host", { ...base, followTo: ["", "b"] }, "bad-options", /options\.followTo/],
  ["no mechanism", { ...base, mechanisms: [] }, "bad-options", /options\.mechanisms/],
  ["runtime.where", { ...base, runtime: { where: "moon" } }, "bad-options", /options\.runtime\.where/],
  ["runtime.worker", { ...base, runtime: { worker: 5 } }, "bad-options", /options\.runtime\.worker/],
  ["unknown runtime option", { ...base, runtime: { wsm: 1 } }, "bad-options", /options\.runtime\.wsm/],
  ["reconnect true", { ...base, reconnect: true }, "bad-options", /options\.reconnect must be/],
  ["negative delay", { ...base, reconnect: { baseMs: -1 } }, "bad-options", /options\.reconnect\.baseMs/],
  ["no delay", { ...base, reconnect: { baseMs: 0 } }, "bad-options", /options\.reconnect\.baseMs/],
  ["a delay that is not whole", { ...base, reconnect: { maxMs: 1.5 } }, "bad-options", /options\.reconnect\.maxMs/],
  ["a delay beyond 31 bits", { ...base, reconnect: { maxMs: 2 ** 31 } }, "bad-options", /options\.reconnect\.maxMs/],
  ["delay NaN", { ...base, reconnect: { maxMs: NaN } }, "bad-options", /options\.reconnect\.maxMs/],
  ["infinite delay", { ...base, reconnect: { maxMs: Infinity } }, "bad-options", /options\.reconnect\.maxMs/],
  ["jitter", { ...base, reconnect: { jitter: "some" } }, "bad-options", /options\.reconnect\.jitter/],
  ["wakeOnForeground", { ...base, reconnect: { wakeOnForeground: 1 } }, "bad-options", /wakeOnForeground/],
  ["inspector", { ...base, inspector: 5 }, "bad-options", /options\.inspector/],
  ["inspector.frames", { ...base, inspector: { frames: 0 } }, "bad-options", /options\.inspector\.frames/],
  ["logger", { ...base, logger: {} }, "bad-options", /options\.logger/],
  ["getter that throws", throwing("account"), "bad-options", /options\.account cannot be read: trap/],
  ["proxy that throws", new Proxy({}, { ownKeys() { throw new Error("trap"); } }), "bad-options", /options cannot be read: trap/],
  ["service whose text throws", { ...base, service: { toString() { throw new Error("trap"); } } }, "bad-options", /options\.service/],
];

for (const [name, options, code, text] of cases) {
  test(`createClient rejects: ${name}`, () => {
    assert.throws(() => createClient(options), (e) => {
      assert.ok(PamError.is(e, code), `${e.code}: ${e.message}`);
      assert.ok(e instanceof Error);
      assert.match(e.message, text);
      return true;
    });
  });
}

const good = [
  ["the least", { account: "a@b", credentials: { password: "x" } }],
  ["everything", { ...base, service: new URL("ws://localhost:1/"), followTo: ["b", "c"], storage: "indexeddb", mechanisms: ["PLAIN"], runtime: { where: "main" }, inspector: { frames: 1 },
    reconnect: { baseMs: 1, maxMs: 2, jitter: "none", maxAttempts: Infinity, wakeOnForeground: false }, logger: () => undefined }],
  ["undefined options", { ...base, service: undefined, followTo: undefined, storage: undefined, reconnect: undefined, runtime: undefined, inspector: undefined }],
  ["inherited options", Object.create(base)],
  ["no prototype", Object.assign(Object.create(null), base)],
  ["reconnect false", { ...base, reconnect: false, inspector: false }],
  ["the longest account", { ...base, account: `${"a".repeat(1023)}@${"b".repeat(1023)}` }],
  ["the longest delay", { ...base, reconnect: { baseMs: 2 ** 31 - 1 } }],
  ["international account", { ...base, account: "жанна@пример.рф" }],
];

for (const [name, options] of good) {
  test(`createClient accepts: ${name}`, () => {
    const client = createClient(options);
    assert.equal(client.account, options.account);
    assert.equal(client.runtime.getSnapshot().phase, "idle");
  });
}

test("options are read exactly once, when the client is created", () => {
  let reads = 0;
  const options = { ...base, get account() { reads++; return "alice@example.org"; } };
  const client = createClient(options);
  assert.equal(reads, 1);
  assert.equal(client.account, "alice@example.org");
});

test("the program gets the defaults of the options, or what they say", async () => {
  const wanted = {
    url: "wss://example.org/ws", followTo: undefined, mechanisms: undefined, inspector: false, baseMs: 500, maxMs: 60_000, noJitter: false, maxAttempts: 0, reconnectOff: false,
  };
  for (const [given, more] of [
    [{}, {}], [{ reconnect: {} }, {}], [{ reconnect: { jitter: "full", maxAttempts: Infinity } }, {}], [{ reconnect: false }, { reconnectOff: true }],
    [{ reconnect: { baseMs: 1, maxMs: 2, jitter: "none", maxAttempts: 4 } }, { baseMs: 1, maxMs: 2, noJitter: true, maxAttempts: 4 }],
    [{ inspector: true }, { inspector: true }], [{ inspector: false }, {}], [{ inspector: { frames: 1 } }, { inspector: true }],
    [{ service: new URL("WSS://EXAMPLE.org") }, { url: "wss://example.org/" }], [{ service: "ws://localhost:1/a b" }, { url: "ws://localhost:1/a%20b" }], [{ service: undefined }, { url: undefined }],
  ]) {
    const host = makeHost(given);
    await host.client.subscriptions.ready;
    const create = host.request("create");
    assert.deepEqual(Object.fromEntries(Object.keys(wanted).map((name) => [name, create[name]])), { ...wanted, ...more }, JSON.stringify(given));
    await host.client.close();
  }
});

test("lists among the options are copied", async () => {
  const lists = { followTo: ["b", "c"], mechanisms: ["PLAIN"] };
  const host = makeHost(lists);
  for (const list of Object.values(lists)) list.push("later");
  await host.client.subscriptions.ready;
  const { followTo, mechanisms } = host.request("create");
  assert.deepEqual([followTo, mechanisms], [["b", "c"], ["PLAIN"]]);
  await host.client.close();
});

test("the inspector keeps 1000 messages unless the option says another number", async () => {
  for (const [inspector, want] of [[true, 1000], [{}, 1000], [{ frames: 3 }, 3], [false, 0], [undefined, 0]]) {
    const host = makeHost({ inspector });
    await host.client.subscriptions.ready;
    host.post(...Array.from({ length: 1001 }, (_, seq) => ({ event: "frame", seq, at: 1, out: false, kind: "iq", bytes: 1, xml: "<a/>" })), { event: "warning", error: { code: "internal", text: "w" } });
    await host.client.once("warning", { timeoutMs: 5000 });
    assert.equal(host.client.inspector.getSnapshot().length, want, JSON.stringify(inspector));
    assert.equal(host.client.inspector.enabled, want > 0);
    await host.client.close();
  }
});

test("a listed row with an empty node is a valid target; a node that is not a string is not", () => {
  assert.deepEqual(readTarget({ service: "pubsub.example.org", node: "", subid: "1" }, true), { service: "pubsub.example.org", node: "", subid: "1" });
  for (const node of [undefined, null, 1, {}]) {
    assert.throws(() => readTarget({ service: "pubsub.example.org", node }, true), (e) => PamError.is(e, "bad-options") && /target\.node/.test(e.message));
  }
});

test("a client is frozen and has no private fields", () => {
  const client = createClient(base);
  const proxy = new Proxy(client, {}); // as a reactive framework wraps it
  assert.ok(Object.isFrozen(client) && Object.isFrozen(client.subscriptions) && Object.isFrozen(client.sync));
  assert.equal(proxy.sync.getSnapshot().phase, "offline");
  assert.equal(proxy.subscriptions.getSnapshot().length, 0);
  assert.throws(() => { "use strict"; client.account = "x"; }, TypeError);
  assert.equal(typeof client[Symbol.asyncDispose ?? "close"], "function");
});
