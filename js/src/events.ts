import { abortedError, closedError, PamError } from "./errors.js";
import { limited } from "./limits.js";
import { fields, positive, signalOf } from "./options.js";
import { safely } from "./store.js";
import type { OpOptions, PamEventMap, Unsubscribe } from "./types.js";

type Type = keyof PamEventMap;
const types: readonly Type[] = ["subscriptions", "sync", "message", "warning", "crash"];

/** The events of one client. */
export interface Hub {
  emit<K extends Type>(type: K, event: PamEventMap[K]): void;
  on<K extends Type>(type: K, fn: (event: PamEventMap[K]) => void, options?: { signal?: AbortSignal; once?: boolean }): Unsubscribe;
  once<K extends Type>(type: K, options?: OpOptions): Promise<PamEventMap[K]>;
  events<K extends Type>(type: K, options?: { signal?: AbortSignal; buffer?: number }): AsyncIterableIterator<PamEventMap[K]>;
  /** Whether anybody listens. */
  used(type: Type): boolean;
  /** Ends iterators, rejects what waits in `once`, forgets listeners. */
  close(): void;
}

interface Listener { fn(event: unknown): void; closed?(): void }

/** Makes a hub. `began` is called when a type of event gets its first listener. */
export function hub(began: (type: Type) => void = () => undefined): Hub {
  const all = new Map<Type, Set<Listener>>(types.map((t) => [t, new Set()]));
  let closed = false;

  function listen(type: Type, listener: Listener): Unsubscribe {
    const set = all.get(type);
    if (!set) throw new PamError("bad-options", `There is no event "${String(type)}": use one of ${types.join(", ")}.`);
    if (closed) listener.closed?.();
    else if (set.add(listener).size === 1) began(type);
    return () => void set.delete(listener);
  }

  function on<K extends Type>(type: K, fn: (event: PamEventMap[K]) => void, options?: { signal?: AbortSignal; once?: boolean }): Unsubscribe {
    if (typeof fn !== "function") throw new PamError("bad-options", "The second argument of on() must be a function.");
    const given = fields(options ?? {}, "options", ["signal", "once"]);
    const signal = signalOf(given.signal);
    const stop = (): void => {
      off();
      signal?.removeEventListener("abort", stop);
    };
    const off = listen(type, {
      fn(event) {
        if (given.once) stop();
        fn(event as PamEventMap[K]);
      },
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
        fn(event) { stop(); resolve(event as PamEventMap[K]); },
        closed() {
          signal.removeEventListener("abort", stop);
          reject(closedError());
        },
      });
      if (!closed) signal.addEventListener("abort", stop);
    }));
  }

  function events<K extends Type>(type: K, options?: { signal?: AbortSignal; buffer?: number }): AsyncIterableIterator<PamEventMap[K]> {
    const given = fields(options ?? {}, "options", ["signal", "buffer"]);
    const limit = positive(given.buffer, "options.buffer") ?? 1000;
    const signal = signalOf(given.signal);
    return iterate((listener) => listen(type, listener as Listener), limit, signal);
  }

  return {
    emit(type, event) {
      const set = all.get(type)!;
      for (const l of [...set]) if (set.has(l)) safely(() => l.fn(event));
    },
    on, once, events,
    used: (type) => all.get(type)!.size > 0,
    close() {
      if (closed) return;
      closed = true;
      for (const set of all.values()) {
        for (const l of set) l.closed?.();
        set.clear();
      }
    },
  };
}

/** An iterator over what a listener hears, from now on. */
function iterate<T>(listen: (l: { fn(event: T): void; closed(): void }) => Unsubscribe, limit: number, signal: AbortSignal | undefined): AsyncIterableIterator<T> {
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
  let off: Unsubscribe | undefined;
  off = listen({
    fn(event) {
      const next = waiting.shift();
      if (next) next.resolve({ done: false, value: event });
      else if (queue.length < limit) queue.push(event);
      else end(new PamError("overflow", `More than ${limit} events waited to be read. Read faster, or give a larger buffer.`));
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
