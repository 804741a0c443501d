import { closedError, fromWire, ownError, PamError } from "./errors.js";
import { hub } from "./events.js";
import { inspector } from "./inspector.js";
import { limited } from "./limits.js";
import { difference, emptyList, list, type Row } from "./list.js";
import { info } from "./loader.js";
import { fields, readOptions, readTarget } from "./options.js";
import { startProgram, type Program } from "./program.js";
import { cell, listeners, safely } from "./store.js";
import { offline, readState, storageState } from "./sync.js";
import type { ClientOptions, LogEntry, OpOptions, PamClient, RuntimeState, Subscription, SubscriptionList, SyncState, Target } from "./types.js";
import type { Happened, RawExport, RawState } from "./wire.js";

/** Makes a client. Nothing is loaded and nothing is sent until one of its methods is called. */
export function makeClient(options: ClientOptions): PamClient {
  const config = readOptions(options);
  const events = hub(tellListening);
  const runtime = cell<RuntimeState>(Object.freeze({ phase: "idle", where: null }));
  let fellBack: string | undefined; // why nothing is stored
  const stateOf = (raw: RawState): SyncState => readState(raw, config.storage, fellBack);
  const sync = cell<SyncState>(stateOf(offline));
  const rows = list(() => heard.mark());
  const heard = listeners(rows.snapshot);
  const frames = inspector(config.frames, () => program?.tell("drop"));

  let starting: Promise<Program> | undefined;
  let program: Program | undefined; // once the stored list is loaded
  let told = false; // whether the program posts messages, as it was told last
  let closing: Promise<void> | undefined;
  let ready: Promise<SubscriptionList> | undefined;
  let later: (() => void)[] = []; // events of this turn, emitted when the stores are up to date
  const over = new AbortController(); // aborted by close()
  const giveUp = new AbortController(); // aborted by close() while the program starts
  const call = <T>(o: OpOptions | undefined, run: (signal: AbortSignal) => Promise<T>, ...more: string[]): Promise<T> => limited(o, run, over.signal, more);

  // The program ---------------------------------------------------------------

  /** The running program, with the stored list loaded. */
  function running(): Promise<Program> {
    if (closing) return Promise.reject(closedError());
    if (starting) return starting;
    const mine = Promise.resolve().then(boot).catch((e: unknown) => {
      const error = ownError(e);
      if (starting === mine) gone("failed", { phase: "idle", where: null, error }, error); // else it crashed or was closed
      flush();
      throw error;
    });
    starting = mine; // listeners may call connect()
    setRuntime({ phase: "loading", where: null });
    setSync({ ...sync.store.getSnapshot(), phase: "loading" }, undefined);
    flush();
    return mine;
  }

  /** The program, if there is one. Requests are never queued: without a program there is no connection either. */
  function connected(): Promise<Program> {
    if (!program || !starting) throw new PamError("offline", "Not connected: call connect() first. Nothing was sent.", { retryable: true });
    return starting;
  }

  /**
   * Asks the program for an operation, unless the signal is aborted by then. All operations wait for the same promise, also
   * when it is fulfilled: so the program is asked in the order of the calls.
   */
  async function request(from: Promise<Program>, op: string, params: object, signal: AbortSignal): Promise<unknown> {
    const asked = await from;
    signal.throwIfAborted();
    return asked.request(op, params, signal);
  }

  async function boot(): Promise<Program> {
    const begun = await startProgram(config, { happened, flush, measure: frames.measure, crashed }, ({ why }) => { fellBack = why; }, giveUp.signal);
    if (closing) {
      begun.end(closedError());
      throw closedError();
    }
    program = begun;
    told = false;
    tellListening();
    setRuntime({ phase: "running", where: begun.where, info });
    const now = sync.store.getSnapshot();
    setSync({ ...now, phase: now.phase === "loading" ? "offline" : now.phase }, undefined);
    flush();
    return begun;
  }

  /** What is shown when the program is gone: nothing that it had not committed, and no state of its connection. */
  function gone(phase: SyncState["phase"], state: RuntimeState, error: PamError | undefined): void {
    program = starting = ready = undefined;
    setRuntime(state);
    const { lastSyncedAt, storage } = sync.store.getSnapshot();
    setSync({ ...stateOf(offline), phase, lastSyncedAt, storage }, error);
    frames.measure(0, 0);
    rows.drop();
  }

  function crashed(error: PamError): void {
    gone("failed", { phase: "crashed", where: null, error }, error);
    later.push(() => events.emit("crash", error));
    log("error", error.message, { code: error.code });
    flush();
  }

  // What it tells ---------------------------------------------------------------

  function happened(e: Happened): void {
    switch (e.event) {
      case "changed": {
        const delta = rows.apply(e.changes, e.from ?? null, e.to ?? null, e.origin, e.source);
        if (delta && program) later.push(() => events.emit("subscriptions", delta));
        return;
      }
      case "list":
        return rows.reset(e.changes, e.provisional, e.ver ?? null, e.source);
      case "more":
        return rows.more(e.changes);
      case "provisional":
        return rows.setProvisional(e.rows);
      case "state": {
        const state = stateOf(e.state);
        setSync(state, state.error);
        const { lastSyncedAt } = state;
        const asOf = lastSyncedAt ? lastSyncedAt.toISOString() : null;
        const live = state.phase === "live" && !state.missing.includes("pam");
        rows.confirm(live ? "server" : rows.snapshot().source, asOf);
        return;
      }
      case "warning": {
        const warning = fromWire(e.error);
        frames.ignore(e.ignored ?? 0);
        log("warn", warning.message, { code: warning.code });
        later.push(() => events.emit("warning", warning));
        return;
      }
      case "message": {
        const { from = "", xml = null, omitted } = e;
        const message = Object.freeze({ from, xml, ...(omitted && { omitted }) });
        later.push(() => events.emit("message", message));
        return;
      }
      case "frame": {
        const { event: _, ...frame } = e;
        return frames.add(frame);
      }
    }
  }

  /** Tells the program whether the page has a listener for messages. Without one the program builds no texts. */
  function tellListening(): void {
    const now = events.used("message");
    if (!program || now === told) return;
    told = now;
    program.tell("listen", { messages: now });
  }

  // State -----------------------------------------------------------------------

  function setSync(state: SyncState, error: PamError | undefined): void {
    const { error: _, ...rest } = state;
    const storage = fellBack !== undefined && rest.storage.persistent ? storageState(config.storage, fellBack) : rest.storage;
    const before = sync.store.getSnapshot();
    const next = Object.freeze({ ...rest, storage, ...(error && { error }) });
    if (!sync.set(next)) return;
    if (before.phase !== next.phase) log("info", `sync: ${next.phase}`, error && { code: error.code });
    later.push(() => events.emit("sync", next));
  }

  function setRuntime(state: RuntimeState): void { runtime.set(Object.freeze(state)); }

  /** Tells everybody what has changed in this turn: first the stores, then the events, in order. */
  function flush(): void {
    tellListening(); // that no listener is left: with the next batch, so that a loop over once() misses nothing
    runtime.flush();
    sync.flush();
    heard.flush();
    frames.flush();
    const emit = later;
    later = [];
    for (const fn of emit) fn();
  }

  function log(level: LogEntry["level"], message: string, more?: Record<string, unknown>): void {
    const { logger } = config;
    if (logger) safely(() => logger(Object.freeze({ level, at: new Date(), message, ...(more && { fields: more }) })));
  }

  // The methods -------------------------------------------------------------------

  function close(): Promise<void> {
    return (closing ??= (async () => {
      over.abort(closedError());
      const ending = program;
      if (ending) {
        await limited({ timeoutMs: 5000 }, (signal) => ending.request("close", {}, signal)).catch(() => undefined);
        ending.end(closedError());
      } else {
        giveUp.abort(closedError());
      }
      gone("offline", { phase: "closed", where: null }, undefined);
      flush();
      events.close();
    })());
  }

  const client = {
    account: config.account,
    connect: (o?: OpOptions) => call(o, async (signal) => {
      const asked = await running();
      // The client connects even if every caller has stopped waiting.
      return stateOf(await asked.connect(signal.aborted ? undefined : signal) as RawState);
    }),
    disconnect: (o?: OpOptions) => call(o, async () => {
      if (!starting) return;
      let asked: Program;
      try {
        asked = await starting;
      } catch {
        return; // it did not start
      }
      await asked.request("disconnect");
    }),
    forget: (o?: OpOptions) => call(o, async (signal) => {
      const asked = await running();
      signal.throwIfAborted();
      await asked.forget(signal);
      if (fellBack !== undefined) throw new PamError("storage", "What IndexedDB holds for the account could not be removed, because it cannot be opened. Clearing the site's data removes it.", { origin: "storage" });
    }),
    export: (o?: OpOptions) => call(o, async (signal) => exported(await request(running(), "export", {}, signal) as RawExport)),
    close,
    subscribe: (target: Target, o?: OpOptions) => call(o, async (signal) => {
      const { service, node } = readTarget(target);
      return rows.row(await request(connected(), "subscribe", { service, node }, signal) as Row);
    }),
    unsubscribe: (target: Target | Subscription, o?: OpOptions) => call(o, async (signal) => {
      await request(connected(), "unsubscribe", readTarget(target, true), signal);
    }),
    subscriptions: Object.freeze({
      getSnapshot: rows.snapshot,
      getServerSnapshot: () => emptyList,
      subscribe: heard.subscribe,
      get ready() {
        return (ready ??= call({}, () => running().then(rows.snapshot)));
      },
      get(target: Target) {
        const { service, node, subid } = readTarget(target, true);
        return rows.get(service, node, subid);
      },
      refresh: (o?: OpOptions & { ignoreVersion?: boolean }) => call(o, async (signal) => {
        const ignoreVersion = fields(o ?? {}, "options", ["signal", "timeoutMs", "ignoreVersion"]).ignoreVersion === true;
        const before = rows.snapshot();
        await request(connected(), "refresh", { ignoreVersion }, signal);
        return difference(before, rows.snapshot());
      }, "ignoreVersion"),
    }),
    sync: sync.store,
    runtime: runtime.store,
    inspector: frames.inspector,
    on: events.on,
    once: events.once,
    events: events.events,
  };
  if (typeof Symbol.asyncDispose === "symbol") Object.defineProperty(client, Symbol.asyncDispose, { value: close });
  return Object.freeze(client) as unknown as PamClient;
}

/** What is stored, as a file for the person whom it is about. */
function exported({ account, list, ver, lastFull, lastSynced, mechanism, sessions }: RawExport): Blob {
  const when = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const data = {
    account,
    ver: ver ?? null,
    lastSyncedAt: when(lastSynced),
    lastFullListAt: when(lastFull),
    lastLogin: mechanism ?? null,
    subscriptions: list.map(([service, node, subid, jid, state]) => ({ service, node, ...(subid !== "" && { subid }), jid, state })),
    sessions: sessions.map(({ jid, saved, waiting }) => ({ jid, savedAt: when(saved), unacknowledged: waiting })),
  };
  return new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
}
