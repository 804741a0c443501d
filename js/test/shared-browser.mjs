// A simulated browser with SharedWorker and Web Locks: the test takes the place of the program that the tabs share.

import { readFileSync } from "node:fs";
import { createClient } from "../dist/index.js";
import { makeLocks, setGlobals } from "./browser-locks.mjs";
import { base, info, rawState } from "./host.mjs";

const wasm = readFileSync(new URL("../dist/pam.wasm", import.meta.url));

/**
 * Makes the browser for one test. `hosts` lists the hosts in the order in which they were started, and `workers` the Workers
 * of single pages. `answers[op](request, host)` answers a request, as in host.mjs. `options` may have `fails`, which is what
 * happens instead of the start of a host: "throws" or "error"; `fresh`, whether the last program crashed; and
 * `outlives`, whether the browser has extended lifetimes.
 */
export function makeBrowser(t, answers = {}, options = {}) {
  const locks = makeLocks();
  const hosts = [];
  const workers = [];
  const byName = new Map();
  const clients = [];
  const ports = [];
  t.after(async () => {
    t.mock.reset(); // close() uses timers
    await Promise.all(clients.map((client) => client.close()));
    for (const port of ports) port.close();
  });
  const all = {
    create: ({ account }) => ({ account }), connect: () => rawState("live"), disconnect: () => null, close: () => null,
    load: (_r, { post }) => {
      post({ event: "list", changes: [], provisional: [], source: "empty" });
      return null;
    },
    ...answers,
  };

  /** Handles what a page sends to a host. */
  function listen(host, port) {
    const post = (...posted) => port.postMessage({ text: JSON.stringify(posted), heap: 1, references: 2 });
    ports.push(port);
    port.onmessage = ({ data }) => {
      if (!host.answers) return;
      host.received.push(data);
      if ("wasm" in data) {
        if (options.failed) return port.postMessage({ failed: options.failed });
        if (host.starts) port.postMessage({ ready: { go: info.go, version: info.version }, fresh: options.fresh ?? false });
      } else if ("module" in data) {
        port.postMessage({ ready: { go: info.go, version: info.version }, fresh: false });
      } else if ("request" in data) {
        const { request } = data;
        host.requests.push(request);
        const result = all[request.op]?.(request, { ...host, post });
        if (request.id !== 0 && result !== undefined) post({ id: request.id, ...(result?.error ? result : { ok: result }) });
      }
    };
    return Object.assign(host, {
      port, post, send: (message) => port.postMessage(message),
      ops: () => host.requests.map((r) => r.op), request: (op) => host.requests.find((r) => r.op === op),
    });
  }

  const makeHost = (name, given, url) => {
    const host = { name, given, url: String(url), from: url, requests: [], received: [], answers: true, starts: true, lock: `xmpp-pam:program:${name}:${hosts.length}` };
    host.end = () => { // as the browser ends it
      host.answers = false;
      byName.delete(name);
      locks.end(host.lock);
    };
    void locks.request(host.lock, () => new Promise(() => undefined));
    hosts.push(host);
    byName.set(name, host);
    options.started?.(host);
    return host;
  };

  setGlobals(t, {
    navigator: { locks },
    fetch: async () => new Response(wasm, { headers: { "content-type": "application/wasm" } }),
    SharedWorker: class {
      constructor(url, given) {
        if (options.fails === "throws") throw new Error("no SharedWorker here");
        if (options.fails === "error") {
          const { port1 } = new MessageChannel();
          this.port = port1;
          setImmediate(() => this.onerror?.({}));
          return;
        }
        if (options.outlives) void given.extendedLifetime; // this browser knows the option
        const { port1, port2 } = new MessageChannel(); // registered.mjs counts port1
        this.port = port1;
        const instance = () => hosts.indexOf(byName.get(given.name));
        const host = listen(byName.get(given.name) ?? makeHost(given.name, given, url), port2);
        if (!host.silent) port2.postMessage({ instance: String(instance()) });
      }
    },
    Worker: class {
      constructor(url, options) {
        Object.assign(this, { url: String(url), given: url, options });
        workers.push(this);
      }
      postMessage({ xmppPam: port }) { listen(Object.assign(this, { requests: [], received: [], answers: true }), port); }
      terminate() {
        this.terminated = true;
        this.port.close();
      }
    },
  });
  return {
    locks, hosts, workers,
    open(more = {}) {
      const client = createClient({ ...base, ...more });
      clients.push(client);
      return client;
    },
  };
}

/** Waits until posted messages have been handled, also while timers are mocked. */
export async function settle(turns = 40) {
  for (let i = 0; i < turns; i++) await new Promise(setImmediate);
}
