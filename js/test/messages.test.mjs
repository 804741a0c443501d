// The event `message`: its content, and when the program is notified that there is a listener.

import assert from "node:assert/strict";
import { test } from "node:test";
import { makeHost, rawState, turn } from "./host.mjs";

const listenValues = (host) => host.requests.filter((r) => r.op === "listen").map((r) => r.messages);
const batch = async (host) => { host.post({ event: "state", state: rawState("live") }); await turn(); };

test("the program is notified when the first listener is added and when the last is removed", async () => {
  const host = makeHost();
  const { client } = host;
  await client.connect();
  await batch(host);
  assert.deepEqual(listenValues(host), [], "there is no listener");
  const stops = [client.on("message", () => undefined), client.on("message", () => undefined)];
  client.on("warning", () => undefined);
  await batch(host);
  assert.deepEqual(listenValues(host), [true]);
  stops[0]();
  await batch(host);
  assert.deepEqual(listenValues(host), [true]);
  stops[1]();
  await batch(host);
  await batch(host);
  assert.deepEqual(listenValues(host), [true, false]);
  const iterator = client.events("message");
  await turn();
  assert.deepEqual(listenValues(host), [true, false, true]);
  await iterator.return();
  await batch(host);
  assert.deepEqual(listenValues(host), [true, false, true, false]);
  await client.close();
});

test("the program is notified of listeners to events of the inbox, but not for its stores", async () => {
  const host = makeHost({}, { inbox: () => undefined });
  const { client } = host;
  const events = () => host.requests.filter((r) => r.op === "listen").map((r) => [r.messages, r.events]);
  client.inbox.subscribe(() => undefined);
  await client.connect();
  await batch(host);
  assert.deepEqual(events(), []);
  const stops = [client.on("event", () => undefined), client.on("events", () => undefined), client.on("catchup", () => undefined)];
  await batch(host);
  assert.deepEqual(events(), [[false, true]]);
  stops[0]();
  await batch(host);
  assert.deepEqual(events(), [[false, true]]);
  client.on("message", () => undefined);
  await batch(host);
  stops[1]();
  await batch(host);
  assert.deepEqual(events(), [[false, true], [true, true], [true, false]]);
  await client.close();
});

test("a listener added before connect() misses no message, and neither does a loop over once()", async () => {
  const host = makeHost({}, { connect: (_, host) => (host.post({ event: "message", from: "a@b", xml: "<message/>" }), rawState("live")) });
  const { client } = host;
  const first = client.once("message");
  await client.connect();
  assert.ok(host.requests.findIndex((r) => r.op === "listen") < host.requests.findIndex((r) => r.op === "connect"));
  await first;
  for (let i = 0; i < 5; i++) {
    const next = client.once("message");
    host.post({ event: "message", from: "a@b", xml: `<message id='${i}'/>` });
    await next;
  }
  assert.deepEqual(listenValues(host), [true]);
  await client.close();
});

test("a restarted program is notified of existing listeners", async () => {
  const host = makeHost();
  const { client } = host;
  client.on("message", () => undefined);
  await client.connect();
  host.exit("exit code 2");
  await turn();
  await client.connect();
  await turn();
  assert.deepEqual(listenValues(host), [true, true]);
  await client.close();
});

test("a message without text has the reason in `omitted`", async () => {
  const host = makeHost();
  const { client } = host;
  await client.connect();
  const heard = [];
  client.on("message", (m) => heard.push(m));
  host.post({ event: "message", from: "a@b", xml: "<message/>" }, { event: "message", from: "a@b", omitted: "too-long" }, { event: "message", omitted: "unreadable" });
  await turn();
  assert.deepEqual(heard, [{ from: "a@b", xml: "<message/>" }, { from: "a@b", xml: null, omitted: "too-long" }, { from: "", xml: null, omitted: "unreadable" }]);
  assert.ok(heard.every(Object.isFrozen));
  await client.close();
});
