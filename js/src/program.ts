import { credentialRequests } from "./credentials.js";
import { ownError, type PamError } from "./errors.js";
import { routeEvent } from "./event-router.js";
import type { Config } from "./options.js";
import { watchPage } from "./page-lifecycle.js";
import { startRuntime, type Runtime, type RuntimeHandlers } from "./runtime.js";
import { forgetDatabase, noteDatabase } from "./stored-list.js";
import { clearTab, leaveTab, takeTab } from "./tab.js";
import { openTabChannel, type TabChannel } from "./tab-channel.js";
import type { View } from "./view.js";
import type { Created, RawState } from "./wire.js";

/** A running program that has loaded the stored list. Its listeners and channels are released when it ends. */
export interface Program extends Pick<Runtime, "where" | "request"> {
  /** Requests the connection, and lets the next page in this tab resume the session. */
  connect(signal?: AbortSignal): Promise<RawState>;
  /** Requests that the stored data be deleted, and leaves no session for the next page in this tab. */
  forget(signal: AbortSignal): Promise<null>;
  /** Informs the program whether the page has listeners for messages, if that has changed. */
  listen(messages: boolean): void;
  /** Ends the program immediately. Pending requests are rejected with `why`. */
  end(why: PamError): void;
}

export type ProgramHandlers = Pick<RuntimeHandlers, "flush" | "crashed">;

/**
 * Starts the program and loads the stored list. The view shows its events. The program resumes the session of the
 * previous page, but never that of a program that crashed, because the server could replay the stanza that caused the
 * crash. `created` is called as soon as the program reports whether it can store anything. The signal ends the program
 * immediately.
 */
export async function startProgram(
  config: Config, view: View, handlers: ProgramHandlers, created: (c: Created) => void, closed: AbortSignal,
): Promise<Program> {
  let channel: TabChannel | undefined;
  let stopWatching = (): void => undefined;
  let tab: string | undefined; // the session name that the page leaves to the next page in this tab
  let names: readonly string[] = [config.account];
  let database: string | undefined; // where the list is stored
  let listening = false; // the last value that was sent to the program
  let loaded = false;

  function release(): void {
    stopWatching();
    channel?.close();
    channel = undefined;
    credentials.dispose();
  }

  const credentials = credentialRequests(config, (answer) => runtime.tell("credentials", answer));
  const runtime = await startRuntime(config, {
    flush: handlers.flush,
    measure: view.frames.measure,
    handleEvent(e) {
      const isStored = e.event === "stored" || (e.event === "list" && e.source === "cache");
      if (database && isStored) noteDatabase(config.account, database);
      if (e.event === "stored") channel?.announce();
      else if (e.event === "credentials") credentials.handle(e);
      else routeEvent(view, e, loaded);
    },
    crashed(error) {
      release();
      handlers.crashed(error);
    },
  }, closed);

  try {
    const taken = config.storage === "memory" ? undefined : takeTab(config.account);
    tab = taken?.tab;
    stopWatching = watchPage({
      ...(config.wakeOnForeground && { wake: () => runtime.tell("wake", {}) }),
      sleep: () => runtime.tell("sleep", {}),
      leave: () => {
        if (tab !== undefined) leaveTab(config.account, tab);
      },
      show: () => clearTab(config.account),
    });
    const { account, service: url, followTo, storage, mechanisms, reconnect } = config;
    const made = await runtime.request("create", {
      account, url, followTo, storage, mechanisms, inspector: config.frames > 0, ...reconnect, ...taken,
    });
    const mine = made.why === undefined ? taken?.tab : undefined; // without a store the program keeps no session
    tab = mine;
    names = [config.account, made.account];
    database = made.database;
    created(made);
    if (mine) channel = openTabChannel(made.account, () => runtime.tell("reload", {})); // before the first read
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
      listen(messages) {
        if (messages === listening) return;
        listening = messages;
        runtime.tell("listen", { messages });
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
