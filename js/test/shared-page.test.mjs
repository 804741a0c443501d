// A page whose client uses the program that the tabs share: what it sends, what it releases, and when it gets one of its own.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { info, turn } from "./host.mjs";
import { page, watchRegistrations } from "./registered.mjs";
import { makeBrowser } from "./shared-browser.mjs";

const stored = { storage: "indexeddb" };
const code = (promise) => promise.then(() => "ok", (e) => (PamError.is(e) ? e.code : assert.fail(String(e))));
const hide = (persisted) => Object.assign(new Event("pagehide"), { persisted });
const show = (persisted) => Object.assign(new Event("pageshow"), { persisted });

test("the tabs of an account share a host, which gets the address of the program and the name of a lock that the tab holds", async (t) => {
  const { locks, hosts, open } = makeBrowser(t);
  const [one, two] = [open(), open()];
  const other = open({ account: "bob@example.org" });
  for (const client of [one, two, other]) await client.connect();
  assert.deepEqual(hosts.map(({ name, given }) => [name, given.type, given.extendedLifetime]), [
    [`xmpp-pam ${info.version} 2 alice@example.org`, "module", true], [`xmpp-pam ${info.version} 2 bob@example.org`, "module", true],
  ]);
  assert.match(hosts[0].url, /\/dist\/worker\.js$/);
  const begins = hosts.flatMap(({ received }) => received.filter((m) => "wasm" in m));
  assert.ok(begins.every(({ wasm }) => wasm.endsWith("/dist/pam.wasm")));
  assert.deepEqual(begins.map(({ lock }) => lock).sort(), locks.held().filter((name) => name.startsWith("xmpp-pam:page:")));
  assert.equal(new Set(begins.map(({ lock }) => lock)).size, 3);
  assert.equal(one.runtime.getSnapshot().where, "shared-worker");
  assert.deepEqual(one.tabs.getSnapshot(), { sharing: "independent", tabs: 0 }, "the host has not said how many they are");
  const seen = { one: [], other: [] };
  one.tabs.subscribe(({ tabs }) => seen.one.push(tabs));
  other.tabs.subscribe(({ tabs }) => seen.other.push(tabs));
  hosts[1].send({ tabs: 7 });
  await turn();
  assert.deepEqual([other.tabs.getSnapshot(), seen], [{ sharing: "shared-worker", tabs: 7 }, { one: [0], other: [0, 7] }]);
});

test("the address of the program may be given", async (t) => {
  const { hosts, open } = makeBrowser(t);
  await open({ runtime: { wasm: new URL("https://cdn.example/pam.wasm") } }).connect();
  assert.equal(hosts[0].received[0].wasm, "https://cdn.example/pam.wasm");
});

for (const [name, fresh, resume] of [["resumes the stored session", false, true], ["after a crash begins a new one", true, false]]) {
  test(`a shared program has one name for its session, and ${name}`, async (t) => {
    const { window, kept } = page(t);
    kept["xmpp-pam:tab:alice@example.org"] = "of a program of its own";
    const { hosts, open } = makeBrowser(t, {}, { fresh });
    await open(stored).connect();
    const create = hosts[0].request("create");
    assert.deepEqual([create.tab, create.resume], [`shared ${info.version}`, resume ? `shared ${info.version}` : undefined]);
    window.dispatchEvent(hide(false));
    assert.equal(kept["xmpp-pam:tab:alice@example.org"], "of a program of its own", "the page leaves the name of the shared session");
  });
}

test("with memory storage a shared program stores no session", async (t) => {
  const { hosts, open } = makeBrowser(t);
  await open().connect();
  assert.deepEqual([hosts[0].request("create").tab, hosts[0].request("create").resume], [undefined, undefined]);
});

test("a shared program is informed who is looked at, and which pages are in the back/forward cache", async (t) => {
  const { window, document } = page(t);
  document.visibilityState = "hidden";
  const { hosts, open } = makeBrowser(t);
  const client = open();
  await client.connect();
  const sent = () => hosts[0].requests.splice(0).filter((r) => r.id === 0).map(({ op, visible }) => (op === "show" ? `show ${visible}` : op)).join();
  assert.equal(sent(), "show false");
  const steps = [
    [() => window.dispatchEvent(new Event("focus")), "show true"],
    [() => { document.visibilityState = "visible"; document.dispatchEvent(new Event("visibilitychange")); }, "show true,wake"],
    [() => { document.visibilityState = "hidden"; document.dispatchEvent(new Event("visibilitychange")); }, "show false,sleep"],
    [() => window.dispatchEvent(hide(true)), "suspend,sleep"],
    [() => window.dispatchEvent(show(true)), "resume,wake"],
    [() => window.dispatchEvent(hide(false)), "sleep"],
    [() => window.dispatchEvent(show(false)), "wake"],
    [() => document.dispatchEvent(new Event("freeze")), "sleep"],
    [() => document.dispatchEvent(new Event("resume")), "wake"],
  ];
  for (const [step, want] of steps) {
    step();
    await turn();
    assert.equal(sent(), want, String(step));
  }
  await client.close();
  await turn();
  hosts[0].requests.length = 0;
  for (const event of [new Event("focus"), hide(true), show(true), new Event("online")]) window.dispatchEvent(event);
  for (const type of ["freeze", "resume", "visibilitychange"]) document.dispatchEvent(new Event(type));
  await turn();
  assert.equal(sent(), "");
});

