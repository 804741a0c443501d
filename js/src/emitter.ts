import { abortedError, closedError, PamError } from "./errors.js";
import { limited } from "./limits.js";
import { fields, positive, signalOf } from "./options.js";
import { safely } from "./store.js";
import type { OpOptions, PamClient, PamEventMap, StopListening } from "./types.js";

type Type = keyof PamEventMap;

/** The events of one client. */
export interface Emitter extends Pick<PamClient, "on" | "once" | "events"> {
  emit<K extends Type>(type: K, event: PamEventMap[K]): void;
  /** Reports whether there is a listener. */
  used(type: Type): boolean;
  /** Ends iterators, rejects the pending promises of `once`, and removes all listeners. */
  close(): void;
}

interface Listener<T> { fn(event: T): void; closed?(): void }

/** Makes an emitter. `onFirst` is called when a type of event gets its first listener. */
export function emitter(onFirst: (type: Type) => void = () => undefined): Emitter {
  const all: { readonly [K in Type]: Set<Listener<PamEventMap[K]>> } = {
    subscriptions: new Set(), sync: new Set(), message: new Set(), event: new Set(), events: new Set(), catchup: new Set(),
    warning: new Set(), crash: new Set(),
  };
  let closed = false;

  function listen<K extends Type>(type: K, listener: Listener<PamEventMap[K]>): StopListening {
    if (!Object.hasOwn(all, type)) {
      throw new PamError("bad-options", `There is no event "${String(type)}": use one of ${Object.keys(all).join(", ")}.`);
    }
    const set = all[type];
    if (closed) listener.closed?.();
    else if (set.add(listener).size === 1) onFirst(type);
    return () => void set.delete(listener);
  }

  function on<K extends Type>(
    type: K, fn: (event: PamEventMap[K]) => void, options?: { signal?: AbortSignal; once?: boolean },
  ): StopListening {
    if (typeof fn !== "function") throw new PamError("bad-options", "The second argument of on() must be a function.");
    const given = fields(options ?? {}, "options", ["signal", "once"]);
    const signal = signalOf(given.signal);
    const stop = (): void => {
      off();
      signal?.removeEventListener("abort", stop);
    };
    const off = listen(type, {
      fn: given.once ? (event) => { stop(); fn(event); } : fn,
      closed: () => signal?.removeEventListener("abort", stop),
    });
    if (closed || signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
    return stop;
  }

  function once<K extends Type>(type: K, options?: OpOptions): Promise<PamEventMap[K]> {
    return limited(options, (signal) => new Promise((resolve, reject) => {
      const stop = (): void => {
        off();
        signal.removeEventListener("abort", stop);
      };
      const off = listen(type, {
        fn(event) { stop(); resolve(event); },
        closed() {
          signal.removeEventListener("abort", stop);
          reject(closedError());
        },
      });
      if (!closed) signal.addEventListener("abort", stop);
    }));
  }

  function events<K extends Type>(
    type: K, options?: { signal?: AbortSignal; buffer?: number },
  ): AsyncIterableIterator<PamEventMap[K]> {
    const given = fields(options ?? {}, "options", ["signal", "buffer"]);
    const limit = positive(given.buffer, "options.buffer") ?? 1000;
    const signal = signalOf(given.signal);
    return iterate((listener) => listen(type, listener), limit, signal);
  }

  return {
    emit(type, event) {
      const set = all[type];
      for (const l of [...set]) if (set.has(l)) safely(l.fn, event);
    },
    on, once, events,
    used: (type) => all[type].size > 0,
    close() {
      if (closed) return;
      closed = true;
      for (const set of Object.values(all)) {
        for (const l of set) l.closed?.();
        set.clear();
      }
    },
  };
}

const overflow = (limit: number): PamError =>
  new PamError("overflow", `More than ${limit} events waited to be read. Read faster, or give a larger buffer.`);

/** Returns an iterator over the events that occur after this call. */
function iterate<T>(
  listen: (l: Required<Listener<T>>) => StopListening, limit: number, signal: AbortSignal | undefined,
): AsyncIterableIterator<T> {
  type Result = IteratorResult<T, undefined>;
  const done: Result = { done: true, value: undefined };
  const queue: T[] = [];
  const waiting: { resolve(r: Result): void; reject(e: unknown): void }[] = [];
  let failure: PamError | undefined;
  let ended = false;

  const end = (why?: PamError): void => {
    if (ended) return;
    ended = true;
    off?.();
    signal?.removeEventListener("abort", abort);
    failure = why;
    for (const w of waiting.splice(0)) {
      if (failure) { w.reject(failure); failure = undefined; }
      else w.resolve(done);
    }
  };
  const abort = (): void => {
    queue.length = 0;
    end(abortedError(signal!));
  };
  let off: StopListening | undefined;
  off = listen({
    fn(event) {
      const next = waiting.shift();
      if (next) next.resolve({ done: false, value: event });
      else if (queue.length < limit) queue.push(event);
      else end(overflow(limit));
    },
    closed: () => end(),
  });
  if (ended) off();
  if (signal?.aborted) abort();
  else if (!ended) signal?.addEventListener("abort", abort);

  return {
    next() {
      if (queue.length > 0) return Promise.resolve({ done: false, value: queue.shift()! });
      if (failure) {
        const e = failure;
        failure = undefined;
        return Promise.reject(e);
      }
      if (ended) return Promise.resolve(done);
      return new Promise<Result>((resolve, reject) => waiting.push({ resolve, reject }));
    },
    return() {
      queue.length = 0;
      end();
      failure = undefined;
      return Promise.resolve(done);
    },
    [Symbol.asyncIterator]() { return this; },
  };
}
