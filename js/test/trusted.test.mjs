// How the scripts of workers are started: the kind of the script, and its URL where the browser has Trusted Types.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setGlobals } from "./browser-locks.mjs";
import { makeHost, rejects, turn } from "./host.mjs";
import { makeBrowser } from "./shared-browser.mjs";

const independent = { tabs: "independent" };

/** Simulates Trusted Types. Workers then accept only what the policy has created. */
function trust(t, refuse) {
  const policies = [];
  class TrustedURL {
    constructor(url) { this.url = url; }
    toString() { return this.url; }
  }
  setGlobals(t, {
    trustedTypes: {
      createPolicy(name, rules) {
        policies.push(name);
        if (refuse) throw new TypeError("the policy is not allowed");
        return { createScriptURL: (url) => new TrustedURL(rules.createScriptURL(url)) };
      },
    },
  });
  return { policies, isTrusted: (url) => url instanceof TrustedURL };
}

test("a policy that the page does not allow is not needed", async (t) => {
  const { policies, isTrusted } = trust(t, true);
  const { workers, open } = makeBrowser(t);
  await open(independent).connect();
  assert.deepEqual([policies, isTrusted(workers[0].given)], [["xmpp-pam"], false]);
});

test("with Trusted Types both kinds of workers get a URL of one policy", async (t) => {
  const { policies, isTrusted } = trust(t, false);
  const { workers, hosts, open } = makeBrowser(t);
  await open(independent).connect();
  await open({ runtime: { worker: "https://example.org/worker.js" }, ...independent }).connect();
  await open().connect();
  for (const url of [workers[0].given, workers[1].given, hosts[0].from]) assert.ok(isTrusted(url));
  assert.match(String(workers[0].given), /\/dist\/worker\.js$/);
  assert.equal(String(workers[1].given), "https://example.org/worker.js");
  assert.deepEqual(policies, ["xmpp-pam"]);
  assert.deepEqual(workers.map(({ options }) => options), [{ type: "module" }, { type: "module" }]);
});

test("a Worker that cannot be made is an error that a repeated call does not end; the page's own handler of errors is not called", async () => {
  const refused = makeHost({ runtime: { worker: () => { throw new Error("blocked."); } } });
  await rejects(refused.client.connect(), "wasm-load", /could not be started: blocked\. Its script/);
  assert.equal(refused.client.sync.getSnapshot().error.retryable, false);
  const host = makeHost();
  await host.client.connect();
  let prevented = 0;
  const crashes = [];
  host.client.on("crash", (e) => crashes.push([e.message, host.client.inspector.stats().goHeapBytes]));
  assert.equal(host.client.inspector.stats().goHeapBytes, 1);
  host.worker.onerror({ message: "boom", preventDefault: () => { prevented++; } });
  await turn();
  assert.equal(prevented, 1);
  assert.match(crashes[0][0], /boom/);
  assert.equal(crashes[0][1], 0, "the inspector shows the memory of a program that has ended");
});

test("without the option `where` the program runs in a Worker if there are any, else in the thread of the page", async (t) => {
  const page = makeHost({ runtime: { where: undefined } });
  await assert.rejects(page.client.connect()); // the module of the test is no program
  assert.equal(page.starts, 0);
  setGlobals(t, { Worker: class {} });
  const host = makeHost({ runtime: { where: undefined } });
  await host.client.connect();
  assert.deepEqual([host.starts, host.client.runtime.getSnapshot().where], [1, "worker"]);
});
