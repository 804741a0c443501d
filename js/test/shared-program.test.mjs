// How a page finds the host of the program that the tabs share, with a browser that loses a port or whose host hangs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { findSharedHost } from "../build/src/shared-program.js";

const version = "0.0.0"; // of the modules in build/src

/**
 * Replaces the browser. `connect(name, n)` is called when the page opens its n-th port, and returns the host that answers,
 * if any; `holders` are the hosts by name, each of which holds its lock.
 */
function browser(t, holders, connect, knowsOption = true) {
  const names = [];
  const fakes = {
    navigator: { locks: {
      request: async (name, ...rest) => (/:page:/.test(name) ? rest.at(-1)() : new Promise(() => undefined)),
      query: async () => ({ held: [...holders].map(([name, instance]) => ({ name: `xmpp-pam:program:${name}:${instance}` })) }),
    } },
    SharedWorker: class {
      constructor(_url, options) {
        const { name } = options;
        if (knowsOption) assert.equal(options.extendedLifetime, true);
        this.port = { close: () => undefined };
        names.push(name);
        const instance = connect(name, names.length);
        if (instance) setImmediate(() => this.port.onmessage?.({ data: { instance } }));
      }
    },
  };
  for (const [key, value] of Object.entries(fakes)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, key);
    Object.defineProperty(globalThis, key, { value, configurable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, key, before) : delete globalThis[key]));
  }
  return names;
}

/** Finds a host, while the time passes quickly. Returns the name of its session, and the seconds that it took. */
async function find(t) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let found;
  findSharedHost({ account: "a@b" }, new AbortController().signal).then((host) => { found = { host }; });
  let seconds = 0;
  for (; seconds < 100; seconds++) {
    for (let i = 0; i < 10; i++) await turn();
    if (found) return { session: found.host?.session, seconds };
    t.mock.timers.tick(1000);
  }
  assert.fail("no outcome");
}

test("a host that answers is used", async (t) => {
  const names = browser(t, new Map(), () => "one");
  assert.deepEqual([await find(t), names.length], [{ session: `shared ${version}`, seconds: 0 }, 1]);
});

for (const knows of [true, false]) {
  test(`a host ${knows ? "outlives" : "does not outlive"} its pages in a browser that ${knows ? "knows" : "does not know"} the option for it`, async (t) => {
    browser(t, new Map(), () => "one", knows);
    const host = await findSharedHost({ account: "a@b" }, new AbortController().signal);
    assert.equal(host.outlives, knows);
  });
}

test("a host that the browser replaces before it answers is asked again", async (t) => {
  const holders = new Map();
  let number = 0;
  const names = browser(t, holders, (name, n) => {
    if (n === 1) holders.set(name, number);
    if (n <= 8) setTimeout(() => holders.set(name, ++number), 500);
    else return `host ${number}`;
  });
  assert.deepEqual([await find(t), new Set(names).size], [{ session: `shared ${version}`, seconds: 8 }, 1]);
});

test("a host whose script is still loading holds no lock, and is awaited", async (t) => {
  const names = browser(t, new Map(), (_name, n) => (n > 40 ? "late" : undefined));
  assert.deepEqual([await find(t), new Set(names).size], [{ session: `shared ${version}`, seconds: 40 }, 1]);
});

test("a host that has not answered for five seconds hangs: another one is used", async (t) => {
  const holders = new Map();
  const names = browser(t, holders, (name) => {
    if (/ 1$/.test(name)) return "another";
    holders.set(name, "hangs");
  });
  const { session, seconds } = await find(t);
  assert.equal(session, `shared ${version} 1`);
  assert.ok(seconds >= 5 && seconds <= 6, `${seconds} s`);
  assert.match(names.at(-1), / a@b 1$/);
});

test("if no host answers, the page gets none", async (t) => {
  const holders = new Map();
  browser(t, holders, (name) => void holders.set(name, "hangs"));
  assert.equal((await find(t)).session, undefined);
});
