import { closedError, ownError, PamError } from "./errors.js";
import { limited } from "./limits.js";
import { info } from "./loader.js";
import type { Config } from "./options.js";
import { startProgram, type Program } from "./program.js";
import { mayShare, whyNotShared } from "./shared-program.js";
import type { InboxState } from "./inbox-types.js";
import { newestEvents } from "./inbox.js";
import { recordReader } from "./stored-database.js";
import { readStoredInbox } from "./stored-inbox.js";
import { readStoredList } from "./stored-list.js";
import type { PamEventMap, SubscriptionList } from "./types.js";
import type { View } from "./view.js";
import type { RawInterests } from "./wire.js";

/** Starts the program on demand, ends it with the client, and updates the view when the program starts, crashes or ends. */
export interface ProgramLifecycle {
  /** Aborted by close(). Its reason is the error with which pending calls reject. */
  readonly closed: AbortSignal;
  /** Resolves with the running program when it has loaded the stored list. Starts the program if necessary. */
  running(): Promise<Program>;
  /** Like `running`, but throws code "offline" instead of starting the program: requests are never queued. */
  connected(): Promise<Program>;
  /** The program that is running or starting. */
  started(): Promise<Program> | undefined;
  /** Resolves with the stored list when `view` shows it. It does not wait for a server. */
  storedList(): Promise<SubscriptionList>;
  /** Resolves with the stored state of the inbox when `view` shows it. */
  storedInbox(): Promise<InboxState>;
  /**
   * Notes that the page uses the inbox. The client reads it and the program posts its changes only then, because many
   * pages show the list alone.
   */
  useInbox(): void;
  /** Sets whether the page wants to be connected, so that another program connects after a shared one was lost. */
  setWanted(wanted: boolean): void;
  /** Sets the interests with which the program starts. */
  setInterests(interests: RawInterests): void;
  /** Informs the program what the page listens to. The program posts messages and the inbox only if it does. */
  updateListening(): void;
  close(): Promise<void>;
}

const mostLosses = 5; // of shared programs in a minute, after which the page has to call connect()

/**
 * How long to wait after so many losses, in ms. WebKitGTK may end a program repeatedly within a few milliseconds while it
 * moves the SharedWorker to another process.
 */
const pauseAfter = (losses: number): number => (losses < 2 ? 0 : 50 * 2 ** losses);

const newestInterval = 100; // milliseconds after the newest events were requested