for (const outlives of [true, false]) {
  test(`a page that goes into the back/forward cache says whether the host ${outlives ? "goes on" : "is suspended with it"}`, async (t) => {
    const { window } = page(t);
    const { hosts, open } = makeBrowser(t, {}, { outlives });
    await open().connect();
    window.dispatchEvent(hide(true));
    await turn();
    assert.equal(hosts[0].request("suspend").freezes, !outlives);
  });
}

test("a page that looks at the program when it starts says so", async (t) => {
  page(t);
  const { hosts, open } = makeBrowser(t);
  await open().connect();
  assert.deepEqual(hosts[0].requests.filter((r) => r.op === "show").map((r) => r.visible), [true]);
});

test("each text is acknowledged when it has been handled, with its length in UTF-16 units", async (t) => {
  const { hosts, open } = makeBrowser(t);
  const client = open();
  await client.connect();
  await turn();
  hosts[0].received.length = 0;
  const handled = [];
  client.on("warning", ({ message }) => handled.push(message));
  const texts = ["é", "😀"].map((text) => JSON.stringify([{ event: "warning", error: { code: "storage", text } }]));
  for (const text of texts) hosts[0].send({ text, heap: 3, references: 4 });
  await turn();
  assert.deepEqual([hosts[0].received, handled], [texts.map((text) => ({ ack: text.length })), ["é", "😀"]]);
  const { goHeapBytes, liveReferences } = client.inspector.stats();
  assert.deepEqual([goHeapBytes, liveReferences], [3, 4]);
});

test("close() ends only this page: the host is told first, then nothing of the page remains", async (t) => {
  page(t);
  const { left, pause } = watchRegistrations(t);
  const { locks, hosts, open } = makeBrowser(t);
  const [one, two] = [open(), open()];
  await one.connect();
  const { length } = left();
  const watched = locks.waiting();
  await two.connect();
  assert.equal(locks.waiting().length, 2 * watched.length);
  const before = locks.held().length;
  await two.close();
  await pause(20);
  assert.deepEqual(hosts[0].ops().filter((op) => op === "close"), ["close", "close"]);
  assert.deepEqual([left().length, locks.waiting(), locks.held().length], [length, watched, before - 1]);
  assert.equal(await code(one.connect()), "ok");
  assert.equal(hosts.length, 1);
  await one.close();
  await pause(20);
  assert.deepEqual([left(), locks.waiting(), locks.held()], [[], [], [hosts[0].lock]]);
});

for (const when of ["while it looks for the host", "while the host loads the program", "while the program reads the list"]) {
  test(`close() ${when} leaves nothing registered`, async (t) => {
    page(t);
    const { left, pause } = watchRegistrations(t);
    const { locks, hosts, workers, open } = makeBrowser(t, { load: () => undefined }, {
      started(host) {
        host.silent = when.includes("looks");
        host.starts = !when.includes("loads");
      },
    });
    const client = open();
    const outcome = code(client.connect());
    await pause(when.includes("looks") ? 5 : 30);
    await client.close();
    assert.equal(await outcome, "closed");
    await pause(30);
    assert.deepEqual([left(), locks.waiting(), locks.held(), workers.length], [[], [], [hosts[0].lock], 0]);
  });
}

test("close() in the same turn in which the host answers releases the host", async (t) => {
  const { left, pause } = watchRegistrations(t);
  const { locks, hosts, open } = makeBrowser(t);
  for (const turns of [1, 2, 3, 4, 5, 6, 7, 8]) {
    const client = open();
    const outcome = code(client.connect());
    for (let i = 0; i < turns; i++) await new Promise(setImmediate);
    await client.close();
    assert.match(await outcome, /^(closed|ok)$/);
  }
  await pause(30);
  assert.deepEqual([left(), locks.waiting(), locks.held()], [[], [], hosts.map((h) => h.lock)]);
});

