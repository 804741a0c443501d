import type { ExternalStore, StopListening } from "./types.js";

/** The writing side of an ExternalStore. `flush` calls the listeners, once for any number of changes. */
export interface WritableStore<T> {
  readonly store: ExternalStore<T>;
  set(value: T): boolean;
  flush(): void;
}

/**
 * Makes a store whose value is `initial`, which is also what a server renders. A value of the same content as the one
 * before, as JSON shows it, does not replace it. `set` reports whether it did.
 */
export function writableStore<T>(initial: T): WritableStore<T> {
  let value = initial;
  const getSnapshot = (): T => value;
  const { subscribe, markDirty, flush } = listeners(getSnapshot);
  return {
    store: Object.freeze({ getSnapshot, getServerSnapshot: () => initial, subscribe }),
    set(next) {
      if (JSON.stringify(next) === JSON.stringify(value)) return false;
      value = next;
      markDirty();
      return true;
    },
    flush,
  };
}

export interface Listeners<T> {
  subscribe(fn: (value: T) => void): StopListening;
  markDirty(): void;
  flush(): void;
}

/**
 * The listeners of a store. Each is called when it begins to listen, and by `flush` when `markDirty` was called and the
 * value is another than the one that it was called with last.
 */
export function listeners<T>(get: () => T): Listeners<T> {
  const all = new Set<() => void>();
  let dirty = false;
  return {
    subscribe(fn) {
      let known: T;
      const notify = (): void => {
        const value = get();
        if (value === known) return;
        known = value;
        safely(() => fn(value));
      };
      all.add(notify);
      notify();
      return () => void all.delete(notify);
    },
    markDirty() { dirty = true; },
    flush() {
      if (!dirty) return;
      dirty = false;
      for (const notify of [...all]) if (all.has(notify)) notify();
    },
  };
}

/** Calls fn. What it throws is reported like any uncaught error, and does not reach the caller. */
export function safely(fn: () => void): void {
  try {
    fn();
  } catch (e) {
    if (typeof reportError === "function") reportError(e);
    else setTimeout(() => { throw e; });
  }
}