export function programLifecycle(
  config: Config, view: View, listensTo: (type: keyof PamEventMap) => boolean,
): ProgramLifecycle {
  const { rows, inbox, sync } = view;
  let starting: Promise<Program> | undefined; // set while the program starts or runs
  let program: Program | undefined; // set when it has loaded the stored list
  let stored: Promise<SubscriptionList> | undefined;
  let reading: Promise<boolean> = Promise.resolve(false); // what showStored returned
  let usesInbox = false;
  let readingInbox: Promise<boolean> | undefined; // what showStoredInbox returned
  let { interests } = config;
  let resting = false; // the newest events are requested, or were less than newestInterval ago
  let rest: ReturnType<typeof setTimeout> | undefined;
  let restart: ReturnType<typeof setTimeout> | undefined; // of a shared program that was lost
  let refused = false; // the page does not share a program
  let wanted = false; // the page wants to be connected
  let losses: number[] = []; // when shared programs were lost
  let closing: Promise<void> | undefined;
  const closed = new AbortController();
  const read = recordReader(config.account, closed.signal);
  const startCanceled = new AbortController(); // aborted by close() while the program starts

  function running(): Promise<Program> {
    if (closing) return Promise.reject(closedError());
    if (starting) return starting;
    clearTimeout(restart); // it starts now
    restart = undefined;
    const mine = Promise.resolve().then(start).catch((e: unknown) => {
      const error = ownError(e);
      if (starting === mine) { // else it crashed or was closed
        dropProgram();
        view.programEnded("failed", { phase: "idle", where: null, error }, error);
      }
      flush();
      throw error;
    });
    starting = mine; // listeners may call connect()
    if (usesInbox) readingInbox = showStoredInbox(); // first, as it is most of what such a page shows
    reading = showStored();
    view.setRuntime({ phase: "loading", where: null });
    sync.setPhase("loading");
    flush();
    return mine;
  }

  /** Reads the stored list and shows it, unless the program posts it first. Reports whether it showed the list. */
  async function showStored(): Promise<boolean> {
    const unread = (): boolean => rows.snapshot().source === "unread";
    if (config.storage !== "indexeddb" || !unread()) return false;
    const found = await readStoredList(read);
    if (!found || !unread() || closing) return false;
    rows.showStored(found);
    flush();
    return true;
  }

  /** Like showStored, for the inbox. What the list says of services is needed for it. */
  async function showStoredInbox(): Promise<boolean> {
    const unread = (): boolean => inbox.state.snapshot().source === "unread";
    if (config.storage !== "indexeddb" || !unread()) return false;
    const found = await readStoredInbox(read, () => reading.then(() => rows.kindOf));
    if (!found || !unread() || closing) return false;
    inbox.showStored(found);
    flush();
    return true;
  }

  function useInbox(): void {
    if (usesInbox || closing) return;
    usesInbox = true;
    if (program) updateListening();
    else if (starting) readingInbox ??= showStoredInbox();
  }

  /**
   * Requests the newest events again after a change: once for all changes in the meantime, because a catch-up changes the
   * inbox many times a second.
   */
  function updateNewest(): void {
    if (!program || resting || !inbox.takeStale()) return;
    resting = true;
    const params = { service: "", node: "", unseenOnly: false, before: "", limit: newestEvents };
    const from = program;
    const show = async (): Promise<void> => {
      const page = await from.request("events", params);
      if (from === program) inbox.setNewest(inbox.readPage(page));
    };
    show().catch(() => undefined).finally(() => { // it fails only if the program ends
      flush();
      if (!closing) rest = setTimeout(() => {
        resting = false;
        updateNewest();
      }, newestInterval);
    });
  }

  async function start(): Promise<Program> {
    const progress = (loaded: number): void => {
      if (closing) return;
      view.setRuntime({ phase: "loading", where: null, loaded, total: info.bytes });
      flush();
    };
    const handlers = { flush, crashed, progress };
    const startWith = (given: Config): Promise<Program> => startProgram(
      given, () => interests, view, handlers, ({ why }) => sync.setUnstored(why), startCanceled.signal,
    );
    const alone = { ...config, tabs: "independent" } as const;
    const why = mayShare(config) && !refused ? whyNotShared(config) : undefined;
    if (why !== undefined) warnOwn(why);
    const started = await (refused || why !== undefined ? startWith(alone) : startWith(config).catch((e: unknown) => {
      if (!PamError.is(e) || !mayShare(config)) throw e;
      if (e.condition === "other-options") warnOwn("another tab uses the account with other options");
      else if (e.origin === "runtime" && e.code.startsWith("wasm-")) warnOwn(`the SharedWorker failed: ${e.message}`);
      else throw e;
      return startWith(alone);
    }));
    if (closing) {
      started.end(closedError());
      throw closedError();
    }
    program = started;
    updateListening();
    view.setRuntime({ phase: "running", where: started.where, info });
    if (started.where !== "shared-worker") view.setTabs({ sharing: "independent", tabs: 1 });
    const { phase } = sync.store.getSnapshot();
    sync.setPhase(phase === "loading" ? "offline" : phase);
    flush();
    return started;
  }

  /** This page gets a program of its own, and does not try again to share one. */
  function warnOwn(why: string): void {
    refused = true;
    const words = `This tab has a program and a connection of its own, because ${why}. Set options.tabs to "independent" `
      + "if that is intended.";
    const warning = new PamError("bad-options", words);
    view.emit("warning", warning);
    view.log("warn", words, warning);
  }

  /** Starts another program after a shared one was lost, and connects it if the page wants that. */
  function startAgain(error: PamError): void {
    dropProgram();
    view.programEnded("loading", { phase: "loading", where: null }, error);
    view.log("warn", error.message, error);
    const again = (): void => {
      running().then((p) => (wanted ? p.connect() : undefined)).catch(() => undefined); // `sync` shows why
    };
    const pause = pauseAfter(losses.length);
    if (pause > 0) restart = setTimeout(again, pause); // a call of the page does not wait for it
    else again();
    flush();
  }

  function crashed(error: PamError, lost: boolean): void {
    losses = losses.filter((at) => Date.now() - at < 60_000);
    if (lost && !closing && losses.push(Date.now()) <= mostLosses) return startAgain(error);
    dropProgram();
    view.programEnded("failed", { phase: "crashed", where: null, error }, error);
    view.emit("crash", error);
    view.log("error", error.message, error);
    flush();
  }

  /** Drops the references to the program, which has ended. The next call starts a new one. */
  function dropProgram(): void {
    program = starting = stored = undefined;
  }

  function updateListening(): void {
    const events = listensTo("event") || listensTo("events");
    program?.listen(listensTo("message"), events);
    if (events || listensTo("catchup")) useInbox();
    if (usesInbox) program?.openInbox().catch(() => undefined); // it fails only if the program ends
  }

  function flush(): void {
    updateNewest();
    updateListening(); // only here, not when the last listener is removed, so that a loop over once() misses no message
    view.flush();
  }

  async function end(): Promise<void> {
    closed.abort(closedError());
    clearTimeout(rest);
    clearTimeout(restart);
    const ending = program;
    if (ending) {
      await limited({ timeoutMs: 5000 }, (signal) => ending.request("close", {}, signal)).catch(() => undefined);
      ending.end(closedError());
    } else {
      startCanceled.abort(closedError());
    }
    dropProgram();
    view.programEnded("offline", { phase: "closed", where: null });
    view.close();
  }

  return {
    closed: closed.signal,
    running,
    connected() {
      if (program && starting) return starting;
      const words = wanted && (starting || restart !== undefined)
        ? "Not connected yet: wait for connect(), or until `sync` is live." : "Not connected: call connect() first.";
      throw new PamError("offline", `${words} Nothing was sent.`, { retryable: true });
    },
    started: () => starting,
    storedList: () => (stored ??= limited({}, () => {
      const loaded = running().then(rows.snapshot);
      return Promise.race([loaded, reading.then((shown) => (shown ? rows.snapshot() : loaded))]);
    }, closed.signal)),
    storedInbox: () => limited({}, () => {
      useInbox();
      const opened = running().then((p) => p.openInbox()).then(inbox.state.snapshot);
      return Promise.race([opened, (readingInbox ?? opened).then((shown) => (shown ? inbox.state.snapshot() : opened))]);
    }, closed.signal),
    useInbox,
    setWanted(yes) { wanted = yes; },
    setInterests(given) { interests = given; },
    updateListening,
    close: () => (closing ??= end()),
  };
}
