// Simulates the Web Locks of a browser, for tests of what tabs share.

/** Returns a LockManager. `end(name)` releases a lock as the browser does when the holder of that lock has ended. */
export function makeLocks() {
  const held = new Map(); // name → the holders
  const waiting = [];
  const free = (name, mode) => {
    const holders = [...(held.get(name) ?? [])];
    return mode === "shared" ? holders.every((h) => h.mode === "shared") : holders.length === 0;
  };
  function release(holder) {
    const holders = held.get(holder.name);
    if (!holders?.delete(holder)) return;
    if (holders.size === 0) held.delete(holder.name);
    grant();
  }
  function grant() {
    for (const wish of [...waiting]) {
      if (!waiting.includes(wish) || !free(wish.name, wish.mode)) continue;
      waiting.splice(waiting.indexOf(wish), 1);
      wish.options.signal?.removeEventListener("abort", wish.abort);
      const holder = { name: wish.name, mode: wish.mode, resolve: wish.resolve, reject: wish.reject };
      held.set(wish.name, (held.get(wish.name) ?? new Set()).add(holder));
      Promise.resolve().then(() => wish.run({ name: wish.name, mode: wish.mode })).then(wish.resolve, wish.reject).finally(() => release(holder));
    }
  }
  return {
    request: (name, ...rest) => new Promise((resolve, reject) => {
      const run = rest.pop();
      const options = rest[0] ?? {};
      if (options.signal?.aborted) return reject(options.signal.reason);
      const wish = { name, mode: options.mode ?? "exclusive", options, run, resolve, reject };
      wish.abort = () => {
        waiting.splice(waiting.indexOf(wish), 1);
        reject(options.signal.reason);
      };
      options.signal?.addEventListener("abort", wish.abort, { once: true });
      waiting.push(wish);
      grant();
    }),
    query: async () => ({ held: [...held.values()].flatMap((holders) => [...holders].map(({ name, mode }) => ({ name, mode }))) }),
    /** Takes a lock away from its holder. */
    abort(name) {
      for (const holder of held.get(name) ?? []) {
        holder.reject(new DOMException("the browsing context is going away", "AbortError"));
        release(holder);
      }
    },
    end(name) { for (const holder of held.get(name) ?? []) release(holder); },
    held: () => [...held.keys()].sort(),
    waiting: () => waiting.map(({ name }) => name).sort(),
  };
}

/** Sets globals for one test. */
export function setGlobals(t, values) {
  for (const [name, value] of Object.entries(values)) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
  }
}
