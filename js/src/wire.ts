import type { CredentialRequest } from "./client-options.js";
import type { WireError } from "./errors.js";
import type { RawFrame } from "./inspector.js";
import type { Config } from "./options.js";
import type { Row, RowChange } from "./subscription-list.js";
import type { MessageEvent, SubscriptionDelta, SubscriptionList, SyncState } from "./types.js";

// The messages between the page, the host of the program (worker.ts) and the program (wasm).

/** From the host: the program has started, has posted a JSON array of `Posted`, or has ended. */
export type FromHost =
  | { ready: { go: string; version: string } }
  | { text: string; heap: number; references: number }
  | { exit: string };

/** To the host: first the module, then requests. */
export type ToHost = { module: WebAssembly.Module } | { request: Request };
/** An operation or a notice, with its parameters as further members. Id 0: the program posts no result. */
export interface Request { id: number; op: keyof Operations | keyof Notices }

/** The operations that the page can request. wasm/operations.go has the same table for Go; a test compares the two. */
export interface Operations {
  create: { params: CreateParams; result: Created };
  /** Reads the stored list, and posts it as the event "list". */
  load: Plain;
  connect: { params: NoParams; result: RawState };
  subscribe: { params: { service: string; node: string }; result: Row };
  unsubscribe: { params: { service: string; node: string; subid: string }; result: null };
  refresh: { params: { ignoreVersion: boolean }; result: null };
  export: { params: NoParams; result: RawExport };
  disconnect: Plain;
  forget: Plain;
  close: Plain;
  reload: Plain;
  sleep: Plain;
  wake: Plain;
}

/** The requests without a result, which take effect immediately: the table "notices" of wasm/operations.go. */
export interface Notices {
  cancel: { target: number };
  credentials: { ask: number; password: string } | { ask: number; failed: string; wrong: boolean };
  listen: { messages: boolean };
}

export type NoParams = Record<string, never>;
interface Plain { params: NoParams; result: null }

export interface CreateParams {
  account: string;
  url: string | undefined;
  followTo: readonly string[] | undefined;
  mechanisms: readonly string[] | undefined;
  storage: Config["storage"];
  inspector: boolean;
  baseMs: number;
  maxMs: number;
  noJitter: boolean;
  maxAttempts: number;
  reconnectOff: boolean;
  tab?: string;
  resume?: string;
}

export interface Created {
  /** The account in normalised form (RFC 7622). All spellings of an account share one database. */
  account: string;
  /** The name of the database, if there is one. */
  database?: string;
  /** Why the program stores nothing although `storage` requests it. */
  why?: string;
}

export type Posted =
  | { id: number; ok: Operations[keyof Operations]["result"] }
  | { id: number; error: WireError }
  | ProgramEvent;

/** The events that the program posts, see wasm/events.go. */
export type ProgramEvent = ViewEvent | CredentialEvent | { event: "stored" } | { event: "crash"; text?: string };

/** The events that change the view. */
export type ViewEvent =
  | { event: "more"; changes: RowChange[] } // the first parts of a long list or change
  | { event: "list"; changes: RowChange[]; provisional: Row[]; ver?: string; source: SubscriptionList["source"] }
  | {
    event: "changed"; changes: RowChange[]; from?: string; to?: string;
    origin: SubscriptionDelta["origin"]; source: SubscriptionList["source"];
  }
  | { event: "provisional"; rows: Row[] }
  | { event: "state"; state: RawState }
  | { event: "warning"; error: WireError; ignored?: number }
  | { event: "message"; from?: string; xml?: string; omitted?: NonNullable<MessageEvent["omitted"]> }
  | { event: "frame" } & RawFrame;

/** A request for credentials, or its cancellation: the program no longer waits for the answer. */
export type CredentialEvent =
  | { event: "credentials"; ask: number; reason: CredentialRequest["reason"]; mechanisms: string[] }
  | { event: "credentials"; ask: number; canceled: true };

export interface RawExport {
  account: string; list: Row[]; ver?: string; lastFull: number | null; lastSynced: number | null;
  mechanism?: string; sessions: { jid: string; saved: number | null; waiting: string[] }[];
}

export interface RawState {
  phase: SyncState["phase"]; missing: SyncState["missing"][number][]; resumed: boolean; lastSynced: number | null;
  attempt: number; nextAttempt: number | null; pending: number; degraded: boolean; why?: string; error?: WireError;
}
