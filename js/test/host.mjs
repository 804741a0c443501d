// A simulated host: the test takes the place of the program.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after } from "node:test";
import { createClient, PamError } from "../dist/index.js";
import { emptyModule as moduleOf } from "./module.mjs";

export const info = JSON.parse(readFileSync(new URL("../dist/build-info.json", import.meta.url), "utf8"));
export const emptyModule = new WebAssembly.Module(moduleOf(info.build));

/** Clients to close after the tests of the file: one that a failed test left open would keep the process running. */
const opened = [];
export const keep = (client) => (opened.push(client), client);
after(() => Promise.all(opened.map((client) => client.close())));

export const base = { account: "alice@example.org", credentials: { password: "secret" }, service: "wss://example.org/ws", storage: "memory" };
export const rawState = (phase, more = {}) => ({ phase, missing: [], resumed: false, lastSynced: null, attempt: 0, nextAttempt: null, pending: 0, degraded: false, ...more });
export const row = (node, state = "subscribed", service = "pubsub.example.org", subid = "") => [service, node, subid, "alice@example.org", state, service.includes("@") ? "pep" : "pubsub"];

/**
 * Makes a client and its host. `answers[op](request, host)` answers a request: it returns the result, an object with
 * `error` for a failure, or undefined to give no answer yet.
 */
export function makeHost(options = {}, answers = {}) {
  const host = {
    requests: [], starts: 0, terminated: 0, ready: { go: info.go, version: info.version },
    /** Posts objects in one message. */
    post(...posted) { host.port.postMessage({ text: JSON.stringify(posted), heap: 1, references: 2 }); },
    answer(request, ok) { host.post({ id: request.id, ok: ok ?? null }); },
    exit(text) { host.port.postMessage({ exit: text }); },
    request(op) { return host.requests.find((r) => r.op === op); },
    async until(op, count = 1) {
      const until = Date.now() + 5000;
      while (host.requests.filter((r) => r.op === op).length < count) {
        if (Date.now() > until) throw new Error(`the client did not ask for ${op}`);
        await new Promise((r) => setTimeout(r, 1));
      }
      return host.requests.filter((r) => r.op === op)[count - 1];
    },
    worker: undefined,
  };
  const all = {
    create: ({ account }) => ({ account: account.toLowerCase() }),
    load: () => ({ list: [], provisional: [], source: "empty" }),
    connect: () => rawState("live"),
    disconnect: () => null,
    close: () => null,
    ...answers,
  };
  const worker = () => {
    host.starts++;
    return (host.worker = {
      postMessage({ xmppPam: port }) {
        host.port = port;
        port.onmessage = ({ data }) => {
          if ("module" in data) return host.ready && port.postMessage({ ready: host.ready });
          const { request } = data;
          host.requests.push(request);
          let result = all[request.op]?.(request, host);
          if (request.op === "load" && result?.list) {
            const { list, ...others } = result;
            host.post({ event: "list", changes: list.map((row) => [null, row]), ...others });
            result = null;
          }
          if (request.id === 0 || result === undefined) return;
          host.post({ id: request.id, ...(result?.error ? result : { ok: result }) });
        };
      },
      terminate() {
        host.terminated++;
        host.port?.close();
      },
    });
  };
  host.client = keep(createClient({ ...base, ...options, runtime: { where: "worker", wasm: emptyModule, worker, ...options.runtime } }));
  return host;
}

/** Resolves in a later turn, after posted messages have been handled. */
export const turn = () => new Promise((resolve) => setTimeout(resolve, 5));

export const target = { service: "pubsub.example.org", node: "news" };

/** Reports whether the page can change nothing in a value that it got. */
export const allFrozen = (v) => typeof v !== "object" || v === null || v instanceof Date || v instanceof Error || (Object.isFrozen(v) && Object.values(v).every(allFrozen));

/** Asserts that a promise rejects with a PamError of that code, whose message matches. */
export const rejects = (promise, code, text = /./) => assert.rejects(promise, (e) => {
  assert.ok(PamError.is(e, code), `wanted ${code}, got ${e.code}: ${e.message}`);
  assert.match(e.message, text);
  return true;
});
