/// <reference lib="esnext.disposable" preserve="true" />
import type { PamError } from "./errors.js";

/** A JID as text, such as `alice@example.org`. */
export type Jid = string;
/** ISO-8601 instant in UTC. */
export type Stamp = string;

// Construction ---------------------------------------------------------------

export interface ClientOptions {
  /** Bare JID. XEP-0376 §3.2 makes the bare JID the subscriber, so a full JID is refused with code "bad-jid". */
  account: Jid;
  /** An object, or a function that is called at every log-in. */
  credentials: Credentials | ((request: CredentialRequest) => Credentials | Promise<Credentials>);
  /**
   * The server's WebSocket endpoint: `wss:`, or `ws:` on a loopback host. Without it, the endpoint is looked up in the host
   * metadata of the account's domain (XEP-0156): `https://<domain>/.well-known/host-meta.json`, then `…/host-meta`. Those
   * must allow the page's origin to read them (CORS), and the page's Content-Security-Policy must allow them.
   */
  service?: string | URL;
  /**
   * Hosts, besides that of the endpoint itself, to which the server may send the client on (RFC 7395 §3.6.1), such as
   * `node2.example.org`. It is followed at once, but at most three times in a row, and never from `wss:` to `ws:`. Where it
   * may not go is an error with code "stream".
   */
  followTo?: readonly string[];
  /**
   * Where the list is kept. Default "indexeddb", which falls back to memory and says so in `sync`. With it a page that is
   * loaded again goes on with its session, if the server can (XEP-0198): nothing is listed anew, and `sync` is `resumed`.
   */
  storage?: "indexeddb" | "memory";
  /**
   * Allowed SASL mechanisms. Default: all that are supported, but none weaker than the one of the last log-in on this
   * device; PLAIN is the last and never used over an open line.
   */
  mechanisms?: readonly string[];
  runtime?: RuntimeOptions;
  /** How to come back after a lost connection; false: never. */
  reconnect?: Partial<ReconnectPolicy> | false;
  /** Keeps the messages on the wire for `inspector`. Credentials are removed. Default false. */
  inspector?: InspectorOptions | boolean;
  logger?: (entry: LogEntry) => void;
}

export interface Credentials { readonly password: string }
export interface CredentialRequest {
  readonly reason: "initial" | "reconnect" | "rejected";
  /** SASL mechanisms that both sides know, strongest first. */
  readonly mechanisms: readonly string[];
  /** Aborted when the answer is no longer needed. */
  readonly signal: AbortSignal;
}

export interface RuntimeOptions {
  /** Default "worker" where `Worker` exists, else "main". */
  where?: "worker" | "main";
  /**
   * Where the WebAssembly module is. Default: `new URL("./pam.wasm", import.meta.url)`. It must be the one of this package,
   * byte for byte, else code "wasm-version". A `WebAssembly.Module` does not show its bytes: of one only the build is
   * compared that it says it is.
   */
  wasm?: WasmSource;
  /** The worker script `xmpp-pam/worker` at a URL of your own, or an instance that runs it. */
  worker?: string | URL | (() => Worker);
}
export type WasmSource =
  | string | URL | Response | Promise<Response>
  | ArrayBuffer | ArrayBufferView<ArrayBuffer> | WebAssembly.Module;

export interface ReconnectPolicy {
  /** Limit of the first delay in milliseconds. Default 500. It doubles with each attempt. */
  baseMs: number;
  /** Largest limit. Default 60,000. */
  maxMs: number;
  /** "full": a random delay below the limit. "none": the limit itself. Default "full". */
  jitter: "full" | "none";
  /** Attempts in a row. Default Infinity. */
  maxAttempts: number;
  /** Try at once when the network or the page comes back. Default true. */
  wakeOnForeground: boolean;
}

// Client ---------------------------------------------------------------------

export interface OpOptions {
  /** Ends the call with code "aborted". What was sent by then may still take effect. */
  signal?: AbortSignal;
  /** Ends the call with code "timeout". Default: no limit besides the client's own. */
  timeoutMs?: number;
}

/** One account on this device. Frozen, without private fields, and safe to hold in a reactive proxy. */
export interface PamClient extends AsyncDisposable {
  readonly account: Jid;

