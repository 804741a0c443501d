import type { PamError } from "./errors.js";
import type { AtomEntry } from "./pubsub-types.js";
import type { ExternalStore, Jid, OpOptions, SubscriptionDelta } from "./types.js";

// The inbox: what was published at the nodes that the account follows.

/**
 * Something that a service or a contact published, or a change of a node. Frozen. `P` is the type of what the codec of
 * the payload's namespace returns.
 */
export interface PubsubEvent<P = unknown> {
  /** Identifies the event on this device. An item that was published again with another payload is another event. */
  readonly id: string;
  readonly service: Jid;
  readonly node: string;
  /** Absent if the event concerns the whole node. */
  readonly itemId?: string;
  readonly type: "published" | "retracted" | "purged" | "deleted" | "configured";
  /** The XMPP URI of the node that replaces a deleted one. */
  readonly redirect?: string;
  /** As the service reports it. */
  readonly publisher?: Jid;
  /** When it happened, as far as `timeSource` knows it. */
  readonly occurredAt: Date;
  /**
   * "delay" and "archive": the server says it. "payload": the payload does. "local-clock": nothing does; it is when the
   * event arrived.
   */
  readonly timeSource: "delay" | "archive" | "payload" | "local-clock";
  /** When it arrived, by this device's clock. */
  readonly receivedAt: Date;
  /** "resumed": it was sent again when the session was resumed. "catch-up": the client fetched it after an absence. */
  readonly delivery: "live" | "resumed" | "catch-up";
  readonly seen: Seen;
  /** The namespace of the payload. */
  readonly namespace?: string;
  /** The payload, if it is an Atom entry. */
  readonly entry: AtomEntry | null;
  /**
   * The payload, decoded by the codec of its namespace (`options.codecs`), or else `entry`. The codec runs when this
   * property is read for the first time; if it throws, the payload is null, and an event `warning` reports it.
   */
  readonly payload: P | null;
  /** The payload as XML text. Null if there is none, or if `omitted` is set. */
  readonly xml: string | null;
  /** Why `xml` is null: it is too long, or cannot be read. */
  readonly omitted?: "too-long" | "unreadable";
}

/** Whether the user has probably seen an event, and why that is assumed. */
export interface Seen {
  readonly state: "unseen" | "seen-here" | "likely-seen-elsewhere" | "unknown";
  readonly basis: "this-device" | "displayed-sync" | "live-elsewhere" | "none";
  /** When it was seen, if that is known. */
  readonly at?: Date;
}

export interface InboxState {
  /**
   * "unread": the client has not read the store yet. "cache": all that is stored on this device. "server": also what the
   * client has found at the servers in this run (see `catchUp`).
   */
  readonly source: "unread" | "cache" | "server";
  /** The number of unseen events. */
  readonly unseen: number;
  /** The number of events that were removed because there were too many. */
  readonly dropped: number;
  /** The nodes that ever had an event, by service and node. */
  readonly nodes: readonly NodeCounts[];
  /** What has happened since `looked()` was called last. Null if it never was. */
  readonly away: Away | null;
  readonly catchUp: CatchUpState;
  readonly seenScope: SeenScope;
}

/**
 * Where events count as seen that this device has marked: on all devices of the account that use this library, or on this
 * device only, because the account's server cannot keep private items. "unknown" until the server was asked.
 */
export type SeenScope = "unknown" | "account" | "this-device";

export interface NodeCounts {
  readonly service: Jid;
  readonly node: string;
  readonly unseen: number;
  readonly dropped: number;
  /** When the newest event happened. */
  readonly newest: Date | null;
}

export interface Away {
  readonly since: Date;
  /** The changes of the list of subscriptions, with the origin "resync". At most 2000. */
  readonly subscriptions: SubscriptionDelta;
  /** The number of new events. */
  readonly events: number;
}

