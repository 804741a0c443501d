import assert from "node:assert/strict";
import { test } from "node:test";
import { makeHost, turn } from "./host.mjs";
import { page } from "./registered.mjs";

const sentOps = (host) => host.requests.filter((r) => r.id === 0).map(({ op, freezes }) => (freezes === undefined ? op : `${op} ${freezes}`));
const hide = (persisted) => Object.assign(new Event("pagehide"), { persisted });
const place = "xmpp-pam:tab:alice@example.org";

/** Simulates the sessionStorage of a tab. */
function tab(t, refuse = false) {
  const kept = {};
  const check = () => {
    if (refuse) throw new DOMException("no storage for this page", "SecurityError");
  };
  const storage = {
    getItem: (key) => (check(), kept[key] ?? null),
    setItem(key, value) { check(); kept[key] = value; },
    removeItem(key) { check(); delete kept[key]; },
  };
  Object.defineProperty(globalThis, "sessionStorage", {
    configurable: true,
    get() {
      if (refuse === "wholly") check();
      return storage;
    },
  });
  t.after(() => delete globalThis.sessionStorage);
  return kept;
}

test("the page notifies the program when page or network are available again, and when the browser may suspend it", async (t) => {
  const { window, document } = page(t);
  document.visibilityState = "hidden";
  const host = makeHost();
  await host.client.subscriptions.ready;
  const steps = [
    [() => window.dispatchEvent(new Event("online")), "wake"],
    [() => window.dispatchEvent(new Event("pageshow")), "wake"],
    [() => document.dispatchEvent(new Event("freeze")), "sleep"],
    [() => document.dispatchEvent(new Event("resume")), "wake"],
    [() => document.dispatchEvent(new Event("visibilitychange")), "sleep"],
    [() => { document.visibilityState = "visible"; document.dispatchEvent(new Event("visibilitychange")); }, "wake"],
    [() => window.dispatchEvent(hide(true)), "suspend true", "sleep"],
    [() => window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true })), "resume", "wake"],
    [() => window.dispatchEvent(hide(false)), "sleep"],
  ];
  for (const [step, ...want] of steps) {
    host.requests.length = 0;
    step();
    await turn();
    assert.deepEqual(sentOps(host), want, String(step));
  }
  await host.client.close();
  host.requests.length = 0;
  window.dispatchEvent(new Event("online"));
  window.dispatchEvent(hide(false));
  await turn();
  assert.deepEqual(sentOps(host), [], "the page notifies the program after close");
});

test("with wakeOnForeground false it does not", async (t) => {
  const { window } = page(t);
  const host = makeHost({ reconnect: { wakeOnForeground: false } });
  await host.client.subscriptions.ready;
  window.dispatchEvent(new Event("online"));
  window.dispatchEvent(hide(false));
  await turn();
  assert.deepEqual(sentOps(host), ["sleep"]);
  await host.client.close();
});

const stored = { storage: "indexeddb" };
/** Returns a client whose program has started, and the parameters of its create request. */
async function started(options) {
  const host = makeHost(options);
  await host.client.subscriptions.ready;
  const { tab, resume } = host.request("create");
  return { host, tab, resume };
}

test("a page leaves the name of its session only to the next page of the tab", async (t) => {
  const { window } = page(t);
  const kept = tab(t);
  const first = await started(stored);
  assert.deepEqual([first.tab.length, first.resume, kept], [32, undefined, {}], "a name in use can be seen by a copy of the tab");
  window.dispatchEvent(hide(true));
  assert.deepEqual(kept, {}, "a page that may come back keeps its session");
  window.dispatchEvent(hide(false));
  assert.deepEqual(kept, { [place]: first.tab });
  window.dispatchEvent(new Event("pageshow"));
  assert.deepEqual(kept, {}, "the page is there after all");
  window.dispatchEvent(hide(true));
  kept[place] = "of another page of the tab";
  window.dispatchEvent(Object.assign(new Event("pageshow"), { persisted: true }));
  assert.deepEqual(kept, {}, "the page came back, and its own program has a session");
  window.dispatchEvent(hide(false));
  await first.host.client.close();

  const second = await started(stored);
  assert.deepEqual([second.resume, kept], [first.tab, {}]);
  assert.notEqual(second.tab, first.tab, "another tab may know the old name");
  const third = await started(stored);
  assert.equal(third.resume, undefined, "two clients of one page share no session");
  assert.notEqual(third.tab, second.tab);
  const other = await started({ ...stored, account: "bob@example.org" });
  window.dispatchEvent(hide(false));
  assert.deepEqual(Object.keys(kept), [place, "xmpp-pam:tab:bob@example.org"]);
  for (const { host } of [second, third, other]) await host.client.close();
});

test("a page that ends while its program starts also leaves the name", async (t) => {
  const { window } = page(t);
  const kept = tab(t);
  const host = makeHost(stored, { load: () => undefined });
  const ready = host.client.subscriptions.ready;
  const { tab: name } = await host.until("create");
  window.dispatchEvent(hide(false));
  assert.deepEqual(kept, { [place]: name });
  await host.client.close();
  await assert.rejects(ready);
});

test("after a crash the client starts a new session", async (t) => {
  const { window } = page(t);
  const kept = tab(t);
  const { host, tab: name } = await started(stored);
  host.exit("trap");
  await turn();
  assert.equal(host.client.runtime.getSnapshot().phase, "crashed");
  window.dispatchEvent(hide(false));
  assert.deepEqual(kept, {}, "the next page would go on with it");
  await host.client.connect();
  const again = host.requests.filter((r) => r.op === "create")[1];
  assert.equal(again.resume, undefined);
  assert.notEqual(again.tab, name);
  await host.client.close();
});

test("with memory storage no session is resumed", async (t) => {
  const { window } = page(t);
  const kept = tab(t);
  kept[place] = "left";
  const { host, ...names } = await started({ storage: "memory" });
  assert.deepEqual(names, { tab: undefined, resume: undefined });
  window.dispatchEvent(hide(false));
  assert.equal(kept[place], "left");
  await host.client.close();
});

for (const refuse of [true, "wholly"]) {
  test(`where ${refuse === true ? "the methods" : "the property"} sessionStorage throws, the next page starts a new session`, async (t) => {
    const { window } = page(t);
    tab(t, refuse);
    const { host, resume } = await started(stored);
    window.dispatchEvent(hide(false));
    window.dispatchEvent(new Event("pageshow"));
    await turn();
    assert.deepEqual([resume, sentOps(host)], [undefined, ["sleep", "wake"]]);
    await host.client.close();
  });
}
