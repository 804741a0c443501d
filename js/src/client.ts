import type { ClientOptions } from "./client-options.js";
import { emitter } from "./emitter.js";
import { PamError } from "./errors.js";
import { inboxMethods } from "./inbox-methods.js";
import { limited } from "./limits.js";
import { fields, readInterests, readOptions, readTarget, type Config, type Platform } from "./options.js";
import { programLifecycle } from "./program-lifecycle.js";
import { request, type Program } from "./program.js";
import { pubsubRequests } from "./pubsub.js";
import { difference } from "./subscription-delta.js";
import { emptyList } from "./subscription-list.js";
import type { OpOptions, PamClient } from "./types.js";
import { createView } from "./view.js";
import type { RawExport } from "./wire.js";

/** Makes a client. Nothing is loaded and nothing is sent until one of its methods is called. */
export function makeClient(options: ClientOptions, platform?: Platform): PamClient {
  const config = readOptions(options, platform);
  const events = emitter(() => lifecycle.updateListening());
  const view = createView(config, events);
  const lifecycle = programLifecycle(config, view, events.used);
  const { rows, sync } = view;
  const { running, connected, started, close } = lifecycle;

  const call = <T>(o: OpOptions | undefined, run: (signal: AbortSignal) => Promise<T>, ...more: string[]): Promise<T> =>
    limited(o, run, lifecycle.closed, more);

  const client: Omit<PamClient, typeof Symbol.asyncDispose> = {
    account: config.account,
    connect: (o) => call(o, async (signal) => {
      lifecycle.setWanted(true);
      const program = await running();
      // The client connects even if every caller has stopped waiting.
      return sync.read(await program.connect(signal.aborted ? undefined : signal));
    }),
    disconnect: (o) => call(o, async () => {
      lifecycle.setWanted(false);
      const starting = started();
      if (!starting) return;
      let program: Program;
      try {
        program = await starting;
      } catch {
        return; // it did not start
      }
      await program.request("disconnect", {});
    }),
    forget: (o) => call(o, async (signal) => {
      const program = await running();
      signal.throwIfAborted();
      await program.forget(signal);
      if (sync.unstored()) throw notForgotten(config);
    }),
    export: (o) => call(o, async (signal) => exported(await request(running(), "export", {}, signal))),
    close,
    subscribe: (target, o) => call(o, async (signal) => {
      const { service, node } = readTarget(target);
      return rows.row(await request(connected(), "subscribe", { service, node }, signal));
    }),
    unsubscribe: (target, o) => call(o, async (signal) => {
      await request(connected(), "unsubscribe", readTarget(target, true), signal);
    }),
    setInterests: (given, o) => call(o, async (signal) => {
      const interests = readInterests(given, "interests");
      lifecycle.setInterests(interests);
      view.rows.setInterests(interests);
      const starting = lifecycle.started();
      if (starting) await request(starting, "setInterests", { interests }, signal);
    }),
    ...pubsubRequests((op, params, o, ...more) => call(o, (signal) => request(connected(), op, params, signal), ...more)),
    subscriptions: Object.freeze({
      getSnapshot: rows.snapshot,
      getServerSnapshot: () => emptyList,
      subscribe: rows.subscribe,
      get ready() {
        return lifecycle.storedList();
      },
      get(target) {
        const { service, node, subid } = readTarget(target, true);
        return rows.get(service, node, subid);
      },
      refresh: (o) => call(o, async (signal) => {
        const known = ["signal", "timeoutMs", "ignoreVersion"];
        const ignoreVersion = fields(o ?? {}, "options", known).ignoreVersion === true;
        const before = rows.snapshot();
        await request(connected(), "refresh", { ignoreVersion }, signal);
        return difference(before, rows.snapshot());
      }, "ignoreVersion"),
    } satisfies PamClient["subscriptions"]),
    inbox: inboxMethods(view.inbox, lifecycle, call),
    sync: sync.store,
    runtime: view.runtime,
    tabs: view.tabs,
    inspector: view.frames.inspector,
    on: events.on,
    once: events.once,
    events: events.events,
  };
  return Object.freeze(disposable(client, close));
}

/** Adds the method for `await using`, if the browser has its symbol. Tools that show the client do not list it. */
function disposable<T extends object>(client: T, close: () => Promise<void>): T & AsyncDisposable {
  const name: typeof Symbol.asyncDispose | undefined = Symbol.asyncDispose;
  if (typeof name === "symbol") Object.defineProperty(client, name, { value: close });
  return client as T & AsyncDisposable;
}

const notForgotten = ({ storage, directory }: Config): PamError => new PamError("storage", storage === "files"
  ? `The account's files could not be deleted, because they cannot be used. To delete them, delete ${directory}.`
  : "The account's data in IndexedDB could not be deleted, because the database cannot be opened. To delete it, clear the "
    + "site data in the browser.", { origin: "storage" });

/** Formats the stored data as a JSON file for the user. */
function exported({ account, list, ver, lastFull, lastSynced, mechanism, sessions }: RawExport): Blob {
  const when = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString());
  const data = {
    account,
    ver: ver ?? null,
    lastSyncedAt: when(lastSynced),
    lastFullListAt: when(lastFull),
    lastLogin: mechanism ?? null,
    subscriptions: list.map(([service, node, subid, jid, state]) =>
      ({ service, node, ...(subid !== "" && { subid }), jid, state })),
    sessions: sessions.map(({ jid, saved, waiting }) => ({ jid, savedAt: when(saved), unacknowledged: waiting })),
  };
  return new Blob([JSON.stringify(data, null, 2)], { type: "application/json" });
}
