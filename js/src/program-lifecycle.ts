import { closedError, ownError, PamError } from "./errors.js";
import { limited } from "./limits.js";
import { info } from "./loader.js";
import type { Config } from "./options.js";
import { startProgram, type Program } from "./program.js";
import { readStoredList } from "./stored-list.js";
import type { SubscriptionList } from "./types.js";
import type { View } from "./view.js";

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
  /** Informs the program whether the page has a listener for messages. The program posts messages only if there is one. */
  updateListening(): void;
  close(): Promise<void>;
}

export function programLifecycle(config: Config, view: View, listensToMessages: () => boolean): ProgramLifecycle {
  const { rows, sync } = view;
  let starting: Promise<Program> | undefined; // set while the program starts or runs
  let program: Program | undefined; // set when it has loaded the stored list
  let stored: Promise<SubscriptionList> | undefined;
  let reading: Promise<boolean> = Promise.resolve(false); // what showStored returned
  let closing: Promise<void> | undefined;
  const closed = new AbortController();
  const startCanceled = new AbortController(); // aborted by close() while the program starts

  function running(): Promise<Program> {
    if (closing) return Promise.reject(closedError());
    if (starting) return starting;
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
    reading = showStored();
    view.setRuntime({ phase: "loading", where: null });
    sync.setPhase("loading");
    flush();
    return mine;
  }

  /** Reads the stored list and shows it, unless the program posts it first. Reports whether it showed the list. */
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
    const handlers = { flush, crashed };
    const started = await startProgram(config, view, handlers, ({ why }) => sync.setUnstored(why), startCanceled.signal);
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
    program?.listen(listensToMessages());
  }

  function flush(): void {
    updateListening(); // only here, not when the last listener is removed, so that a loop over once() misses no message
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
    dropProgram();
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
