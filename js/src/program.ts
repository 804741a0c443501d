import { credentialRequests } from "./credentials.js";
import { ownError, type PamError } from "./errors.js";
import { routeEvent } from "./event-router.js";
import type { Config } from "./options.js";
import { watchPage } from "./page-lifecycle.js";
import { startRuntime, type Runtime, type RuntimeHandlers } from "./runtime.js";
import { forgetDatabase, noteDatabase } from "./stored-database.js";
import { clearTab, leaveTab, takeTab } from "./tab.js";
import type { View } from "./view.js";
import type { Created, Operations, RawInterests, RawState } from "./wire.js";

/** A running program that has loaded the stored list. Its listeners and channels are released when it ends. */
export interface Program extends Pick<Runtime, "where" | "request"> {
  /** Requests the connection, and lets the next page in this tab resume the session. */
  connect(signal?: AbortSignal): Promise<RawState>;
  /** Requests that the stored data be deleted, and leaves no session for the next page in this tab. */
  forget(signal: AbortSignal): Promise<null>;
  /** Requests the state of the inbox and, from then on, its changes. Resolves when the view has the state. */
  openInbox(): Promise<null>;
  /** Informs the program whether the page has listeners for messages and for events of the inbox, if that has changed. */
  listen(messages: boolean, events: boolean): void;
  /** Ends the program immediately. Pending requests are rejected with `why`. */
  end(why: PamError): void;
}

/**
 * Requests an operation from the program, unless the signal is aborted by then. All operations wait for the same promise,
 * also when it is already fulfilled, so the program gets the requests in the order of the calls.
 */
export async function request<K extends keyof Operations>(
  from: Promise<Program>, op: K, params: Operations[K]["params"], signal: AbortSignal,
): Promise<Operations[K]["result"]> {
  const program = await from;
  signal.throwIfAborted();
  return program.request(op, params, signal);
}

export type ProgramHandlers = Pick<RuntimeHandlers, "flush" | "crashed" | "progress">;

/**
 * Starts the program and loads the stored list. The view shows its events. The program resumes the session of the
 * previous page, but never that of a program that crashed, because the server could replay the stanza that caused the
 * crash. `created` is called as soon as the program reports whether it can store anything. The signal ends the program
 * immediately.
 */
export async function startProgram(
  config: Config, interests: () => RawInterests, view: View, handlers: ProgramHandlers, created: (c: Created) => void,
  closed: AbortSignal,
): Promise<Program> {
  let stopWatching = (): void => undefined;
  let tab: string | undefined; // the session name that the page leaves to the next page in this tab
  let names: readonly string[] = [config.account];
  let database: string | undefined; // where the list is stored
  let listening = { messages: false, events: false }; // as sent to the program
  let loaded = false;
  let inbox: Promise<null> | undefined; // the request for the inbox

  function release(): void {
    stopWatching();
    credentials.dispose();
  }

  const credentials = credentialRequests(config, (answer) => runtime.send("credentials", answer));
  const runtime = await startRuntime(config, {
    flush: handlers.flush,
    progress: handlers.progress,
    measure: view.frames.measure,
    countTabs: (tabs) => view.setTabs({ sharing: "shared-worker", tabs }),
    handleEvent(e) {
      const stored = e.event === "changed" && e.stored;
      if (database && (stored || (e.event === "list" && e.source === "cache"))) noteDatabase(config.account, database);
      if (e.event === "credentials") credentials.handle(e);
      else routeEvent(view, e, loaded);
    },
    crashed(error, lost) {
      release();
      handlers.crashed(error, lost);
    },
  }, closed);

  try {
    const { session, mayResume } = runtime;
    const shared = session !== undefined;
    const taken = config.storage !== "indexeddb" ? undefined
      : shared ? { tab: session, ...(mayResume && { resume: session }) } : takeTab(config.account);
    tab = shared ? undefined : taken?.tab;
    stopWatching = watchPage({
      ...(config.wakeOnForeground && { wake: () => runtime.send("wake", {}) }),
      sleep: () => runtime.send("sleep", {}),
      leave: () => {
        if (tab !== undefined) leaveTab(config.account, tab);
      },
      show: () => clearTab(config.account),
      store: () => runtime.send("suspend", { freezes: !runtime.outlives }),
      restore: () => runtime.send("resume", {}),
      ...(shared && { look: (visible: boolean) => runtime.send("show", { visible }) }),
    });
    const { account, service: url, followTo, storage, directory, mechanisms, reconnect } = config;
    const made = await runtime.request("create", {
      account, url, followTo, storage, mechanisms, inspector: config.frames > 0, interests: interests(), ...reconnect,
      ...taken, ...(directory !== undefined && { directory }),
    });
    const mine = made.why === undefined && !shared ? taken?.tab : undefined; // without a store the program keeps no session
    tab = mine;
    names = [config.account, made.account];
    database = made.database;
    created(made);
    await runtime.request("load", {});
    loaded = true;
    return {
      where: runtime.where,
      request: runtime.request,
      connect(signal) {
        tab = mine;
        return runtime.request("connect", {}, signal);
      },
      async forget(signal) {
        tab = undefined;
        for (const name of names) clearTab(name);
        const forgotten = database;
        database = undefined; // not again until forget() has succeeded
        if (forgotten) forgetDatabase(forgotten);
        try {
          return await runtime.request("forget", {}, signal);
        } finally {
          database = forgotten;
        }
      },
      openInbox: () => (inbox ??= runtime.request("inbox", {})),
      listen(messages, events) {
        if (messages === listening.messages && events === listening.events) return;
        listening = { messages, events };
        runtime.send("listen", listening);
      },
      end(why) {
        release();
        runtime.stop(why);
      },
    };
  } catch (e) {
    release();
    const error = ownError(e);
    runtime.stop(error);
    throw error;
  }
}
