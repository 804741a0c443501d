/// <reference lib="esnext.disposable" preserve="true" />
import type { PamError } from "./errors.js";
import type { CatchUpState, Inbox, InboxChange, Interest, PubsubEvent } from "./inbox-types.js";
import type { PubsubRequests } from "./pubsub-types.js";

/** A JID as text, such as `alice@example.org`. */
export type Jid = string;
/** An instant in UTC, in ISO 8601 format. */
export type Stamp = string;

// Client ---------------------------------------------------------------------

export interface OpOptions {
  /** Ends the call with code "aborted". A request that was already sent may still take effect. */
  signal?: AbortSignal;
  /** Ends the call with code "timeout". Default: only the client's own limits apply. */
  timeoutMs?: number;
}

/** One account on this device. Frozen, without private fields, and safe to hold in a reactive proxy. */
export interface PamClient extends PubsubRequests, AsyncDisposable {
  readonly account: Jid;

  /**
   * Connects, and stays connected until `disconnect()`, `forget()` or `close()` is called. Resolves in phase "live". Rejects
   * when the first attempt fails; if that error is `retryable`, the client keeps trying to connect, as `sync` shows. The
   * signal and the time limit end only this wait; the client continues to connect. Rejects with code "aborted" if
   * `disconnect()` or `forget()` is called meanwhile.
   */
  connect(options?: OpOptions): Promise<SyncState>;
  /**
   * Closes the session, and stops all attempts to connect. The client can connect again later. Calls take effect in the
   * order in which they are made, also while the program starts: after `connect()`, `disconnect()`, `connect()` the client
   * connects.
   */
  disconnect(options?: OpOptions): Promise<void>;
  /**
   * Logs out permanently: ends the session, and deletes the account's database with everything stored in it. The client can
   * be used again, and then starts with an empty list. Other tabs of the account that are not connected then show an empty
   * list. Tabs that are connected store the list again, so call `forget()` in them too. If another page keeps the database
   * open for 4 s, the client still deletes every record, and a warning with code "storage" reports that the browser will
   * delete the empty database when that page is closed.
   */
  forget(options?: OpOptions): Promise<void>;
  /** Returns all data stored for the account, as JSON, except data that would let another program take over a session. */
  export(options?: OpOptions): Promise<Blob>;
  /** Closes the client permanently: ends the session, the program and the worker. Pending calls reject with "closed". */
  close(): Promise<void>;

  /**
   * Subscribes the account to a node. Resolves when the list contains the subscription; its state may be "pending". Rejects
   * with code "offline" if the client is not connected.
   */
  subscribe(target: Target, options?: OpOptions): Promise<Subscription>;
  /**
   * Ends a subscription. Resolves when the list no longer contains it. Ending a subscription that does not exist is not an
   * error.
   */
  unsubscribe(target: Target | Subscription, options?: OpOptions): Promise<void>;

  /**
   * Sets which events this device can show; null: all. The others are neither kept nor counted. If more is wanted than
   * before, the client fetches what it has left out. All subscriptions stay in the list; their `supported` changes.
   */
  setInterests(interests: readonly Interest[] | null, options?: OpOptions): Promise<void>;

  readonly subscriptions: SubscriptionStore;
  readonly inbox: Inbox;
  readonly sync: ExternalStore<SyncState>;
  readonly runtime: ExternalStore<RuntimeState>;
  readonly tabs: ExternalStore<TabState>;
  readonly inspector: Inspector;

  /** Calls `fn` with every event until the returned function is called or the signal is aborted. */
  on<K extends keyof PamEventMap>(
    type: K, fn: (event: PamEventMap[K]) => void, options?: { signal?: AbortSignal; once?: boolean },
  ): StopListening;
  /** Resolves with the next event. */
  once<K extends keyof PamEventMap>(type: K, options?: OpOptions): Promise<PamEventMap[K]>;
  /**
   * Iterates over the events that occur after this call. The iterator buffers at most `buffer` events (default 1000). If
   * more occur before they are read, it returns the buffered events and then throws code "overflow". It ends when the client
   * is closed.
   */
  events<K extends keyof PamEventMap>(
    type: K, options?: { signal?: AbortSignal; buffer?: number },
  ): AsyncIterableIterator<PamEventMap[K]>;
}

/** Removes the listener that was added by the call that returned this function. */
export type StopListening = () => void;

