import type { Store, Unsubscribe } from "./types.js";

/** The writing side of a Store. Listeners are told by `flush`, once for any number of changes. */
export interface Cell<T> {
  readonly store: Store<T>;
  set(value: T): void;
  flush(): void;
}

/** Makes a Store whose value is `initial`, which is also what a server renders. */
export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const { subscribe, mark, flush } = listeners();
  return {
    store: Object.freeze({ getSnapshot: () => value, getServerSnapshot: () => initial, subscribe }),
    set(next) {
      if (next === value) return;
      value = next;
      mark();
    },
    flush,
  };
}

/** The listeners of a store and whether they have something to hear. */
export function listeners(): { subscribe(fn: () => void): Unsubscribe; mark(): void; flush(): void } {
  const all = new Set<{ fn: () => void }>();
  let dirty = false;
  return {
    subscribe(fn) {
      const entry = { fn };
      all.add(entry);
      return () => void all.delete(entry);
    },
    mark() { dirty = true; },
    flush() {
      if (!dirty) return;
      dirty = false;
      for (const entry of [...all]) if (all.has(entry)) safely(entry.fn);
    },
  };
}

/** Calls fn. What it throws is reported like any uncaught error, and stops nobody else. */
export function safely(fn: () => void): void {
  try {
    fn();
  } catch (e) {
    if (typeof reportError === "function") reportError(e);
    else setTimeout(() => { throw e; });
  }
}
