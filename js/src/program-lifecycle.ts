import { closedError, ownError, PamError } from "./errors.js";
import { routeEvent } from "./event-router.js";
import { limited } from "./limits.js";
import { info } from "./loader.js";
import type { Config } from "./options.js";
import { startProgram, type Program } from "./program.js";
import { readStoredList } from "./stored-list.js";
import type { SubscriptionList } from "./types.js";
import type { View } from "./view.js";

/** Starts the program when it is needed, ends it with the client, and shows in the view what becomes of it. */
export interface ProgramLifecycle {
  /** Aborted by close(), with the error of every call that is pending then. */
  readonly closed: AbortSignal;
  /** The running program, with the stored list loaded. It is started if it does not run. */
  running(): Promise<Program>;
  /** The program, if it has been started: requests are never queued, and without a program there is no connection either. */
  connected(): Promise<Program>;
  /** The program that runs or is being started. */
  started(): Promise<Program> | undefined;
  /** The list as it is stored, without any server, as soon as it is shown. */
  storedList(): Promise<SubscriptionList>;
  /** Tells the program whether the page has a listener for messages. Without one the program builds no texts. */
  updateListening(): void;
  close(): Promise<void>;
}

export function programLifecycle(config: Config, view: View, listensToMessages: () => boolean): ProgramLifecycle {
  const { rows, sync } = view;
  let starting: Promise<Program> | undefined; // kept while the program runs
  let program: Program | undefined; // once the stored list is loaded
  let stored: Promise<SubscriptionList> | undefined;
  let reading: Promise<boolean> = Promise.resolve(false); // what is stored, by the page itself; whether it is shown
  let closing: Promise<void> | undefined;
  const closed = new AbortController();
  const startCanceled = new AbortController(); // by close(), while the program starts

  function running(): Promise<Program> {
    if (closing) return Promise.reject(closedError());
    if (starting) return starting;
    const mine = Promise.resolve().then(start).catch((e: unknown) => {
      const error = ownError(e);
      if (starting === mine) { // else it crashed or was closed
        forget();
        view.programEnded("failed", { phase: "idle", where: null, error }, error);
      }
      flush();
      throw error;
    });
    starting = mine; // listeners may call connect()
    reading = showStored();
    view.setRuntime({ phase: "loading", where: null });
    sync.setPhase("loading");
    flush();
    return mine;
  }

  /** Shows the stored list, unless the program is faster. Reports whether it did. */
  async function showStored(): Promise<boolean> {
    const unread = (): boolean => rows.snapshot().source === "unread";
    if (config.storage === "memory" || !unread()) return false;
    const found = await readStoredList(config.account, closed.signal);
    if (!found || !unread() || closing) return false;
    rows.showStored(found);
    flush();
    return true;
  }

  async function start(): Promise<Program> {
    const started = await startProgram(config, {
      handleEvent: (e) => routeEvent(view, e, program !== undefined),
      flush,
      measure: view.frames.measure,
      crashed,
    }, ({ why }) => sync.setUnstored(why), startCanceled.signal);
    if (closing) {
      started.end(closedError());
      throw closedError();
    }
    program = started;
    updateListening();
    view.setRuntime({ phase: "running", where: started.where, info });
    const { phase } = sync.store.getSnapshot();
    sync.setPhase(phase === "loading" ? "offline" : phase);
    flush();
    return started;
  }

  function crashed(error: PamError): void {
    forget();
    view.programEnded("failed", { phase: "crashed", where: null, error }, error);
    view.emit("crash", error);
    view.log("error", error.message, error);
    flush();
  }

  /** Forgets the program, which has ended: the next call starts another. */
  function forget(): void {
    program = starting = stored = undefined;
  }

  function updateListening(): void {
    program?.listen(listensToMessages());
  }

  function flush(): void {
    updateListening(); // that the last listener has left: with the next batch, so that a loop over once() misses nothing
    view.flush();
  }

  async function end(): Promise<void> {
    closed.abort(closedError());
    const ending = program;
    if (ending) {
      await limited({ timeoutMs: 5000 }, (signal) => ending.request("close", {}, signal)).catch(() => undefined);
      ending.end(closedError());
    } else {
      startCanceled.abort(closedError());
    }
    forget();
    view.programEnded("offline", { phase: "closed", where: null });
    view.close();
  }

  return {
    closed: closed.signal,
    running,
    connected() {
      if (program && starting) return starting;
      throw new PamError("offline", "Not connected: call connect() first. Nothing was sent.", { retryable: true });
    },
    started: () => starting,
    storedList: () => (stored ??= limited({}, () => {
      const loaded = running().then(rows.snapshot);
      return Promise.race([loaded, reading.then((shown) => (shown ? rows.snapshot() : loaded))]);
    }, closed.signal)),
    updateListening,
    close: () => (closing ??= end()),
  };
}
