import assert from "node:assert/strict";
import { test } from "node:test";
import { makeHost, turn } from "./host.mjs";

/** Gives the process what a page has, for one test. */
function page(t) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "hidden" });
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.document = document;
  t.after(() => {
    delete globalThis.addEventListener;
    delete globalThis.document;
  });
  return { window, document };
}
const wakes = (host) => host.requests.filter((r) => r.op === "wake").length;

test("the page tells the program when it or the network is back", async (t) => {
  const { window, document } = page(t);
  const host = makeHost();
  await host.client.subscriptions.ready;
  const steps = [
    [() => window.dispatchEvent(new Event("online")), 1],
    [() => window.dispatchEvent(new Event("pageshow")), 2],
    [() => document.dispatchEvent(new Event("resume")), 3],
    [() => document.dispatchEvent(new Event("visibilitychange")), 3],
    [() => { document.visibilityState = "visible"; document.dispatchEvent(new Event("visibilitychange")); }, 4],
  ];
  for (const [step, want] of steps) {
    step();
    await turn();
    assert.equal(wakes(host), want, String(step));
  }
  await host.client.close();
  window.dispatchEvent(new Event("online"));
  await turn();
  assert.equal(wakes(host), 4, "nothing is told after close");
});

test("unless it is told not to", async (t) => {
  const { window } = page(t);
  const host = makeHost({ reconnect: { wakeOnForeground: false } });
  await host.client.subscriptions.ready;
  window.dispatchEvent(new Event("online"));
  await turn();
  assert.equal(wakes(host), 0);
  await host.client.close();
});
