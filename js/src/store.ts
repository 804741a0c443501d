import type { Store, Unsubscribe } from "./types.js";

/** The writing side of a Store. Listeners are told by `flush`, once for any number of changes. */
export interface Cell<T> {
  readonly store: Store<T>;
  set(value: T): boolean;
  flush(): void;
}

/**
 * Makes a Store whose value is `initial`, which is also what a server renders. A value of the same content as the one
 * before, as JSON shows it, does not replace it. `set` reports whether it did.
 */
export function cell<T>(initial: T): Cell<T> {
  let value = initial;
  const getSnapshot = (): T => value;
  const { subscribe, mark, flush } = listeners(getSnapshot);
  return {
    store: Object.freeze({ getSnapshot, getServerSnapshot: () => initial, subscribe }),
    set(next) {
      if (JSON.stringify(next) === JSON.stringify(value)) return false;
      value = next;
      mark();
      return true;
    },
    flush,
  };
}

/**
 * The listeners of a store. Each is called when it begins to listen, and by `flush` when `mark` was called and the value is
 * another than the one that it was called with last.
 */
export function listeners<T>(get: () => T): { subscribe(fn: (value: T) => void): Unsubscribe; mark(): void; flush(): void } {
  const all = new Set<{ tell(): void }>();
  let dirty = false;
  return {
    subscribe(fn) {
      let known: T;
      const listener = {
        tell() {
          const value = get();
          if (value === known) return;
          known = value;
          safely(() => fn(value));
        },
      };
      all.add(listener);
      listener.tell();
      return () => void all.delete(listener);
    },
    mark() { dirty = true; },
    flush() {
      if (!dirty) return;
      dirty = false;
      for (const listener of [...all]) if (all.has(listener)) listener.tell();
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
