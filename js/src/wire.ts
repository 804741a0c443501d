import type { CredentialRequest } from "./client-options.js";
import type { WireError } from "./errors.js";
import type { RawFrame } from "./inspector.js";
import type { Config } from "./options.js";
import type { Row, RowChange } from "./subscription-list.js";
import type { MessageEvent, SubscriptionDelta, SubscriptionList, SyncState } from "./types.js";

// What passes between the page, the host of the program (worker.ts) and the program (wasm).

/** From the host: how the program is, or an array of what it posted. */
export type FromHost =
  | { ready: { go: string; version: string } }
  | { text: string; heap: number; references: number }
  | { exit: string };

/** To the host: first the module, then requests. */
export type ToHost = { module: WebAssembly.Module } | { request: Request };
/** An operation or a notice, with its parameters as further members. The id 0 asks for no result. */
export interface Request { id: number; op: keyof Operations | keyof Notices }

/** What the program does when it is asked. wasm/operations.go has the table of the same name; a test compares the two. */
export interface Operations {
  create: { params: CreateParams; result: Created };
  /** Reads what is stored, and posts it as the event "list". */
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

/** What the program is told without a result, and takes in at once: the table "notices" of wasm/operations.go. */
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
  /** The account, spelled as the program spells it: there is one database for all spellings. */
  account: string;
  /** The name of the database, if there is one. */
  database?: string;
  /** Why nothing can be stored, although that was asked for. */
  why?: string;
}

export type Posted =
  | { id: number; ok: Operations[keyof Operations]["result"] }
  | { id: number; error: WireError }
  | ProgramEvent;

/** What the program posts by itself: see wasm/events.go. */
export type ProgramEvent = ViewEvent | CredentialEvent | { event: "stored" } | { event: "crash"; text?: string };

/** What changes what the page sees. */
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

/** A request for credentials, or its end: the program no longer waits for the answer. */
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