/** Why a page gets a program of its own, with a warning that says so. */
const own = {
  "another tab uses other options": [
    { create: () => ({ error: { code: "bad-options", condition: "other-options", text: "other" } }) }, {}, {},
    /because another tab uses the account with other options/,
  ],
  "the shared program cannot be loaded": [{}, { failed: { code: "wasm-load", origin: "runtime", text: "gone" } }, {}, /because the SharedWorker failed: gone/],
};
for (const [name, [answers, options, more, words]] of Object.entries(own)) {
  test(`if ${name}, the page gets a program of its own and a warning, and does not ask again`, async (t) => {
    const { workers, hosts, locks, open } = makeBrowser(t, {
      create(request, host) {
        if (answers.create && "lock" in host) return answers.create(request, host);
        return { account: request.account };
      },
    }, options);
    const logged = [];
    const client = open({ ...more, logger: ({ level, message, fields }) => logged.push([level, message, fields?.code]) });
    const warnings = [];
    client.on("warning", ({ code, message }) => warnings.push([code, message]));
    assert.equal((await client.connect()).phase, "live");
    assert.deepEqual(logged.filter(([level]) => level === "warn"), warnings.map(([code, message]) => ["warn", message, code]));
    assert.deepEqual([workers.length, client.runtime.getSnapshot().where, client.tabs.getSnapshot()], [1, "worker", { sharing: "independent", tabs: 1 }]);
    assert.deepEqual(warnings.map(([code]) => code), ["bad-options"]);
    assert.match(warnings[0][1], words);
    assert.deepEqual(locks.held(), [hosts[0].lock], "the page still holds the lock of a page that shares");
    workers[0].send({ exit: "exit code 2" });
    await turn();
    const { length } = hosts[0].requests;
    assert.equal(await code(client.connect()), "ok");
    assert.deepEqual([workers.length, hosts[0].requests.length, warnings.length], [2, length, 1]);
    assert.equal(workers[0].terminated, true);
  });
}

test("other errors of a shared program reject the call, and the page gets no program of its own", async (t) => {
  const { workers, open } = makeBrowser(t, { create: () => ({ error: { code: "bad-options", text: "no" } }) });
  assert.equal(await code(open().connect()), "bad-options");
  const failed = makeBrowser(t, {}, { failed: { code: "unsupported", origin: "runtime", text: "no" } });
  assert.equal(await code(failed.open().connect()), "unsupported");
  assert.deepEqual([workers.length, failed.workers.length], [0, 0]);
});

for (const fails of ["throws", "error"]) {
  test(`if the SharedWorker cannot be started (${fails}), the page gets a Worker without a warning`, async (t) => {
    const { left, pause } = watchRegistrations(t);
    const { workers, locks, open } = makeBrowser(t, {}, { fails });
    const client = open();
    client.on("warning", () => assert.fail("a warning"));
    await client.connect();
    assert.deepEqual([workers.length, locks.held()], [1, []]);
    await client.close();
    await pause(10);
    assert.deepEqual(left().filter((what) => what !== "a MessageChannel "), []);
  });
}

/** Options with which a page does not look for a shared host. */
for (const [name, more, warned] of [
  ["tabs", { tabs: "independent" }, false], ["where", { runtime: { where: "worker" } }, false],
  ["bytes of the program", { runtime: { wasm: "bytes" } }, true], ["a worker script", { runtime: { worker: "https://example.org/worker.js" } }, true],
]) {
  test(`with options that exclude sharing (${name}) the page starts a Worker${warned ? " and warns" : ""}`, async (t) => {
    const { workers, hosts, open } = makeBrowser(t);
    if (more.runtime?.wasm) more.runtime.wasm = await (await fetch("")).arrayBuffer();
    const client = open(more);
    const warnings = [];
    client.on("warning", ({ message }) => warnings.push(message));
    await client.connect();
    assert.deepEqual([workers.length, hosts.length, warnings.length], [1, 0, warned ? 1 : 0]);
    workers[0].send({ exit: "exit code 2" });
    await turn();
    await client.connect();
    assert.deepEqual([workers.length, hosts.length, warnings.length], [2, 0, warned ? 1 : 0], "it warns again");
    assert.match(workers[0].url, name === "a worker script" ? /^https:\/\/example\.org\/worker\.js$/ : /\/dist\/worker\.js$/);
  });
}

for (const lacks of ["SharedWorker", "navigator"]) {
  test(`in a browser without ${lacks === "navigator" ? "Web Locks" : lacks} the page starts a Worker`, async (t) => {
    const { workers, hosts, open } = makeBrowser(t);
    if (lacks === "navigator") globalThis.navigator = {};
    else globalThis.SharedWorker = undefined;
    await open().connect();
    assert.deepEqual([workers.length, hosts.length], [1, 0]);
  });
}
