// Faults for tests. A function whose result Go waits for calls its last argument
// with an error message, which is empty if it succeeded.

/** Calls a method of the DevTools protocol on this page. */
export function devtools(method, params, done) {
  fetch(`/devtools/${method}`, { method: "POST", body: params })
    .then(async (answer) => done(answer.ok ? "" : await answer.text()), (error) => done(String(error)));
}

/** Replaces a global, and returns a function that restores it. */
export function replaceGlobal(name, value) {
  const own = Object.getOwnPropertyDescriptor(globalThis, name);
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  return () => {
    if (own) Object.defineProperty(globalThis, name, own);
    else delete globalThis[name];
  };
}

/** Opens a database and keeps it open, which blocks upgrades and deletion, until the returned function is called. */
export function holdDatabase(name, version, done) {
  const request = indexedDB.open(name, version);
  request.onsuccess = () => done("");
  request.onerror = () => done(request.error.message);
  return () => request.result.close();
}

/** The same, but without waiting, and without an error if the database cannot be opened. It creates no database. */
export function holdDatabaseSilently(name, version) {
  const request = indexedDB.open(name, version);
  let over = false;
  request.onupgradeneeded = ({ oldVersion }) => oldVersion === 0 && request.transaction.abort();
  request.onsuccess = () => over && request.result.close();
  request.onerror = (e) => e.preventDefault();
  return () => {
    over = true;
    if (request.readyState === "done" && !request.error) request.result.close();
  };
}

/** Makes every open request use version, until the returned function is called. */
export function pretendVersion(version) {
  const real = indexedDB;
  return replaceGlobal("indexedDB", { open: (name) => real.open(name, version) });
}

/** Fetches path from the runner. */
export function fetchText(path, done) {
  fetch(path).then(async (answer) => done("", await answer.text()), (error) => done(String(error), ""));
}

/**
 * Answers a fetch of url with the bytes, one for each character of text, in pieces that end at ends, until restore() is
 * called. If breaks is set, the connection is lost after the last piece. aborted() reports whether the request was aborted.
 */
export function answerInPieces(url, text, ends, breaks) {
  const real = fetch;
  const bytes = Uint8Array.from(text, (c) => c.charCodeAt(0));
  let aborted = false;
  const restore = replaceGlobal("fetch", (at, options) => {
    if (at !== url) return real(at, options);
    options.signal.addEventListener("abort", () => (aborted = true));
    let i = 0;
    const pull = (controller) => {
      if (i < ends.length) return controller.enqueue(bytes.slice(ends[i - 1] ?? 0, ends[i++]));
      if (breaks) controller.error(new TypeError("the connection is lost"));
      else controller.close();
    };
    return Promise.resolve(new Response(new ReadableStream({ pull })));
  });
  return { restore, aborted: () => aborted };
}

/**
 * Intercepts the calls of IndexedDB, until restore() is called. next(fault) sets the
 * fault of the next transaction that is opened, where fault is
 *
 *	""                 nothing
 *	the name of an error, which is thrown
 *	"abort"            the browser aborts it
 *	"halfway"          its second put throws
 *	"held"             it has its effect, but sends no event before failHeld()
 *	"stuck"            it continues until it is aborted
 *
 * or, with "open" before it, the fault of the next attempt to open a database:
 * "open stuck" never ends. All other operations are counted.
 */
export function tamper() {
  const connections = new Set();
  const held = [];
  const faults = [];
  const openFaults = [];
  const stuck = new Set();
  const counts = { opens: 0, transactions: 0 };
  const durabilities = new Set();
  const undo = [];
  const replace = (prototype, name, make) => {
    const real = prototype[name];
    prototype[name] = make(real);
    undo.push(() => (prototype[name] = real));
  };
  replace(IDBFactory.prototype, "open", (real) => function (...args) {
    counts.opens++;
    if (openFaults.shift() === "stuck") return {};
    const request = real.apply(this, args);
    request.addEventListener("success", () => connections.add(request.result));
    return request;
  });
  replace(IDBDatabase.prototype, "close", (real) => function () {
    connections.delete(this);
    real.call(this);
  });
  replace(IDBDatabase.prototype, "transaction", (real) => function (names, mode, options) {
    counts.transactions++;
    durabilities.add(options?.durability ?? "default");
    const fault = faults.shift() ?? "";
    if (/Error$/.test(fault)) throw new DOMException("a fault of the test", fault);
    const tx = real.call(this, names, mode, options);
    if (fault === "abort") tx.abort();
    if (fault === "stuck") {
      stuck.add(tx);
      const turn = () => (tx.objectStore("records").get("").onsuccess = turn);
      turn();
      tx.addEventListener("abort", () => stuck.delete(tx));
    }
    if (fault === "halfway") {
      const store = tx.objectStore("records");
      const { put } = store;
      let puts = 0;
      store.put = (...args) => {
        if (puts++ > 0) throw new DOMException("a fault of the test", "DataError");
        return put.apply(store, args);
      };
      tx.objectStore = () => store;
    }
    if (fault === "held") {
      const handlers = {};
      for (const name of ["oncomplete", "onabort", "onerror"]) {
        Object.defineProperty(tx, name, { set: (handler) => (handlers[name] = handler), get: () => handlers[name] });
      }
      held.push(() => handlers.onabort?.({ target: tx }));
    }
    return tx;
  });
  return {
    next: (fault) => (fault.startsWith("open ") ? openFaults.push(fault.slice(5)) : faults.push(fault)),
    /** Simulates that the browser closes every connection and aborts its transactions. */
    closeConnections() {
      for (const tx of stuck) try { tx.abort(); } catch { /* it is aborted already */ }
      for (const db of [...connections]) {
        db.close();
        db.dispatchEvent(new Event("close"));
      }
    },
    /** Removes the faults that are set for later transactions. */
    clear: () => void (faults.length = openFaults.length = 0),
    failHeld: () => held.splice(0).forEach((fail) => fail()),
    count: (what) => ({ ...counts, connections: connections.size, stuck: stuck.size, held: held.length, faults: faults.length + openFaults.length })[what],
    durabilities: () => [...durabilities].join(),
    restore: () => undo.splice(0).forEach((f) => f()),
  };
}

