import type { CredentialRequest } from "./client-options.js";
import type { WireError } from "./errors.js";
import type { RawFrame } from "./inspector.js";
import type { CatchUpGap, CatchUpState, PubsubEvent, Seen, SeenScope } from "./inbox-types.js";
import type { Config } from "./options.js";
import type { FieldType } from "./pubsub-types.js";
import type { RowChange } from "./subscription-delta.js";
import type { Row } from "./subscription-list.js";
import type { MessageEvent, SubscriptionDelta, SubscriptionList, SyncState } from "./types.js";

// The messages between the page, the host of the program (worker.ts) and the program (wasm).

/**
 * From the host: the program has started, has posted a JSON array of `Posted`, or has ended. A host that pages share first
 * sends the id of its instance; `fresh` says that its last program crashed.
 */
export type FromHost =
  | { instance: string }
  | { ready: { go: string; version: string }; fresh: boolean }
  | { text: string; heap: number; references: number }
  | { loaded: number } // bytes of the module
  | { failed: WireError } // the module could not be loaded
  | { pong: true }
  | { tabs: number } // that use a shared program
  | { exit: string };

/** To the host: first the module, or for a shared host where it is and the name of the page's lock; then requests. */
export type ToHost =
  | { module: WebAssembly.Module }
  | { wasm: string; lock: string }
  | { request: Request }
  | { ack: number } // the length of a text that the page has handled
  | { ping: true };
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
  iq: { params: { to: string; type: string; xml: string }; result: string };
  send: { params: { to: string; type: string; xml: string }; result: null };
  parseURI: { params: { uri: string }; result: { service: string; node: string } };
  publish: { params: RawTarget & { item: string; xml: string }; result: string };
  retract: { params: RawTarget & { item: string }; result: null };
  items: { params: RawTarget & { subid: string; max: number; items: readonly string[] }; result: RawItem[] };
  createNode: { params: RawTarget & { form: RawFilled | null }; result: string };
  deleteNode: { params: RawTarget & { redirect: string }; result: null };
  nodes: { params: { service: string; max: number; after: string }; result: { nodes: RawNode[]; next?: string } };
  nodeInfo: { params: RawTarget; result: RawNode };
  getOptions: { params: RawTarget & { subid: string }; result: RawField[] };
  setOptions: { params: RawTarget & { subid: string; form: RawFilled }; result: null };
  /** Posts the state of the inbox as the event "inbox", and from then on its changes. */
  inbox: Plain;
  events: { params: RawQuery; result: RawEventPage };
  markSeen: { params: { ids: readonly string[]; upTo: string }; result: null };
  looked: Plain;
  /** Posts the state of the inbox too. */
  catchUp: Plain;
  cancelCatchUp: Plain;
  setInterests: { params: { interests: RawInterests }; result: null };
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
  listen: { messages: boolean; events: boolean };
  /** The page has ended without the operation close. */
  gone: NoParams;
  /** Whether the user looks at the page. */
  show: { visible: boolean };
  /**
   * Posts nothing more to the page. `freezes` says that the browser suspends the program with the last such page; the
   * program then drops its connection.
   */
  suspend: { freezes: boolean };
  /** Posts again, first everything that may have changed. */
  resume: NoParams;
}

interface RawTarget { service: string; node: string }

/** The fields of a filled form: name and values of each. */
export type RawFilled = readonly (readonly string[])[];
export interface RawField {
  name: string; type: FieldType; label?: string; description?: string; required: boolean;
  choices: [value: string, label: string][]; values: string[];
}

export interface RawItem {
  id?: string; publisher?: string; occurredAt: number | null; namespace?: string; xml?: string; entry?: RawEntry;
}
export interface RawEntry {
  id?: string; title?: string; summary?: string; content?: string; link?: string; image?: string; author?: string;
  published: number | null; updated: number | null;
}
export interface RawNode {
  service: string; node: string; title?: string; description?: string; kind?: string; payloadType?: string;
  accessModel?: string; created: number | null; subscribers: number;
}

export interface RawQuery { service: string; node: string; unseenOnly: boolean; before: string; limit: number }
export interface RawEventPage { events: RawEvent[]; cursor?: string }
export interface RawEvent {
  id: string; service: string; node: string; item?: string; type: PubsubEvent["type"]; redirect?: string; publisher?: string;
  at: number; source: PubsubEvent["timeSource"]; received: number; delivery: PubsubEvent["delivery"];
  seen: Seen["state"]; basis: Seen["basis"]; seenAt?: number;
  namespace?: string; omitted?: NonNullable<PubsubEvent["omitted"]>; xml?: string; entry?: RawEntry;
}
export type RawNodeCounts = readonly [service: string, node: string, unseen: number, dropped: number, newest: number | null];
/** `changes` is absent if it is as it was before. */
export interface RawAway { since: number; events: number; changes?: RowChange[] }
export interface RawCatchUp {
  phase?: CatchUpState["phase"]; since: number | null; nodes: number; nodesDone: number; received: number; elsewhere: number;
  completeness?: CatchUpState["completeness"]; error?: WireError;
  gaps: { service?: string; node?: string; from: number | null; to: number | null; reason: CatchUpGap["reason"] }[];
}
export interface RawInbox {
  nodes: RawNodeCounts[]; unseen: number; dropped: number; away: RawAway | null; catchUp: RawCatchUp;
}
export interface RawInboxChange {
  nodes: RawNodeCounts[]; removed: string[]; updated: string[]; unseen: number; dropped: number; reset: boolean;
}
/** Service, node, "*" if that is the beginning of the name, and payload of each; null: everything. */
export type RawInterests = readonly (readonly string[])[] | null;

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
  interests: RawInterests;
  /** Of storage "files". */
  directory?: string;
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
export type ProgramEvent = ViewEvent | CredentialEvent | { event: "crash"; text?: string };

/** The events that change the view. */
export type ViewEvent =
  | { event: "more"; changes: RowChange[] } // the first parts of a long list or change
  | { event: "list"; changes: RowChange[]; provisional: Row[]; ver?: string; source: SubscriptionList["source"] }
  | {
    event: "changed"; changes: RowChange[]; from?: string; to?: string;
    origin: SubscriptionDelta["origin"]; source: SubscriptionList["source"];
    stored: boolean; // by this program
  }
  | { event: "provisional"; rows: Row[] }
  | { event: "state"; state: RawState }
  | { event: "warning"; error: WireError; ignored?: number }
  | { event: "message"; from?: string; xml?: string; omitted?: NonNullable<MessageEvent["omitted"]> }
  | { event: "event"; added: RawEvent } // part of the next "events"
  | { event: "nodes"; nodes: RawNodeCounts[] } // the first parts of a long "events" or "inbox"
  | { event: "events" } & RawInboxChange
  | { event: "inbox" } & RawInbox
  | { event: "away"; away: RawAway | null }
  | { event: "scope"; scope: SeenScope }
  | { event: "catchup"; state: RawCatchUp }
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
