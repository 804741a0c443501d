import type { WireError } from "./errors.js";
import type { Row, RowChange } from "./list.js";
import type { RawFrame } from "./inspector.js";
import type { MessageEvent, SubscriptionDelta, SubscriptionList, SyncState } from "./types.js";

// What passes between the page and the host of the program (worker.ts), and
// what the program writes (wasm/events.go).

/** From the host: how the program is, or an array of what it posted. */
export type FromHost =
  | { ready: { go: string; version: string } }
  | { text: string; heap: number; references: number }
  | { exit: string };

/** To the host: first the module, then requests. */
export type ToHost = { module: WebAssembly.Module } | { request: Request };
export interface Request { id: number; op: string; [name: string]: unknown }

export type Posted =
  | { id: number; ok: unknown }
  | { id: number; error: WireError }
  | Happened;

export type Happened =
  | { event: "more"; changes: RowChange[] } // the first parts of a long list or change
  | { event: "list"; changes: RowChange[]; provisional: Row[]; ver?: string; source: SubscriptionList["source"] }
  | { event: "changed"; changes: RowChange[]; from?: string; to?: string; origin: SubscriptionDelta["origin"]; source: SubscriptionList["source"] }
  | { event: "provisional"; rows: Row[] }
  | { event: "state"; state: RawState }
  | { event: "warning"; error: WireError; ignored?: number }
  | { event: "message"; from?: string; xml?: string; omitted?: NonNullable<MessageEvent["omitted"]> }
  | { event: "stored" }
  | { event: "frame" } & RawFrame
  | { event: "credentials"; ask: number; over?: true; reason?: string; mechanisms?: string[] }
  | { event: "crash"; text?: string };

export interface RawExport {
  account: string; list: Row[]; ver?: string; lastFull: number | null; lastSynced: number | null;
  mechanism?: string; sessions: { jid: string; saved: number | null; waiting: string[] }[];
}

export interface RawState {
  phase: SyncState["phase"]; missing: SyncState["missing"][number][]; resumed: boolean; lastSynced: number | null;
  attempt: number; nextAttempt: number | null; pending: number; degraded: boolean; why?: string; error?: WireError;
}
