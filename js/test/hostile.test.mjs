// Hostile options and targets: every outcome is a config or a PamError. The seed of a failure is in its message.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../build/src/errors.js";
import { readOptions, readTarget } from "../build/src/options.js";
import { base } from "./host.mjs";

const codes = ["bad-options", "bad-jid", "discovery"];
const names = ["account", "credentials", "service", "storage", "mechanisms", "runtime", "reconnect", "inspector", "logger", "where", "wasm", "worker",
  "baseMs", "maxMs", "jitter", "maxAttempts", "wakeOnForeground", "password", "frames", "node", "subid", "__proto__", "constructor", "toString", "length", "then"];

/** mulberry32 */
function randomOf(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const below = (n) => Math.floor(next() * n);
  return { below, one: (list) => list[below(list.length)] };
}

const fails = () => { throw new Error("trap"); };
const thrown = [new Error("trap"), null, undefined, Object.create(null), 5, Symbol("s"), new Proxy({}, { getPrototypeOf: fails, get: fails }),
  Object.defineProperty(new Error(), "message", { get: fails }), Object.assign(new Error("forged"), { name: "PamError", code: "auth" })];
const traps = ["get", "has", "ownKeys", "getPrototypeOf", "getOwnPropertyDescriptor"];

const revoked = (target) => {
  const { proxy, revoke } = Proxy.revocable(target, {});
  revoke();
  return proxy;
};

function value(r, depth = 0) {
  const made = [
    () => r.one([undefined, null, true, false, 0, -0, -1, 1, 1.5, NaN, Infinity, -Infinity, 2 ** 31, 2 ** 53, 10n, Symbol("s"), Symbol.iterator]),
    () => r.one(["", "a@b", "a@b/c", "@", "\0", "\ud800", "__proto__", "wss://b/", "ws://b/#", "javascript:alert(1)", "full", "memory", "worker", "PLAIN", "a".repeat(2 ** 20), "@".repeat(3000), "[object Object]"]),
    () => r.one([fails, () => undefined, async () => undefined, class {}, Date, new Date(NaN), /x/, new Map(), new Uint8Array(2), new URL("wss://b/"), new Error("x"), globalThis]),
    () => revoked(r.one([{}, [], fails])),
    () => new Proxy(r.one([{ ...base }, [], fails, ["PLAIN"]]), { [r.one(traps)]: () => { throw r.one(thrown); } }),
    () => ({ toString: r.one([fails, () => ({}), () => "wss://b/"]), valueOf: fails, [Symbol.toPrimitive]: r.one([undefined, fails, () => "wss://b/"]) }),
    () => Object.defineProperty([1, 2], r.below(2), { get: () => { throw r.one(thrown); } }),
    () => Object.assign([], { length: r.below(1000), [Symbol.iterator]: r.one([fails, undefined, [][Symbol.iterator]]) }),
  ];
  if (depth < 3) made.push(() => object(r, {}, depth + 1), () => object(r, base, depth + 1), () => [value(r, depth + 1)]);
  return r.one(made)();
}

function object(r, from, depth) {
  const o = Object.assign(r.one([{}, Object.create(null), Object.create(base)]), from);
  for (let n = r.below(4); n >= 0; n--) {
    const name = r.one(names);
    if (n > 1 && r.below(2)) continue;
    if (r.below(4) === 0) Object.defineProperty(o, name, { enumerable: true, configurable: true, get: () => { throw r.one(thrown); } });
    else Object.defineProperty(o, name, { enumerable: true, configurable: true, value: value(r, depth) });
  }
  return o;
}

test("hostile options and targets result in a config or a PamError", () => {
  const before = Object.getOwnPropertyNames(Object.prototype).join();
  const seed = Number(process.env.SEED ?? Date.now() % 1e9);
  const seen = { config: 0, target: 0 };
  for (let i = 0; i < 20_000; i++) {
    const r = randomOf(seed + i);
    const target = r.below(3) === 0;
    const good = target ? { service: "a", node: "b" } : base;
    const given = [() => value(r), () => good, () => Object.create(good)][r.below(8)]?.() ?? object(r, good, 0);
    try {
      const out = target ? readTarget(given) : readOptions(given);
      const { account, service = "", mechanisms = [] } = out;
      for (const text of target ? [service, out.node, out.subid] : [account, service, out.storage, ...mechanisms]) assert.equal(typeof text, "string");
      seen[target ? "target" : "config"]++;
    } catch (e) {
      let ok = false;
      try {
        ok = e instanceof PamError && codes.includes(e.code) && typeof e.message === "string" && e.message.length < 2000;
      } catch {}
      assert.ok(ok, `SEED=${seed + i} let something else through: ${ok === false && typeof e === "object" && e !== null ? Object.prototype.toString.call(e) : typeof e} ${(() => { try { return e.stack; } catch { return ""; } })()}`);
      seen[e.code] = (seen[e.code] ?? 0) + 1;
    }
  }
  assert.equal(Object.getOwnPropertyNames(Object.prototype).join(), before);
  for (const kind of ["config", "target", "bad-options", "bad-jid"]) assert.ok(seen[kind] > (kind === "bad-jid" ? 0 : 100), `only ${seen[kind]} of ${kind}: the test does not test what it should`);
});