/**
 * A value that changes. Snapshots are frozen, and `getSnapshot` returns the same object until the value changes. The store
 * works with React's `useSyncExternalStore`, Svelte's `$store` and Solid's `from`.
 */
export interface ExternalStore<T> {
  readonly getSnapshot: () => T;
  readonly getServerSnapshot: () => T;
  /** Calls `onChange` with the current value before it returns, and again whenever the value has changed. */
  readonly subscribe: (onChange: (value: T) => void) => StopListening;
}

// Subscriptions --------------------------------------------------------------

export interface Target {
  /** The pubsub service, or an account's bare JID for its own nodes (XEP-0163). */
  readonly service: Jid;
  readonly node: string;
  /** Needed only to end one of several subscriptions to the same node. */
  readonly subid?: string;
}

export interface Subscription {
  /** `service`, `node` and `subid` joined by U+0000: a unique key for lists and maps. */
  readonly key: string;
  readonly service: Jid;
  readonly node: string;
  /** The subscriber: the account. */
  readonly jid: Jid;
  readonly subid?: string;
  readonly state: "subscribed" | "pending" | "unconfigured" | (string & {});
  /** Set while a request from this device is pending. */
  readonly local?: "subscribing" | "unsubscribing";
  readonly kind: "pubsub" | "pep";
  /** Whether the interests of this device may select events of the node. The row is listed and kept in any case. */
  readonly supported: boolean;
}

/** The subscriptions in key order, with the version of the list and where it comes from. */
export interface SubscriptionList extends ReadonlyArray<Subscription> {
  /** The server's version token for this state of the list. */
  readonly ver: string | null;
  /**
   * "unread": the client has not read the stored list yet. "empty": it has read the store, which contains no list. "cache":
   * stored by an earlier session. "server": equal to the server's list in this session.
   */
  readonly source: "unread" | "empty" | "cache" | "server";
  /** When the list was last known to equal the server's. */
  readonly asOf: Stamp | null;
}

/** A change of the committed list. The client has already stored the new list. */
export interface SubscriptionDelta {
  readonly added: readonly Subscription[];
  readonly removed: readonly Subscription[];
  readonly changed: readonly { readonly before: Subscription; readonly after: Subscription }[];
  /**
   * "this-device": the change matches a request of this device. "other-device": it does not; PAM does not identify the other
   * device. "resync": the client found the change by comparing lists.
   */
  readonly origin: "this-device" | "other-device" | "resync";
  readonly fromVer: string | null;
  readonly toVer: string | null;
}

export interface SubscriptionStore extends ExternalStore<SubscriptionList> {
  /**
   * Resolves with the stored list, without contacting a server, as soon as `getSnapshot()` returns it. Usually this is
   * before the program runs, because the page reads the stored list itself. Reading this property starts the program.
   */
  readonly ready: Promise<SubscriptionList>;
  /**
   * Returns the subscription to a node. `service` must be spelled as in the list, which is usually lower case. Without
   * `subid`, the first subscription to that node is returned.
   */
  get(target: Target): Subscription | undefined;
  /** Requests the list from the server, and resolves with the differences. */
  refresh(options?: OpOptions & { ignoreVersion?: boolean }): Promise<SubscriptionDelta>;
}

// State ----------------------------------------------------------------------

export interface SyncState {
  readonly phase: "offline" | "loading" | "connecting" | "authenticating" | "syncing" | "live" | "waiting" | "failed";
  /** Features that the server lacks. With "pam" in it, the stored list stays readable; requests fail with "unsupported". */
  readonly missing: readonly ("pam" | "archive" | "stream-management" | "caps")[];
  /** Whether the client has resumed the previous session (XEP-0198). */
  readonly resumed: boolean;
  readonly lastSyncedAt: Date | null;
  /** Number of attempts to connect since `connect()`, or since the last connection that lasted a minute. */
  readonly attempt: number;
  /** When the next attempt starts, in phase "waiting". */
  readonly nextAttemptAt: Date | null;
  /** Number of pending requests. */
  readonly pendingWrites: number;
  /**
   * Where the list is stored. After a storage failure, `kind` is "memory" until the page is closed, `fellBackFrom` is the
   * storage that was requested, and `why` describes the failure.
   */
  readonly storage: {
    readonly kind: string; readonly persistent: boolean; readonly fellBackFrom?: string; readonly why?: string;
  };
  /** The reason for phase "waiting" or "failed". */
  readonly error?: PamError;
}

