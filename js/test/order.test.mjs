// The order of calls, and the effect of a call's signal and time limit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { makeHost, rawState, row, target, turn } from "./host.mjs";

const quiet = (promise) => promise.then(() => "ok", (e) => (PamError.is(e) ? e.code : assert.fail(String(e))));

/** Simulates a program's connect and disconnect: disconnect rejects pending calls of connect. */
function player() {
  const waiting = [];
  return {
    connect(request, host) { // it takes a while
      waiting.push(request);
      setTimeout(() => {
        const i = waiting.indexOf(request);
        if (i < 0) return;
        waiting.splice(i, 1);
        host.answer(request, rawState("live"));
      }, 10);
    },
    disconnect(_request, host) {
      for (const { id } of waiting.splice(0)) host.post({ id, error: { code: "aborted", text: "The client was disconnected while it connected." } });
      return null;
    },
  };
}

for (const warm of [false, true]) {
  test(`connect, disconnect, connect in one turn ends live, ${warm ? "with a program" : "on a client that has not started"}`, async () => {
    const host = makeHost({}, player());
    const { client } = host;
    if (warm) await client.subscriptions.ready;
    // React's StrictMode runs an effect, cleans it up and runs it again, all in one turn.
    const effect = () => {
      const outcome = quiet(client.connect());
      return { outcome, cleanUp: () => quiet(client.disconnect()) };
    };
    const first = effect();
    const cleaned = first.cleanUp();
    const second = effect();
    assert.deepEqual(await Promise.all([first.outcome, cleaned, second.outcome]), ["aborted", "ok", "ok"]);
    assert.deepEqual(host.requests.map((r) => r.op), ["create", "load", "connect", "disconnect", "connect"]);
    assert.equal(host.starts, 1);
  });

  test(`connect, disconnect in one turn ends offline, ${warm ? "with a program" : "on a client that has not started"}`, async () => {
    const host = makeHost({}, player());
    if (warm) await host.client.subscriptions.ready;
    assert.deepEqual(await Promise.all([quiet(host.client.connect()), quiet(host.client.disconnect())]), ["aborted", "ok"]);
    assert.equal(host.requests.at(-1).op, "disconnect");
  });
}

test("disconnect() after a failed start is not an error", async () => {
  const host = makeHost({}, { create: () => ({ error: { code: "bad-jid", text: "no" } }) });
  assert.deepEqual(await Promise.all([quiet(host.client.connect()), quiet(host.client.disconnect())]), ["bad-jid", "ok"]);
  assert.equal(await quiet(host.client.disconnect()), "ok");
  assert.equal(host.request("disconnect"), undefined);
});

test("the program gets requests in the order of the calls, whenever they are made", async () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));
  let state = seed;
  const below = (n) => ((state = (state * 1103515245 + 12345) % 2 ** 31) >> 8) % n;
  for (let round = 0; round < 60; round++) {
    const host = makeHost({}, { subscribe: () => row("a"), unsubscribe: () => null, refresh: () => null, forget: () => null, export: () => ({ account: "", list: [], lastFull: null, lastSynced: null, sessions: [] }) });
    const { client } = host;
    const want = [];
    const outcomes = [];
    let running = false;
    // Calls that need a connection are refused, and send nothing, until the program runs.
    const calls = {
      connect: () => client.connect(), disconnect: () => client.disconnect(), forget: () => client.forget(), export: () => client.export(),
      subscribe: () => client.subscribe(target), unsubscribe: () => client.unsubscribe(target), refresh: () => client.subscriptions.refresh(),
    };
    const call = () => {
      const names = Object.keys(calls);
      const op = names[below(running ? names.length : 4)];
      const started = host.starts > 0 || client.runtime.getSnapshot().phase !== "idle";
      if (op !== "disconnect" || started) want.push(op);
      outcomes.push(quiet(calls[op]()));
    };
    client.runtime.subscribe(({ phase }) => {
      running = phase === "running";
      if (phase === "running") for (let n = below(3); n > 0; n--) call(); // before the pending calls have resolved
    });
    for (let step = 0; step < 12; step++) {
      for (let n = below(4); n > 0; n--) call();
      if (below(2)) await Promise.resolve();
      else if (below(2)) await turn();
    }
    await Promise.all(outcomes);
    const asked = host.requests.map((r) => r.op).filter((op) => op !== "create" && op !== "load");
    assert.deepEqual(asked, want, `SEED=${seed}, round ${round}`);
    await client.close();
  }
});

test("the signal or time limit of connect() ends only the wait, not the connecting", async () => {
  for (const end of ["abort", "timeout", "aborted by the time that the program runs"]) {
    const host = makeHost({}, player());
    const { client } = host;
    if (end === "abort") await client.subscriptions.ready;
    const controller = new AbortController();
    const first = quiet(client.connect(end === "timeout" ? { timeoutMs: 0 } : { signal: controller.signal }));
    if (end === "abort") await host.until("connect");
    controller.abort();
    assert.equal(await first, end === "timeout" ? "timeout" : "aborted");
    await host.until("connect");
    assert.equal(await quiet(client.connect()), "ok");
    assert.equal(host.request("disconnect"), undefined);
  }
});

test("an aborted signal starts nothing", async () => {
  const host = makeHost();
  assert.equal(await quiet(host.client.connect({ signal: AbortSignal.abort() })), "aborted");
  await turn();
  assert.equal(host.starts, 0);
});

test("a call that is aborted before the program runs is not sent", async () => {
  const host = makeHost({}, { forget: () => null, export: () => null });
  const controller = new AbortController();
  const calls = [host.client.forget({ signal: controller.signal }), host.client.export({ signal: controller.signal })].map(quiet);
  controller.abort();
  assert.deepEqual(await Promise.all(calls), ["aborted", "aborted"]);
  await host.client.subscriptions.ready;
  await turn();
  assert.deepEqual(host.requests.map((r) => r.op), ["create", "load"]);
  const late = new AbortController();
  const call = quiet(host.client.subscribe(target, { signal: late.signal }));
  late.abort();
  assert.equal(await call, "aborted");
  await turn();
  assert.equal(host.request("subscribe"), undefined);
});

test("a listener that connects as soon as the state changes starts one program", async () => {
  const host = makeHost();
  const calls = [];
  host.client.runtime.subscribe(({ phase }) => {
    if (phase !== "closed" && calls.length < 5) calls.push(quiet(host.client.connect()));
  });
  host.client.sync.subscribe(() => calls.length < 8 && calls.push(quiet(host.client.connect())));
  await host.client.connect();
  await Promise.all(calls);
  assert.equal(host.starts, 1);
});
