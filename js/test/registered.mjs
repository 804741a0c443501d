// Counts what is registered and not yet released: listeners, timers, channels, ports, and Map entries with numbers as keys.
// For one test it replaces functions of the platform.

/** Adds the globals of a page for one test: a window, a document and a sessionStorage. */
export function page(t) {
  const window = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: "visible" });
  const kept = {};
  const sessionStorage = {
    getItem: (key) => kept[key] ?? null,
    setItem(key, value) { kept[key] = value; },
    removeItem(key) { delete kept[key]; },
  };
  const given = { addEventListener: (...args) => window.addEventListener(...args), document, sessionStorage };
  for (const [name, value] of Object.entries(given)) Object.defineProperty(globalThis, name, { configurable: true, writable: true, value });
  t.after(() => { for (const name of Object.keys(given)) delete globalThis[name]; });
  return { window, document, kept };
}

/** Starts counting. The returned function lists what is currently registered. */
export function watchRegistrations(t) {
  const open = new Set(); // [what]
  const add = (what) => {
    const entry = { what };
    open.add(entry);
    return entry;
  };
  const restore = [];
  const replace = (object, name, value) => {
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { configurable: true, writable: true, value });
    restore.push(() => (before ? Object.defineProperty(object, name, before) : delete object[name]));
  };

  const { addEventListener, removeEventListener } = EventTarget.prototype;
  const listeners = new WeakMap(); // target → [{type, fn, entry, called}]
  const isChannel = (target) => target instanceof MessagePort || target instanceof BroadcastChannel; // closing one removes its listeners
  replace(EventTarget.prototype, "addEventListener", function (type, fn, options) {
    if (isChannel(this)) return addEventListener.call(this, type, fn, options);
    const list = listeners.get(this) ?? listeners.set(this, []).get(this);
    if (list.some((l) => l.type === type && l.fn === fn)) return;
    const entry = add(`a listener of ${type} on ${this.constructor.name}`);
    const gone = () => {
      open.delete(entry);
      const i = list.findIndex((l) => l.entry === entry);
      if (i >= 0) list.splice(i, 1);
    };
    const once = typeof options === "object" && options?.once;
    const called = function (event) {
      if (once) gone();
      return typeof fn === "function" ? fn.call(this, event) : fn.handleEvent(event);
    };
    list.push({ type, fn, entry, called, gone });
    if (options?.signal) addEventListener.call(options.signal, "abort", gone);
    addEventListener.call(this, type, called, options);
  });
  replace(EventTarget.prototype, "removeEventListener", function (type, fn, options) {
    const found = listeners.get(this)?.find((l) => l.type === type && l.fn === fn);
    removeEventListener.call(this, type, found?.called ?? fn, options);
    found?.gone();
  });

  const timers = new Map();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  replace(globalThis, "setTimeout", (fn, ms, ...args) => {
    const entry = add(`a timer of ${ms} ms`);
    const timer = set(() => {
      open.delete(entry);
      fn(...args);
    }, ms);
    timers.set(timer, entry);
    return timer;
  });
  replace(globalThis, "clearTimeout", (timer) => {
    open.delete(timers.get(timer));
    clear(timer);
  });

  for (const name of ["BroadcastChannel", "MessageChannel"]) {
    const Real = globalThis[name];
    replace(globalThis, name, class extends Real {
      constructor(...args) {
        super(...args);
        const entry = add(`a ${name} ${args}`);
        const end = name === "MessageChannel" ? this.port1 : this;
        const { close } = end;
        end.close = () => {
          open.delete(entry);
          return close.call(end);
        };
      }
    });
  }
  const RealMap = Map; // with numbers as keys: pending requests
  const entries = new WeakMap(); // map → key → entry
  replace(globalThis, "Map", class extends RealMap {
    set(key, value) {
      if (typeof key === "number" && !this.has(key)) {
        const mine = entries.get(this) ?? entries.set(this, new RealMap()).get(this);
        mine.set(key, add(`what is numbered ${key}`));
      }
      return super.set(key, value);
    }
    delete(key) {
      open.delete(entries.get(this)?.get(key));
      return super.delete(key);
    }
    clear() {
      entries.get(this)?.forEach((entry) => open.delete(entry));
      super.clear();
    }
  });
  t.after(() => restore.reverse().forEach((f) => f()));
  return { left: () => [...open].map((e) => e.what).sort(), pause: (ms) => new Promise((resolve) => set(resolve, ms)) };
}