/** The progress of the client in finding what was published while it was not connected. */
export interface CatchUpState {
  readonly phase: "idle" | "running" | "done" | "failed" | "unsupported";
  /** The end of the session before, if there was one. */
  readonly since: Date | null;
  /** The number of nodes, and how many of them are done, for a progress bar. */
  readonly nodes: number;
  readonly nodesDone: number;
  /** The number of new events. */
  readonly received: number;
  /** How many of them were probably seen on another device. */
  readonly likelySeenElsewhere: number;
  /** "complete" only if the servers say so; "partial" if there are gaps. */
  readonly completeness: "complete" | "partial" | "unknown";
  readonly gaps: readonly CatchUpGap[];
  readonly error?: PamError;
}

/** A time for which events of a node, or of all nodes of a service, may be missing. */
export interface CatchUpGap {
  readonly service: Jid;
  readonly node?: string;
  readonly from: Date;
  readonly to: Date;
  readonly reason:
    | "not-archived" | "archive-truncated" | "node-keeps-fewer" | "deletions-unknown" | "forbidden" | "error";
}

/** A change of the inbox, which is stored. */
export interface InboxChange {
  /** New events, in order of arrival. */
  readonly added: readonly PubsubEvent[];
  /** The ids of events that are no longer in the inbox. */
  readonly removed: readonly string[];
  /** The ids of events of which the time, payload or `seen` has changed. */
  readonly updated: readonly string[];
  /** Anything may have changed, for example because another tab has changed the inbox. */
  readonly reset: boolean;
}

/** Selects events. All fields are optional. */
export interface EventQuery {
  /** A node, or a service if there is no `node`. */
  readonly target?: { readonly service: Jid; readonly node?: string };
  readonly unseenOnly?: boolean;
  /** The cursor of an earlier page. */
  readonly before?: string;
  /** Default 50, at most 500. */
  readonly limit?: number;
}

/** A part of the inbox, newest events first. */
export interface EventPage {
  readonly items: readonly PubsubEvent[];
  /** `before` of the next page. Absent after the last page: the number of items does not show whether there is another. */
  readonly cursor?: string;
}

/**
 * Which events this device can show: those for which all given fields fit. `service` is spelled as in the list. `prefix`:
 * `node` is the beginning of the name. `payload` is a namespace.
 */
export interface Interest {
  readonly service?: Jid;
  readonly node?: string;
  readonly prefix?: boolean;
  readonly payload?: string;
}

/** Decodes the payloads of one namespace. */
export type Codec = (xml: string) => unknown;

/** The events of the followed nodes, as stored on this device. */
export interface Inbox extends ExternalStore<InboxState> {
  /**
   * Resolves with the stored state as soon as `getSnapshot()` returns it, usually before the program runs and without
   * contacting a server. Reading this property starts the program.
   */
  readonly ready: Promise<InboxState>;
  /**
   * The newest 50 events, newest first. Like the state, it is known before the program runs. After a change it is read
   * again, at most every 100 ms.
   */
  readonly newest: ExternalStore<readonly PubsubEvent[]>;
  /** Returns the counts of a node, which must be spelled as in its events. */
  get(target: { readonly service: Jid; readonly node: string }): NodeCounts | undefined;
  /**
   * Returns events, newest first, without contacting a server. A page may have fewer than `limit` events although there
   * are more, if they are long.
   */
  list(query?: EventQuery & OpOptions): Promise<EventPage>;
  /**
   * Marks events as seen: those with the ids, or all events of a node up to the one with the id `upTo`, in the order of
   * `list`. Ids of events that do not exist are ignored.
   */
  markSeen(events: readonly string[] | { readonly upTo: string }, options?: OpOptions): Promise<void>;
  /** Reports that the user looks at what has happened: `away` begins anew. */
  looked(options?: OpOptions): Promise<void>;
  /**
   * Continues a catch-up that has ended before everything was read, because it was cancelled or because of an error, and
   * waits until it ends; so it does with one that is running. Each new session begins with a catch-up by itself. A node that
   * was asked less than 5 minutes ago is read when that time is over, and not awaited. Aborting the signal, or the time
   * limit, cancels the catch-up, also for other tabs: what was found stays, the rest is found by another call or in the next
   * session. Rejects with code "offline" if the client is not connected.
   */
  catchUp(options?: OpOptions): Promise<CatchUpState>;
}
