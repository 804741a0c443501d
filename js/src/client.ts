import { closedError, fromWire, messageOf, PamError } from "./errors.js";
import { hub } from "./events.js";
import { listen, type Hints } from "./hints.js";
import { inspector } from "./inspector.js";
import { watchLife } from "./life.js";
import { limited } from "./limits.js";
import { difference, emptyList, list, type Row } from "./list.js";
import { info } from "./loader.js";
import { fields, readOptions, readTarget } from "./options.js";
import { start, type Link } from "./runtime.js";
import { cell, listeners, safely } from "./store.js";
import { clearTab, leaveTab, takeTab, type Tab } from "./tab.js";
import type { ClientOptions, LogEntry, OpOptions, PamClient, RuntimeState, Subscription, SubscriptionList, SyncState, Target } from "./types.js";
import type { Happened, RawExport, RawState } from "./wire.js";

/** Makes a client. Nothing is loaded and nothing is sent until one of its methods is called. */
export function makeClient(options: ClientOptions): PamClient {
  const config = readOptions(options);
  const events = hub(tellListening);
  const runtime = cell<RuntimeState>(Object.freeze({ phase: "idle", where: null }));
  let fellBack: string | undefined; // why nothing is stored
  const sync = cell<SyncState>(syncState({ phase: "offline", missing: [], resumed: false, lastSynced: null, attempt: 0, nextAttempt: null, pending: 0, degraded: false }));
  const listHeard = listeners();
  const rows = list(listHeard.mark);
  const frames = inspector(config.frames, () => link?.tell("drop"));

  let starting: Promise<Link> | undefined;
  let link: Link | undefined; // once the stored list is loaded
  let told = false; // whether the program posts messages, as it was told last
  let closing: Promise<void> | undefined;
  let ready: Promise<SubscriptionList> | undefined;
  let unwatch: (() => void) | undefined;
  let hints: Hints | undefined; // of other tabs
  let later: (() => void)[] = []; // events of this turn, emitted when the stores are up to date
  const asks = new Map<number, AbortController>();
  const over = new AbortController(); // aborted by close()
  const giveUp = new AbortController(); // aborted by close() while the program starts
  const call = <T>(o: OpOptions | undefined, run: (signal: AbortSignal) => Promise<T>, ...more: string[]): Promise<T> => limited(o, run, over.signal, more);

  // The program ---------------------------------------------------------------

  /** The running program, with the stored list loaded. */
  function running(): Promise<Link> {
    if (closing) return Promise.reject(closedError());
    if (starting) return starting;
    const mine = boot().catch((e: unknown) => {
      if (starting === mine) starting = ready = undefined;
      throw e;
    });
    return (starting = mine);
  }

  async function boot(): Promise<Link> {
    setRuntime({ phase: "loading", where: null });
    setSync({ ...sync.store.getSnapshot(), phase: "loading" }, undefined);
    flush();
    let begun: Link | undefined;
    try {
      begun = await start(config, { happened, flush, measure: frames.measure, crashed }, giveUp.signal);
      stopIfClosed(begun);
      const { account, service: url, followTo, storage, mechanisms, reconnect } = config;
      const tab = watchPage(begun);
      const made = await begun.request("create", { account, url, followTo, storage, mechanisms, inspector: config.frames > 0, ...reconnect, ...tab }) as { why?: string };
      fellBack = made.why;
      await begun.request("load");
      stopIfClosed(begun);
      link = begun;
      told = false;
      tellListening();
      setRuntime({ phase: "running", where: begun.where, info });
      const now = sync.store.getSnapshot();
      setSync({ ...now, phase: now.phase === "loading" ? "offline" : now.phase }, undefined);
      return begun;
    } catch (e) {
      begun?.stop();
      unwatchPage();
      const error = PamError.is(e) ? e : new PamError("crashed", messageOf(e), { origin: "runtime", cause: e });
      if (!closing && error.code !== "crashed") {
        setRuntime({ phase: "idle", where: null, error });
        setSync({ ...sync.store.getSnapshot(), phase: "failed" }, error);
      }
      throw error;
    } finally {
      flush();
    }
  }

  /**
   * From now on the program hears of the page, and the next page in this tab goes on with its session. It takes up the
   * session of the page before, but never that of a program which crashed: what made it crash would come again.
   */
  function watchPage(begun: Link): Tab | undefined {
    const tab = config.storage === "memory" ? undefined : takeTab(config.account);
    unwatch = watchLife({
      ...(config.wakeOnForeground && { wake: () => link?.tell("wake") }),
      sleep: () => link?.tell("sleep"),
      leave: () => tab && leaveTab(config.account, tab),
      show: () => clearTab(config.account),
    });
    if (tab) hints = listen(config.account, () => begun.tell("reload")); // the first reading may be under way
    return tab;
  }

  function unwatchPage(): void {
    unwatch?.();
    hints?.stop();
    unwatch = hints = undefined;
  }

  function stopIfClosed(begun: Link): void {
    if (!closing) return;
    begun.stop();
    throw closedError();
  }

  function crashed(error: PamError): void {
    forgetProgram();
    setRuntime({ phase: "crashed", where: null, error });
    setSync({ ...sync.store.getSnapshot(), phase: "failed", nextAttemptAt: null, pendingWrites: 0 }, error);
    rows.drop();
    later.push(() => events.emit("crash", error));
    log("error", error.message, { code: error.code });
    flush();
  }

  function forgetProgram(): void {
    link = starting = ready = undefined;
    unwatchPage();
    for (const ask of asks.values()) ask.abort();
    asks.clear();
  }

  // What it tells ---------------------------------------------------------------

  function happened(e: Happened): void {
    switch (e.event) {
      case "changed": {
        const delta = rows.apply(e.changes, e.from ?? null, e.to ?? null, e.origin, e.source);
        if (delta && link) later.push(() => events.emit("subscriptions", delta));
        return;
      }
      case "list":
        return rows.reset(e.changes, e.provisional, e.ver ?? null, e.source);
      case "more":
        return rows.more(e.changes);
      case "provisional":
        return rows.setProvisional(e.rows);
      case "state": {
        const state = syncState(e.state);
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
      case "stored":
        return hints?.tell();
      case "frame": {
        const { event: _, ...frame } = e;
        return frames.add(frame);
      }
      case "credentials":
        return void answer(e);
    }
  }

  /** Tells the program whether anybody listens to messages: it makes their texts for nobody else. */
  function tellListening(): void {
    const now = events.used("message");
    if (!link || now === told) return;
    told = now;
    link.tell("listen", { messages: now });
  }

  /** Asks the page for credentials and hands them on. */
  async function answer({ ask, over, reason, mechanisms }: Extract<Happened, { event: "credentials" }>): Promise<void> {
    if (over) {
      asks.get(ask)?.abort();
      asks.delete(ask);
      return;
    }
    const controller = new AbortController();
    const program = link; // a later one must not get the answer
    const tell = (params: object): void => program?.tell("credentials", { ask, ...params });
    asks.set(ask, controller);
    try {
      const request = { reason: (reason ?? "initial") as "initial", mechanisms: Object.freeze(mechanisms ?? []), signal: controller.signal };
      const { password } = await config.credentials(Object.freeze(request));
      tell({ password });
    } catch (e) {
      const wrong = PamError.is(e, "bad-options");
      tell({ failed: wrong ? e.message : `options.credentials failed: ${messageOf(e)}`, wrong });
    } finally {
      asks.delete(ask);
    }
  }

  // State -----------------------------------------------------------------------

  function syncState(raw: RawState): SyncState {
    const storage = storageState(raw.degraded ? raw.why ?? "" : fellBack);
    return Object.freeze({
      phase: raw.phase,
      missing: Object.freeze(raw.missing),
      resumed: raw.resumed,
      lastSyncedAt: raw.lastSynced === null ? null : new Date(raw.lastSynced),
      attempt: raw.attempt,
      nextAttemptAt: raw.nextAttempt === null ? null : new Date(raw.nextAttempt),
      pendingWrites: raw.pending,
      storage,
      ...(raw.error && { error: fromWire(raw.error) }),
    });
  }

  function storageState(why: string | undefined): SyncState["storage"] {
    const wanted = config.storage;
    return Object.freeze(why === undefined || wanted === "memory"
      ? { kind: wanted, persistent: wanted !== "memory" }
      : { kind: "memory", persistent: false, fellBackFrom: wanted, why });
  }

  function setSync(state: SyncState, error: PamError | undefined): void {
    const { error: _, ...rest } = state;
    const storage = fellBack !== undefined && rest.storage.persistent ? storageState(fellBack) : rest.storage;
    const before = sync.store.getSnapshot();
    const next = Object.freeze({ ...rest, storage, ...(error && { error }) });
    sync.set(next);
    if (before.phase !== next.phase) log("info", `sync: ${next.phase}`, error && { code: error.code });
    later.push(() => events.emit("sync", next));
  }

  function setRuntime(state: RuntimeState): void { runtime.set(Object.freeze(state)); }

  /** Tells everybody what has changed in this turn: first the stores, then the events, in order. */
  function flush(): void {
    tellListening(); // that nobody does any more: not at once, for who awaits once() again and again is to miss nothing
    runtime.flush();
    sync.flush();
    listHeard.flush();
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

  /** Requests are never queued: without a program there is no connection either. */
  function connected(): Link {
    if (!link) throw new PamError("offline", "Not connected: call connect() first. Nothing was sent.", { retryable: true });
    return link;
  }

  function close(): Promise<void> {
    return (closing ??= (async () => {
      over.abort(closedError());
      const program = link;
      if (program) {
        const limit = new Promise((resolve) => setTimeout(resolve, 5000));
        await Promise.race([program.request("close").catch(() => undefined), limit]);
        program.stop(closedError());
      } else {
        giveUp.abort(closedError());
      }
      forgetProgram();
      setRuntime({ phase: "closed", where: null });
      setSync({ ...sync.store.getSnapshot(), phase: "offline", nextAttemptAt: null, pendingWrites: 0 }, undefined);
      rows.drop();
      flush();
      events.close();
    })());
  }

  const client = {
    account: config.account,
    connect: (o?: OpOptions) => call(o, async (signal) => {
      const program = await running();
      signal.throwIfAborted();
      return syncState(await program.request("connect", {}, signal) as RawState);
    }),
    disconnect: (o?: OpOptions) => call(o, async () => {
      const program = link ?? (await starting?.catch(() => undefined));
      await program?.request("disconnect");
    }),
    forget: (o?: OpOptions) => call(o, async (signal) => {
      await (await running()).request("forget", {}, signal);
      if (fellBack !== undefined) throw new PamError("storage", "What IndexedDB holds for the account could not be removed, because it cannot be opened. Clearing the site's data removes it.", { origin: "storage" });
    }),
    export: (o?: OpOptions) => call(o, async (signal) => exported(await (await running()).request("export", {}, signal) as RawExport)),
    close,
    subscribe: (target: Target, o?: OpOptions) => call(o, async (signal) => {
      const { service, node } = readTarget(target);
      return rows.row(await connected().request("subscribe", { service, node }, signal) as Row);
    }),
    unsubscribe: (target: Target | Subscription, o?: OpOptions) => call(o, async (signal) => {
      await connected().request("unsubscribe", readTarget(target), signal);
    }),
    subscriptions: Object.freeze({
      getSnapshot: rows.snapshot,
      getServerSnapshot: () => emptyList,
      subscribe: listHeard.subscribe,
      get ready() {
        return (ready ??= call({}, () => running().then(rows.snapshot)));
      },
      get(target: Target) {
        const { service, node, subid } = readTarget(target);
        return rows.get(service, node, subid);
      },
      refresh: (o?: OpOptions & { ignoreVersion?: boolean }) => call(o, async (signal) => {
        const ignoreVersion = fields(o ?? {}, "options", ["signal", "timeoutMs", "ignoreVersion"]).ignoreVersion === true;
        const before = rows.snapshot();
        await connected().request("refresh", { ignoreVersion }, signal);
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
