import type { ExternalStore, StopListening } from "./types.js";

/** The writing side of an ExternalStore. `flush` calls each listener once, however many changes there were. */
export interface WritableStore<T> {
  readonly store: ExternalStore<T>;
  set(value: T): boolean;
  flush(): void;
}

/**
 * Creates a store with the value `initial`, which is also the snapshot for server-side rendering. A new value replaces the
 * current one only if its JSON differs. `set` reports whether it did.
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
 * Manages the listeners of a store. A listener is called when it is added, and by `flush` if `markDirty` was called and the
 * value differs from the one with which the listener was last called.
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
        safely(fn, value);
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

/** Calls `fn` with the value. An error that it throws is reported like any uncaught error, and not passed to the caller. */
export function safely<T>(fn: (value: T) => void, value: T): void {
  try {
    fn(value);
  } catch (e) {
    if (typeof reportError === "function") reportError(e);
    else setTimeout(() => { throw e; });
  }
}
