// What a client does when the program that the tabs share is lost or does not respond.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { setGlobals } from "./browser-locks.mjs";
import { row, target, turn } from "./host.mjs";
import { watchRegistrations } from "./registered.mjs";
import { makeBrowser, settle } from "./shared-browser.mjs";

const code = (promise) => promise.then(() => "ok", (e) => (PamError.is(e) ? e.code : assert.fail(String(e))));
const stored = { storage: "indexeddb" };

/** How a page loses a shared program, and what its error says. */
const losses = {
  "the browser ends the host": [(host) => host.end(), /was ended by the browser\. The client starts another/],
  "the browser takes the lock of the page away": [
    (host, locks) => locks.abort(locks.held().find((name) => name.startsWith("xmpp-pam:page:"))), /was left while the page was in the back\/forward cache\./,
  ],
  "the program ends": [(host) => host.send({ exit: "" }), /has ended\. The client starts another/],
};
for (const [name, [lose, words]] of Object.entries(losses)) {
  test(`when ${name}, pending calls are rejected, and the client uses another program and connects again`, async (t) => {
    const logged = [];
    const { hosts, locks, open } = makeBrowser(t, { subscribe: () => undefined });
    const client = open({ logger: ({ level, message }) => logged.push([level, message]) });
    client.on("crash", () => assert.fail("a lost program is no crash"));
    await client.connect();
    hosts[0].send({ tabs: 2 });
    const pending = assert.rejects(client.subscribe(target), (e) => e.code === "crashed" && e.retryable && e.origin === "runtime" && words.test(e.message));
    await turn();
    const states = [];
    client.sync.subscribe(({ phase, error }) => states.push([phase, error?.code].join(" ").trim()));
    client.runtime.subscribe(({ phase, error }) => states.push(`${phase} ${error?.code ?? ""}`.trim()));
    lose(hosts[0], locks);
    await pending;
    await turn();
    await settle();
    const next = hosts.at(-1);
    assert.deepEqual(next.ops().slice(-3).filter((op) => op !== "show"), ["create", "load", "connect"]);
    assert.deepEqual(states, ["offline", "running", "loading", "loading", "running", "offline"], String(states));
    assert.ok(logged.some(([level, message]) => level === "warn" && words.test(message)));
    assert.deepEqual(client.tabs.getSnapshot().tabs, 0);
    assert.equal(await code(client.connect()), "ok");
  });
}

test("a page that loses its lock before it has joined joins again, with a new lock", async (t) => {
  const pageLocks = () => locks.held().filter((name) => name.startsWith("xmpp-pam:page:"));
  const started = () => pageLocks().forEach(locks.abort);
  const { hosts, locks, open } = makeBrowser(t, {}, { started });
  const client = open();
  await client.connect().catch((e) => assert.equal(e.code, "crashed"));
  await settle();
  assert.equal(await code(client.connect()), "ok");
  assert.deepEqual([hosts.length, pageLocks().length], [1, 1]);
});

test("only a client that wants to be connected connects again", async (t) => {
  const { hosts, open } = makeBrowser(t);
  const never = open({ account: "never@example.org" });
  const no_longer = open({ account: "was@example.org" });
  const again = open({ account: "again@example.org" });
  await never.subscriptions.ready;
  await no_longer.connect();
  await no_longer.disconnect();
  await again.connect();
  await again.disconnect();
  await again.connect();
  for (const host of [...hosts]) host.end();
  await settle();
  const connects = hosts.slice(3).map((h) => [h.name.split(" ").at(-1), h.ops().includes("load"), h.ops().includes("connect")]);
  assert.deepEqual(connects, [["never@example.org", true, false], ["was@example.org", true, false], ["again@example.org", true, true]]);
});

test("a crash of a shared program is a crash: the client waits for connect(), which does not resume the session", async (t) => {
  const crashes = [];
  const { hosts, open } = makeBrowser(t);
  const client = open(stored);
  client.on("crash", (e) => crashes.push(e.message));
  await client.connect();
  hosts[0].send({ exit: "exit code 2" });
  await settle();
  assert.deepEqual([crashes.length, hosts.length, client.runtime.getSnapshot().phase, client.sync.getSnapshot().phase], [1, 1, "crashed", "failed"]);
  assert.match(crashes[0], /exit code 2/);
  assert.equal(hosts[0].requests.filter((r) => r.op === "create").length, 1);
});

test("each loss within a minute makes the pause before the next start longer, and the sixth is a crash", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const { hosts, open } = makeBrowser(t);
  const client = open();
  const crashes = [];
  client.on("crash", ({ code }) => crashes.push(code));
  const connecting = client.connect();
  await settle();
  await connecting;
  for (const pause of [0, 200, 400, 800, 1600]) {
    const { length } = hosts;
    hosts.at(-1).end();
    await settle();
    if (pause > 0) {
      assert.deepEqual([hosts.length, client.runtime.getSnapshot().phase, client.sync.getSnapshot().phase, client.sync.getSnapshot().error.code], [length, "loading", "loading", "crashed"]);
      t.mock.timers.tick(pause - 1);
      await settle();
      assert.equal(hosts.length, length, `not before ${pause} ms`);
      t.mock.timers.tick(1);
      await settle();
    }
    assert.equal(hosts.length, length + 1, `${pause} ms`);
    assert.ok(hosts.at(-1).ops().includes("connect"));
  }
  assert.deepEqual(crashes, []);
  const { length } = hosts;
  hosts.at(-1).end();
  await settle();
  t.mock.timers.tick(10_000);
  await settle();
  assert.deepEqual([crashes, hosts.length, client.runtime.getSnapshot().phase], [["crashed"], length, "crashed"]);

  t.mock.timers.tick(60_000); // a minute later the losses no longer count
  const again = client.connect();
  await settle();
  await again;
  hosts.at(-1).end();
  await settle();
  assert.deepEqual([crashes.length, hosts.length], [1, length + 2]);
  assert.ok(hosts.at(-1).ops().includes("connect"));
});

