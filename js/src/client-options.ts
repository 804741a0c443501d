import type { Codec, Interest } from "./inbox-types.js";
import type { Jid } from "./types.js";

export interface ClientOptions {
  /** Bare JID. XEP-0376 §3.2 makes the bare JID the subscriber, so a full JID is rejected with code "bad-jid". */
  account: Jid;
  /** The password in an object, or a function that the client calls for every authentication. */
  credentials: Credentials | ((request: CredentialRequest) => Credentials | Promise<Credentials>);
  /**
   * The server's WebSocket endpoint: `wss:`, or `ws:` on a loopback host. Without it, the client looks up the endpoint in
   * the host metadata of the account's domain (XEP-0156): `https://<domain>/.well-known/host-meta.json`, then
   * `…/host-meta`. The domain must allow the page's origin to read these documents (CORS), and the page's
   * Content-Security-Policy must allow the requests.
   */
  service?: string | URL;
  /**
   * Hosts, besides that of the endpoint itself, to which the server may redirect the client (RFC 7395 §3.6.1), such as
   * `node2.example.org`. The client follows a redirect immediately, at most three times in a row, and never from `wss:` to
   * `ws:`. A redirect that is not allowed is an error with code "stream".
   */
  followTo?: readonly string[];
  /**
   * Where the client stores the list. Default "indexeddb"; if that is not available, the client uses memory, as `sync`
   * shows. With "indexeddb", a reloaded page resumes its session if the server supports resumption (XEP-0198): the client
   * does not request the list again, and `sync` has `resumed` set.
   */
  storage?: "indexeddb" | "memory";
  /**
   * Whether all tabs of this origin that use the account share one program, one connection and one session, in a
   * SharedWorker, or each has its own. Default "shared", where the browser has SharedWorker and Web Locks. The first tab
   * then determines `service`, `followTo`, `storage`, `mechanisms` and `reconnect`. A tab with other values gets a program
   * of its own and a warning, as does one that gives `runtime.worker`, or `runtime.wasm` as something else than a URL.
   */
  tabs?: "shared" | "independent";
  /**
   * Allowed SASL mechanisms. Default: all supported mechanisms except those weaker than the one of the last login on this
   * device. PLAIN is the last choice, and the client never uses it on an unencrypted connection.
   */
  mechanisms?: readonly string[];
  /** Which events this device can show. Default: all. `setInterests()` changes it. */
  interests?: readonly Interest[];
  /**
   * Functions that decode the XML text of payloads, by the namespace of the payload. The client has decoded Atom entries
   * already.
   */
  codecs?: Readonly<Record<string, Codec>>;
  runtime?: RuntimeOptions;
  /** How the client reconnects after it has lost the connection; false: it does not reconnect. */
  reconnect?: Partial<ReconnectPolicy> | false;
  /** Whether `inspector` keeps the messages on the wire. Credentials are removed from them. Default false. */
  inspector?: InspectorOptions | boolean;
  logger?: (entry: LogEntry) => void;
}

export interface Credentials { readonly password: string }
export interface CredentialRequest {
  readonly reason: "initial" | "reconnect" | "rejected";
  /** SASL mechanisms that both sides support, strongest first. */
  readonly mechanisms: readonly string[];
  /** Aborted when the client no longer needs the credentials. */
  readonly signal: AbortSignal;
}

export interface RuntimeOptions {
  /**
   * "worker": a Worker of this page. "main": the page's own thread. Default: the SharedWorker of all tabs, see `tabs`; else
   * "worker" where `Worker` exists, else "main".
   */
  where?: "worker" | "main";
  /**
   * The WebAssembly module, or where it is. Default: `new URL("./pam.wasm", import.meta.url)`. It must be byte for byte the
   * module of this package; another one is rejected with code "wasm-version". The bytes of a `WebAssembly.Module` cannot be
   * read, so only the build that it declares is compared.
   */
  wasm?: WasmSource;
  /** The worker script `xmpp-pam/worker` at a URL of your own, or an instance that runs it. */
  worker?: string | URL | (() => Worker);
}
export type WasmSource =
  | string | URL | Response | Promise<Response>
  | ArrayBuffer | ArrayBufferView<ArrayBuffer> | WebAssembly.Module;

export interface ReconnectPolicy {
  /** Upper bound of the first delay, in milliseconds. Default 500. The bound doubles with each attempt. */
  baseMs: number;
  /** The largest value of that bound, in milliseconds. Default 60,000. */
  maxMs: number;
  /** "full": the delay is random, below the bound. "none": the delay is the bound. Default "full". */
  jitter: "full" | "none";
  /** Maximum number of consecutive attempts. Default Infinity. */
  maxAttempts: number;
  /** Whether to try immediately when the network or the page becomes available again. Default true. */
  wakeOnForeground: boolean;
}

export interface InspectorOptions {
  /** How many messages the inspector keeps, with at most 4 MiB of text in total. Default 1000. */
  frames?: number;
}

export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly at: Date;
  readonly message: string;
  readonly fields?: Readonly<Record<string, unknown>>;
}
