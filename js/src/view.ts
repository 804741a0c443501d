import type { LogEntry } from "./client-options.js";
import type { Emitter } from "./emitter.js";
import type { PamError } from "./errors.js";
import { inboxView, type InboxView } from "./inbox.js";
import { inspectorStore, type InspectorStore } from "./inspector.js";
import type { Config } from "./options.js";
import { safely, writableStore } from "./store.js";
import { subscriptionList, type SubscriptionRows } from "./subscription-list.js";
import { syncStore, type SyncStore } from "./sync.js";
import type { ExternalStore, PamEventMap, RuntimeState, SyncState, TabState } from "./types.js";

/** The stores, events and log of a client. Changes become visible when `flush` is called. */
export interface View {
  readonly rows: SubscriptionRows;
  readonly inbox: InboxView;
  readonly sync: SyncStore;
  readonly frames: InspectorStore;
  readonly runtime: ExternalStore<RuntimeState>;
  setRuntime(state: RuntimeState): void;
  readonly tabs: ExternalStore<TabState>;
  setTabs(state: TabState): void;
  /** Queues an event, which `flush` emits after it has updated the stores. */
  emit<K extends keyof PamEventMap>(type: K, event: PamEventMap[K]): void;
  log(level: LogEntry["level"], message: string, error?: PamError): void;
  /** Resets the states of program and connection and removes the overlay, because the program has ended. */
  programEnded(phase: SyncState["phase"], runtime: RuntimeState, error?: PamError): void;
  /** Calls the listeners: first those of stores that have changed, then those of the queued events, in order. */
  flush(): void;
  /** Flushes, and closes the emitter. */
  close(): void;
}

const noTabs: TabState = Object.freeze({ sharing: "independent", tabs: 0 });

export function createView(config: Config, events: Emitter): View {
  const runtime = writableStore<RuntimeState>(Object.freeze({ phase: "idle", where: null }));
  const tabs = writableStore<TabState>(noTabs);
  const rows = subscriptionList(config.interests);
  const inbox = inboxView(config.codecs, (e) => {
    emit("warning", e);
    log("warn", e.message, e);
    queueMicrotask(flush); // the page may be rendering
  }, rows.make);
  const frames = inspectorStore(config.frames);
  const sync = syncStore(config.storage, (before, now) => {
    if (before.phase !== now.phase) log("info", `sync: ${now.phase}`, now.error);
    emit("sync", now);
  });
  let queued: (() => void)[] = []; // emit the events since the last flush

  function emit<K extends keyof PamEventMap>(type: K, event: PamEventMap[K]): void {
    queued.push(() => events.emit(type, event));
  }

  function log(level: LogEntry["level"], message: string, error?: PamError): void {
    const { logger } = config;
    if (!logger) return;
    const entry = { level, at: new Date(), message, ...(error && { fields: { code: error.code } }) };
    safely(logger, Object.freeze(entry));
  }

  function setRuntime(state: RuntimeState): void { runtime.set(Object.freeze(state)); }

  function setTabs(state: TabState): void { tabs.set(Object.freeze(state)); }

  function flush(): void {
    runtime.flush();
    tabs.flush();
    sync.flush();
    rows.flush();
    inbox.flush();
    frames.flush();
    const now = queued;
    queued = [];
    for (const fn of now) fn();
  }

  return {
    rows, inbox, sync, frames, emit, log, setRuntime, setTabs, flush,
    runtime: runtime.store,
    tabs: tabs.store,
    programEnded(phase, state, error) {
      setRuntime(state);
      setTabs(noTabs);
      sync.reset(phase, error);
      frames.measure(0, 0);
      rows.dropUncommitted();
      inbox.programEnded();
    },
    close() {
      flush();
      events.close();
    },
  };
}
