// The signal, time limit and options of calls, and the errors with which calls reject.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { makeHost, rejects, target, turn } from "./host.mjs";
import { odd, trap } from "./odd-values.mjs";

test("a signal ends a call immediately and cancels it in the program", async () => {
  const host = makeHost({}, { subscribe: () => undefined, unsubscribe: () => undefined });
  const { client } = host;
  await client.connect();
  const controller = new AbortController();
  const call = client.subscribe(target, { signal: controller.signal });
  const request = await host.until("subscribe");
  client.unsubscribe(target).catch(() => undefined); // a later request, which goes on
  await host.until("unsubscribe");
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(call, (e) => e.code === "aborted" && e.cause === reason && !e.retryable);
  assert.equal((await host.until("cancel")).target, request.id);
  await rejects(client.subscribe(target, { signal: controller.signal }), "aborted");
  assert.equal(host.requests.filter((r) => r.op === "subscribe").length, 1, "an aborted signal sends nothing");
});

test("timeoutMs may be longer than the maximum delay of a timer", async () => {
  const host = makeHost({}, { refresh: () => undefined });
  const { client } = host;
  await client.connect();
  const ended = [];
  for (const days of [20, 25, 30, 49, 50, 100, 100_000]) client.subscriptions.refresh({ timeoutMs: days * 86_400_000 }).catch(() => ended.push(days));
  await host.until("refresh", 7);
  await new Promise((r) => setTimeout(r, 50));
  assert.deepEqual(ended, []);
});

test("timeoutMs of zero ends a call in the next turn", async () => {
  const host = makeHost({}, { refresh: () => undefined });
  await host.client.connect();
  await rejects(host.client.subscriptions.refresh({ timeoutMs: 0 }), "timeout", /0/);
});

test("timeoutMs ends every asynchronous method", async () => {
  const never = () => undefined;
  const host = makeHost({}, { connect: never, disconnect: never, subscribe: never, unsubscribe: never, refresh: never });
  const { client } = host;
  await client.subscriptions.ready;
  const o = { timeoutMs: 5 };
  for (const call of [() => client.connect(o), () => client.disconnect(o), () => client.subscribe(target, o), () => client.unsubscribe(target, o),
    () => client.subscriptions.refresh(o), () => client.once("crash", o)]) {
    await assert.rejects(call(), (e) => PamError.is(e, "timeout") && e.retryable, String(call));
  }
  await turn();
  assert.equal(host.requests.filter((r) => r.op === "cancel").length, 4, "what the program may do later is cancelled");
});

test("invalid options of a call reject its promise", async () => {
  const { client } = makeHost();
  for (const o of [{ timeoutMs: "5" }, { timeoutMs: NaN }, { timeoutMs: -1 }, { signal: {} }, { timeout: 5 }, null && 0, 5, { get signal() { throw new Error("trap"); } }]) {
    if (o !== null) await rejects(client.connect(o), "bad-options");
  }
  await rejects(client.subscribe(target, { timeout: 5 }), "bad-options", /Options: signal, timeoutMs\.$/);
  await rejects(client.connect({ ignoreVersion: true }), "bad-options");
  await rejects(client.subscriptions.refresh({ timeout: 5 }), "bad-options", /ignoreVersion/);
  for (const t of [undefined, null, "news", {}, { service: "s" }, { service: "", node: "n" }, { service: "s", node: "" }, { service: 1, node: "n" }, { service: "s", node: "n", subid: 1 }]) {
    await rejects(client.subscribe(t), "bad-options", /target/);
    if (t?.node !== "") assert.throws(() => client.subscriptions.get(t), (e) => PamError.is(e, "bad-options"));
  }
});

test("requests are rejected while there is no program", async () => {
  const { client, ...host } = makeHost();
  await rejects(client.subscribe(target), "offline", /connect\(\)/);
  await rejects(client.unsubscribe(target), "offline");
  await rejects(client.subscriptions.refresh(), "offline");
  await client.disconnect();
  assert.equal(host.starts, 0);
});

test("an error has all fields that the program posted", async () => {
  const error = { code: "stanza", origin: "remote-service", text: "The service refused.", by: "pubsub.example.org", condition: "not-authorized", pubsubCondition: "closed-node", retryable: true, cause: "iq" };
  const { client } = makeHost({}, { subscribe: () => ({ error }) });
  await client.connect();
  await assert.rejects(client.subscribe(target), (e) => {
    assert.ok(PamError.is(e, "stanza") && !PamError.is(e, "auth") && e instanceof PamError);
    const { code, origin, by, condition, pubsubCondition, retryable, docs, message, name } = e;
    assert.deepEqual({ code, origin, by, condition, pubsubCondition, retryable, docs, message, name }, {
      code: "stanza", origin: "remote-service", by: "pubsub.example.org", condition: "not-authorized", pubsubCondition: "closed-node", retryable: true,
      docs: "xmpp-pam/docs/errors.md#stanza", message: "The service refused.", name: "PamError",
    });
    assert.equal(e.cause.message, "iq");
    assert.deepEqual(JSON.parse(JSON.stringify(e)), { code, origin, by, condition, pubsubCondition, retryable, docs, message, name });
    return true;
  });
});

test("absent fields of an error are absent", () => {
  const e = new PamError("auth", "No.");
  assert.deepEqual(Object.keys(e).sort(), ["code", "docs", "name", "origin", "retryable"]);
  assert.equal(PamError.is(new Error("x")), false);
  assert.equal(PamError.is(null), false);
});

test("PamError.is never throws", () => {
  for (const value of odd) assert.equal(typeof PamError.is(value, "auth"), "boolean");
  assert.equal(PamError.is(new PamError("auth", "x"), "auth"), true);
});

test("a signal that is not an AbortSignal, or is a Proxy of one, is rejected with a PamError", async () => {
  const { client } = makeHost();
  for (const signal of [...odd.slice(1), Object.create(AbortSignal.prototype), new Proxy(new AbortController().signal, { get: trap })]) {
    await assert.rejects(client.connect({ signal }), (e) => e instanceof PamError && e.code === "bad-options");
    assert.throws(() => client.on("sync", () => undefined, { signal }), (e) => e instanceof PamError && e.code === "bad-options");
  }
});