export interface RuntimeInfo {
  readonly version: string;
  readonly go: string;
  /** SHA-256 of `pam.wasm`, in hexadecimal digits. A program with another digest is not started. */
  readonly wasmSha256: string;
  /** Identifies the build: the content of the custom section "xmpp-pam" of `pam.wasm`, in hexadecimal digits. */
  readonly build: string;
  readonly bytes: number;
}
/** How this page runs its program. `tabs` counts the pages that use it, also hidden ones; 0 while no program runs. */
export interface TabState {
  readonly sharing: "shared-worker" | "independent";
  readonly tabs: number;
}
export interface RuntimeState {
  readonly phase: "idle" | "loading" | "running" | "crashed" | "closed";
  readonly where: "shared-worker" | "worker" | "main" | null;
  /** While the program is fetched: how many of its bytes have arrived, and how many it has, uncompressed. */
  readonly loaded?: number;
  readonly total?: number;
  readonly info?: RuntimeInfo;
  readonly error?: PamError;
}

/**
 * A message stanza that this library does not process itself: a pubsub event, or a chat message that the server delivered to
 * this session. The client discards messages that arrive while there is no listener; add one before `connect()` to receive
 * all of them.
 */
export interface MessageEvent {
  readonly from: Jid;
  /**
   * The stanza as received, with its own prefixes. Read it with a parser that supports namespaces, such as that of the
   * browser, and do not take an attribute with a prefix, such as `x:from`, for the stanza's own. Null if `omitted` is set.
   */
  readonly xml: string | null;
  /**
   * Why `xml` is null; an event `warning` reports it too. "too-long": the stanza is longer than 4 MiB. "unreadable": it
   * contains an element in the namespace of XML itself, such as `<xml:a/>`, which browsers do not parse.
   */
  readonly omitted?: "too-long" | "unreadable";
}

export interface PamEventMap {
  subscriptions: SubscriptionDelta;
  sync: SyncState;
  message: MessageEvent;
  /** A new event in the inbox. */
  event: PubsubEvent;
  /** The inbox has changed. The client has already stored the change. */
  events: InboxChange;
  catchup: CatchUpState;
  /** A problem after which the client keeps working. */
  warning: PamError;
  /** The program ended because of an internal error. `connect()` starts a new one. */
  crash: PamError;
}

// Errors ---------------------------------------------------------------------

export type PamErrorCode =
  | "aborted" | "timeout" | "closed" | "offline" | "overflow"
  | "bad-jid" | "bad-options" | "wasm-load" | "wasm-csp" | "wasm-mime" | "wasm-version" | "crashed"
  | "discovery" | "transport" | "too-large" | "tls-required" | "auth" | "weaker-login" | "conflict" | "stream"
  | "stanza" | "unsupported" | "storage" | "storage-lost" | "protocol" | "outcome-unknown";

export type PamErrorOrigin = "client" | "network" | "local-server" | "remote-service" | "storage" | "runtime";

// Inspector ------------------------------------------------------------------

/** One message on the wire. */
export interface WireFrame {
  readonly seq: number;
  readonly at: Date;
  readonly dir: "in" | "out";
  /**
   * The message, or its first 64 KiB if it is longer. Of SASL elements only the names are shown. Before authentication, a
   * message from the server that cannot be parsed is not shown.
   */
  readonly xml: string;
  /** Size of the message in UTF-8; for a SASL element, the size of `xml`. */
  readonly bytes: number;
  /** Set if `xml` is only the beginning of the message. */
  readonly cut?: true;
  readonly kind: "stream" | "sasl" | "sm" | "iq" | "message" | "presence";
  readonly layer?: "pam" | "pubsub" | "mam" | "disco" | "caps";
  readonly id?: string;
  /** `seq` of the request that this answers. */
  readonly replyTo?: number;
  readonly rttMs?: number;
}

export interface Inspector extends ExternalStore<readonly WireFrame[]> {
  readonly enabled: boolean;
  clear(): void;
  export(format?: "ndjson" | "xml"): Blob;
  /**
   * Counters since the client was created. `ignored` counts messages that the client ignored because they violate the
   * protocol; warnings report them at most once a second. `liveReferences` counts JavaScript values that the program
   * references.
   */
  stats(): {
    readonly framesIn: number; readonly framesOut: number; readonly bytesIn: number; readonly bytesOut: number;
    readonly ignored: number; readonly goHeapBytes: number; readonly liveReferences: number;
  };
}