  /**
   * Connects and keeps connected, until `disconnect()`, `forget()` or `close()`. Resolves in phase "live". Rejects when the
   * first attempt fails; if the failure may heal (`retryable`) the client goes on trying, as `sync` shows. The signal and
   * the time limit end the wait alone, and the client goes on connecting. Rejects with code "aborted" if it is disconnected
   * meanwhile.
   */
  connect(options?: OpOptions): Promise<SyncState>;
  /**
   * Ends the session in order, and all attempts to have one. The client can be connected again. Calls take effect in
   * their order, also while the program starts: the last one of `connect()`, `disconnect()`, `connect()` wins.
   */
  disconnect(options?: OpOptions): Promise<void>;
  /**
   * Logs out for good: ends the session and deletes the database of the account with all that is stored. The client can be
   * used again and begins with nothing. Tabs that are not connected show nothing any more; those that are connected store
   * the list again: have them forget it too. If another page keeps the database open for 4 s, every record is deleted all
   * the same, and a warning with code "storage" says that the browser deletes the empty database when that page is closed.
   */
  forget(options?: OpOptions): Promise<void>;
  /** All that is stored for the account, as JSON, except for what would let another program take over a session. */
  export(options?: OpOptions): Promise<Blob>;
  /** Ends everything for good: the session, the program, the worker. Calls that wait reject with code "closed". */
  close(): Promise<void>;

  /**
   * Subscribes the account to a node. Resolves when the list shows it; its state may be "pending". Code "offline" if not
   * connected.
   */
  subscribe(target: Target, options?: OpOptions): Promise<Subscription>;
  /** Ends a subscription. Resolves when the list shows it no longer. One that does not exist is no error. */
  unsubscribe(target: Target | Subscription, options?: OpOptions): Promise<void>;

  readonly subscriptions: SubscriptionStore;
  readonly sync: ExternalStore<SyncState>;
  readonly runtime: ExternalStore<RuntimeState>;
  readonly inspector: Inspector;

  /** Calls `fn` with every event until the returned function is called or the signal is aborted. */
  on<K extends keyof PamEventMap>(
    type: K, fn: (event: PamEventMap[K]) => void, options?: { signal?: AbortSignal; once?: boolean },
  ): StopListening;
  /** The next event. */
  once<K extends keyof PamEventMap>(type: K, options?: OpOptions): Promise<PamEventMap[K]>;
  /**
   * Events from now on. At most `buffer` of them (default 1000) wait to be read; if more come, the iterator gives the
   * ones that wait and then throws code "overflow". It ends when the client is closed.
   */
  events<K extends keyof PamEventMap>(
    type: K, options?: { signal?: AbortSignal; buffer?: number },
  ): AsyncIterableIterator<PamEventMap[K]>;
}

/** Removes the listener that was added by the call which returned it. */
export type StopListening = () => void;

/**
 * A value that changes. Snapshots are frozen and stay the same object until something changes: made for React's
 * `useSyncExternalStore`, Svelte's `$store` and Solid's `from`.
 */
export interface ExternalStore<T> {
  readonly getSnapshot: () => T;
  readonly getServerSnapshot: () => T;
  /** Calls `onChange` with the value before it returns, and then with every other value. */
  readonly subscribe: (onChange: (value: T) => void) => StopListening;
}

// Subscriptions --------------------------------------------------------------

export interface Target {
  /** The pubsub service, or a person's bare JID for their own nodes (XEP-0163). */
  readonly service: Jid;
  readonly node: string;
  /** Only to end one of several subscriptions to the same node. */
  readonly subid?: string;
}

export interface Subscription {
  /** service, node and subid joined by U+0000: a key for lists and maps. */
  readonly key: string;
  readonly service: Jid;
  readonly node: string;
  /** The subscriber: the account. */
  readonly jid: Jid;
  readonly subid?: string;
  readonly state: "subscribed" | "pending" | "unconfigured" | (string & {});
  /** Set while a request of this device is under way. */
  readonly local?: "subscribing" | "unsubscribing";
  readonly kind: "pubsub" | "pep";
  readonly supported: boolean;
}

/** The list in key order, and what is known about it. */
export interface SubscriptionList extends ReadonlyArray<Subscription> {
  /** The server's name for this state of the list. */
  readonly ver: string | null;
  /** "cache": as stored by an earlier session. "server": equal to the server's list in this session. */
  readonly source: "empty" | "cache" | "server";
  /** When the list was last known to equal the server's. */
  readonly asOf: Stamp | null;
}

/** What changed in the committed list, which is already stored. */
export interface SubscriptionDelta {
  readonly added: readonly Subscription[];
  readonly removed: readonly Subscription[];
  readonly changed: readonly { readonly before: Subscription; readonly after: Subscription }[];
  /** "this-device": matches a request made here. PAM does not name the other device. "resync": found by comparing lists. */
  readonly origin: "this-device" | "other-device" | "resync";
  readonly fromVer: string | null;
  readonly toVer: string | null;
}

export interface SubscriptionStore extends ExternalStore<SubscriptionList> {
  /** Resolves with the stored list, without any server. Reading it starts the program. */
  readonly ready: Promise<SubscriptionList>;
  /** Finds a row by its `service` as the list spells it, mostly in lower case. Without subid: the first row of that node. */
  get(target: Target): Subscription | undefined;
  /** Asks the server for the list, and resolves with what differed. */
  refresh(options?: OpOptions & { ignoreVersion?: boolean }): Promise<SubscriptionDelta>;
}