/** Calls done with an error message and the names of the databases, a line each. */
export function databaseNames(done) {
  indexedDB.databases().then((list) => done("", list.map(({ name }) => name).join("\n")), (error) => done(String(error), ""));
}

/** Returns a host like testHost whose program can end: end() aborts the signal; listeners() counts its listeners. */
export function endingHost() {
  const over = new AbortController();
  const { signal } = over;
  const { addEventListener, removeEventListener } = signal;
  const known = new Set();
  signal.addEventListener = (type, f, ...rest) => {
    known.add(f);
    addEventListener.call(signal, type, f, ...rest);
  };
  signal.removeEventListener = (type, f, ...rest) => {
    known.delete(f);
    removeEventListener.call(signal, type, f, ...rest);
  };
  const { openSocket, openDatabase, deleteDatabase, fetchDocument } = globalThis.testHost;
  return {
    openSocket: (...args) => openSocket(...args, signal),
    openDatabase: (...args) => openDatabase(...args, signal),
    fetchDocument: (...args) => fetchDocument(...args, signal),
    deleteDatabase,
    end: () => over.abort(),
    listeners: () => known.size,
  };
}

/**
 * Replaces the browser's WebSocket with one whose events the test sends, until
 * restore() is called. The methods act on the socket that was opened last. It also
 * counts how often Go is called with messages, and what is left open.
 */
export function fakeSockets() {
  let socket;
  let timers = 0; // pending timers of 4 ms, which collect messages
  let entered = 0;
  let timersFire = true;
  let afterBatch;
  const ports = new Set();
  const closed = [];
  class FakeSocket {
    static OPEN = 1;
    CLOSED = 3;
    readyState = 0;
    bufferedAmount = 0;
    protocol = "";
    onopen = null; onmessage = null; onerror = null; onclose = null;
    sent = [];
    constructor() { socket = this; }
    send(message) { this.sent.push(message); }
    close(code, reason) {
      closed.push(code);
      this.readyState = 2;
    }
  }
  const { MessageChannel: RealChannel, setTimeout: realTimeout } = globalThis;
  class CountedChannel {
    constructor() {
      const channel = new RealChannel();
      const { port1 } = channel;
      ports.add(port1);
      port1.close = () => {
        ports.delete(port1);
        Object.getPrototypeOf(port1).close.call(port1);
      };
      return channel;
    }
  }
  const restores = [
    replaceGlobal("WebSocket", FakeSocket),
    replaceGlobal("MessageChannel", CountedChannel),
    replaceGlobal("setTimeout", (f, ms, ...args) => {
      if (ms === 4) timers++;
      if (ms === 4 && !timersFire) return 0;
      return realTimeout(f, ms, ...args);
    }),
  ];
  const over = endingHost();
  return {
    host: {
      openSocket: (url, protocol, maxMessage, maxQueued, onOpen, onBatch, onClose) =>
        over.openSocket(url, protocol, maxMessage, maxQueued, onOpen, (...args) => {
          entered++;
          onBatch(...args);
          const messages = afterBatch ?? [];
          afterBatch = undefined;
          for (const data of messages) queueMicrotask(() => socket.onmessage?.({ data }));
        }, onClose),
    },
    /** Makes the methods act on the next socket. */
    forget() {
      socket = undefined;
      closed.length = 0;
    },
    exists: () => socket !== undefined,
    open(protocol) {
      socket.readyState = 1;
      socket.protocol = protocol;
      socket.onopen?.({});
    },
    /** Sends a message event; a number stands for a binary message. */
    message: (data) => socket.onmessage?.({ data: typeof data === "number" ? new ArrayBuffer(data) : data }),
    /** Sends the same message event n times in one turn. */
    messages(data, n) {
      for (let i = 0; i < n; i++) socket.onmessage?.({ data });
    },
    /** Sends the same message event n times immediately after the next call of Go. */
    afterBatch: (data, n) => void (afterBatch = Array(n).fill(data)),
    /** Sets whether the timers fire that collect messages. */
    fireTimers: (yes) => void (timersFire = yes),
    closeEvent(code, reason) {
      socket.readyState = 3;
      socket.onclose?.({ code, reason });
    },
    errorEvent(state) {
      socket.readyState = state;
      socket.onerror?.({});
    },
    buffered: (n) => (socket.bufferedAmount = n),
    sent: () => socket.sent.join("\n"),
    /** Returns the arguments with which sockets were closed. */
    closed: () => closed.join(),
    endProgram: over.end,
    count: (what) => ({
      entered, timers, ports: ports.size, listeners: over.listeners(),
      handlers: ["onopen", "onmessage", "onerror", "onclose"].filter((name) => socket[name] !== null).length,
    })[what],
    restore: () => restores.forEach((restore) => restore()),
  };
}
