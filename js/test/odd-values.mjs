import { PamError } from "../dist/index.js";

export const trap = () => { throw new Error("trap"); };
const revoked = () => { const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); return proxy; };
const named = (message) => Object.defineProperties(new Error(), { name: { value: "PamError" }, code: { value: "bad-options" }, message });
/** Values that are hard to handle: what a credentials function may throw, or a caller may pass. */
export const odd = [
  undefined, null, 0, NaN, 1n, "text", "x".repeat(1e6), Symbol("s"), Object.create(null), [], trap, new Error("plain"), new PamError("bad-options", "own"), new PamError("auth", "own"),
  revoked(), new Proxy({}, { get: trap, getPrototypeOf: trap }), new Proxy(new Error("x"), { get: trap }), new Proxy(new PamError("auth", "x"), { get: trap, has: trap }),
  named({ get: trap }), named({ value: trap }), named({ value: Symbol("s") }), named({ value: { toString: trap } }), named({ value: revoked() }),
  Object.defineProperty(new Error(), "name", { get: trap }), Object.defineProperty(new PamError("auth", "x"), "code", { get: trap }),
  Object.assign(new Error(), { message: { toString: () => ({}), valueOf: trap } }), { toString: trap, [Symbol.toPrimitive]: trap }, { then: 5 }, Promise.reject(new Error("inner")),
];
odd.at(-1).catch(() => undefined);