// State ----------------------------------------------------------------------

export interface SyncState {
  readonly phase: "offline" | "loading" | "connecting" | "authenticating" | "syncing" | "live" | "waiting" | "failed";
  /** What the server lacks. Without "pam" the stored list stays readable; requests are refused with code "unsupported". */
  readonly missing: readonly ("pam" | "archive" | "stream-management" | "caps")[];
  /** Whether the session before goes on (XEP-0198). */
  readonly resumed: boolean;
  readonly lastSyncedAt: Date | null;
  /** Attempts to connect since `connect()`, or since the last connection that lasted a minute. */
  readonly attempt: number;
  /** When the next attempt starts, in phase "waiting". */
  readonly nextAttemptAt: Date | null;
  /** Requests under way. */
  readonly pendingWrites: number;
  /**
   * Where the list is. If storage failed it is "memory" until the page is closed, which fell back from what was asked for;
   * `why` says what happened.
   */
  readonly storage: {
    readonly kind: string; readonly persistent: boolean; readonly fellBackFrom?: string; readonly why?: string;
  };
  /** Why the phase is "waiting" or "failed". */
  readonly error?: PamError;
}

export interface RuntimeInfo {
  readonly version: string;
  readonly go: string;
  /** SHA-256 of `pam.wasm`, in hexadecimal digits. A program with another is not started. */
  readonly wasmSha256: string;
  /** Names the build in `pam.wasm` itself: the content of its custom section "xmpp-pam", in hexadecimal digits. */
  readonly build: string;
  readonly bytes: number;
}
export interface RuntimeState {
  readonly phase: "idle" | "loading" | "running" | "crashed" | "closed";
  readonly where: "worker" | "main" | null;
  readonly info?: RuntimeInfo;
  readonly error?: PamError;
}

/**
 * A message stanza that is no part of this library's work: a pubsub event, or a chat message that the server gave to this
 * session. Messages that arrive while there is no listener are not kept: add one before `connect()` to miss none.
 */
export interface MessageEvent {
  readonly from: Jid;
  /**
   * The stanza as it came, with its own prefixes: read it with a parser that knows namespaces, such as that of the browser,
   * and take no attribute with a prefix, such as `x:from`, for the stanza's own. Null if it is `omitted`.
   */
  readonly xml: string | null;
  /**
   * Why there is no text; an event `warning` tells it too. "too-long": it has more than 4 MiB. "unreadable": it holds an
   * element in the namespace of XML itself, such as `<xml:a/>`, which browsers refuse.
   */
  readonly omitted?: "too-long" | "unreadable";
}

export interface PamEventMap {
  subscriptions: SubscriptionDelta;
  sync: SyncState;
  message: MessageEvent;
  /** Something that was survived. */
  warning: PamError;
  /** The program ended by mistake. `connect()` starts a new one. */
  crash: PamError;
}

export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly at: Date;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}

// Errors ---------------------------------------------------------------------

export type PamErrorCode =
  | "aborted" | "timeout" | "closed" | "offline" | "overflow"
  | "bad-jid" | "bad-options" | "wasm-load" | "wasm-csp" | "wasm-mime" | "wasm-version" | "crashed"
  | "discovery" | "transport" | "too-large" | "tls-required" | "auth" | "weaker-login" | "conflict" | "stream"
  | "stanza" | "unsupported" | "storage" | "storage-lost" | "protocol" | "outcome-unknown";

export type PamErrorOrigin = "client" | "network" | "local-server" | "remote-service" | "storage" | "runtime";

// Inspector ------------------------------------------------------------------

export interface InspectorOptions {
  /** How many messages are kept, of 4 MiB of text together at most. Default 1000. */
  frames?: number;
}

/** One message on the wire. */
export interface WireFrame {
  readonly seq: number;
  readonly at: Date;
  readonly dir: "in" | "out";
  /**
   * The message, or its first 64 KiB if it is longer. Of the elements of a log-in only the names are shown; a message of the
   * server that cannot be read is not shown before the log-in.
   */
  readonly xml: string;
  /** Size of the message in UTF-8; of an element of a log-in, that of `xml`. */
  readonly bytes: number;
  /** Set if `xml` is not all of the message. */
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
   * Counters since the client was made. `ignored` counts messages that broke a rule, of which a warning tells at most once a
   * second; `liveReferences` counts JavaScript values that the program holds.
   */
  stats(): {
    readonly framesIn: number; readonly framesOut: number; readonly bytesIn: number; readonly bytesOut: number;
    readonly ignored: number; readonly goHeapBytes: number; readonly liveReferences: number;
  };
}