test("while the client waits to start again, a call starts the program, and close() starts none", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const { hosts, open } = makeBrowser(t);
  const client = open();
  const lose = async () => { hosts.at(-1).end(); await settle(); };
  let done = client.connect();
  await settle();
  await done;
  for (let i = 0; i < 2; i++) await lose();
  assert.equal(hosts.length, 2);
  done = client.connect();
  await settle();
  await done;
  assert.equal(hosts.length, 3, "the call waited for the pause");
  await lose(); // now it waits 400 ms, and the timer of 200 ms must not count
  t.mock.timers.tick(250);
  await settle();
  assert.equal(hosts.length, 3, "the timer of the loss before has started a program");
  t.mock.timers.tick(150);
  await settle();
  assert.equal(hosts.length, 4);
  await lose();
  const closing = client.close();
  await settle();
  await closing;
  t.mock.timers.tick(10_000);
  await settle();
  assert.deepEqual([hosts.length, client.runtime.getSnapshot().phase], [4, "closed"]);
});

test("while the client waits to start again, a call that needs the connection says what to wait for", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] });
  const { hosts, open } = makeBrowser(t);
  const client = open();
  const done = client.connect();
  await settle();
  await done;
  for (let i = 0; i < 2; i++) { hosts.at(-1).end(); await settle(); }
  await assert.rejects(client.subscribe(target), (e) => PamError.is(e, "offline") && e.retryable && e.message === "Not connected yet: wait for connect(), or until `sync` is live. Nothing was sent.");
  const leaving = client.disconnect();
  await settle();
  await leaving;
  await assert.rejects(client.subscribe(target), (e) => PamError.is(e, "offline") && /call connect\(\) first/.test(e.message));
});

test("a client that is closed while it waits to start again leaves nothing registered", async (t) => {
  const { left, pause } = watchRegistrations(t);
  const { hosts, locks, open } = makeBrowser(t);
  const client = open();
  await client.connect();
  hosts.at(-1).end();
  await settle();
  hosts.at(-1).end();
  await settle();
  await client.close();
  await pause(10);
  assert.deepEqual([left(), locks.waiting(), locks.held(), hosts.length], [[], [], [], 2]);
});

/** Replaces setInterval. `pass` lets seconds pass, one by one, and `running` says how many intervals run. */
function clock(t) {
  const running = new Map();
  let last = 0;
  setGlobals(t, {
    setInterval(fn, ms) {
      assert.equal(ms, 1000);
      running.set(++last, fn);
      return last;
    },
    clearInterval: (id) => running.delete(id),
  });
  return {
    running: () => running.size,
    async pass(seconds) {
      for (let i = 0; i < seconds; i++) {
        for (const fn of [...running.values()]) fn();
        await settle(10);
      }
    },
  };
}

test("a host that does not respond while a call waits is asked after 5 s, and counts as lost after 15 s", async (t) => {
  const { pass, running } = clock(t);
  const { hosts, open } = makeBrowser(t, { subscribe: () => undefined });
  const client = open();
  const done = client.connect();
  await settle();
  await done;
  const pings = () => hosts[0].received.filter((m) => "ping" in m).length;
  await pass(30);
  assert.deepEqual([pings(), running()], [0, 0], "it is asked although no call waits");

  const pending = code(client.subscribe(target));
  await settle();
  await pass(4);
  assert.equal(pings(), 0);
  await pass(1);
  assert.equal(pings(), 1);
  await pass(9);
  hosts[0].send({ pong: true }); // after 14 s
  await settle();
  await pass(4);
  assert.equal(pings(), 1, "its answer was not counted");
  await pass(11);
  assert.deepEqual([pings(), hosts.length], [2, 1], "it is lost after less than 15 s");
  hosts[0].answers = false;
  await pass(1);
  assert.equal(await pending, "crashed");
  assert.equal(hosts.length, 1, "it hangs, so that it is not started again");
});

test("time in which no call waits does not count as silence", async (t) => {
  const { pass, running } = clock(t);
  const { hosts, open } = makeBrowser(t, { unsubscribe: () => undefined, subscribe: () => undefined });
  const client = open();
  const done = client.connect();
  await settle();
  await done;
  for (let i = 0; i < 3; i++) {
    const call = code(client.unsubscribe(target));
    await settle();
    await pass(3);
    const { id } = hosts[0].requests.at(-1);
    hosts[0].post({ id, ok: null });
    await settle();
    assert.equal(await call, "ok");
    await pass(20);
    assert.equal(running(), 0);
  }
  const pending = [code(client.subscribe(target)), code(client.subscribe({ ...target, node: "b" }))]; // two calls count the time once
  await settle();
  await pass(5);
  assert.equal(hosts[0].received.filter((m) => "ping" in m).length, 1);
  await pass(10);
  assert.equal(hosts.length, 1);
  for (const { id } of hosts[0].requests.slice(-2)) hosts[0].post({ id, ok: row("a") });
  await settle();
  assert.deepEqual(await Promise.all(pending), ["ok", "ok"]);
});
