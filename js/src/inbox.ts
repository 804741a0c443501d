import { fromWire, type PamError } from "./errors.js";
import { eventTable } from "./event-table.js";
import type {
  Away, CatchUpState, Codec, EventPage, InboxChange, InboxState, NodeCounts, PubsubEvent, SeenScope,
} from "./inbox-types.js";
import { listeners, type Listeners } from "./store.js";
import type { StoredInbox } from "./stored-inbox.js";
import { readDelta } from "./subscription-delta.js";
import type { Row } from "./subscription-list.js";
import type { Subscription } from "./types.js";
import type { RawAway, RawCatchUp, RawEvent, RawEventPage, RawInbox, RawInboxChange, RawNodeCounts } from "./wire.js";

/** The number of events in `newest`. */
export const newestEvents = 50;

/** The inbox that the page sees. What is equal stays the same object. */
export interface InboxView {
  readonly state: ReadableStore<InboxState>;
  readonly newest: ReadableStore<readonly PubsubEvent[]>;
  get(service: string, node: string): NodeCounts | undefined;
  /** Calls the listeners of the stores that have changed. */
  flush(): void;
  /** Shows what the page has read from the store. */
  showStored(stored: StoredInbox): void;
  /** Returns the first page from what showStored was given, until the program has posted the state. */
  storedPage(limit: number): EventPage | undefined;
  /** Adds a part of the nodes of the next change or state. */
  more(nodes: readonly RawNodeCounts[]): void;
  /** Adds an event to the next change. */
  add(raw: RawEvent): void;
  /** Applies a change: what was passed to more() and add(), and the rest. */
  apply(change: RawInboxChange): InboxChange;
  /** Replaces the state. */
  reset(state: RawInbox): void;
  setAway(away: RawAway | null): void;
  setScope(scope: SeenScope): void;
  setCatchUp(raw: RawCatchUp): CatchUpState;
  readPage(page: RawEventPage): EventPage;
  setNewest(page: EventPage): void;
  /** Reports once after each change whether `newest` has to be requested. */
  takeStale(): boolean;
  /** Forgets what belongs to the program, which has ended. */
  programEnded(): void;
}

type ReadableStore<T> = Pick<Listeners<T>, "subscribe"> & { snapshot(): T };

const idle: CatchUpState = Object.freeze({
  phase: "idle", since: null, nodes: 0, nodesDone: 0, received: 0, likelySeenElsewhere: 0, completeness: "unknown",
  gaps: Object.freeze([]),
});

export const emptyInbox: InboxState = Object.freeze({
  source: "unread", unseen: 0, dropped: 0, nodes: Object.freeze([]), away: null, catchUp: idle,
  seenScope: "unknown",
});
export const noEvents: readonly PubsubEvent[] = Object.freeze([]);

export function inboxView(
  codecs: ReadonlyMap<string, Codec>, warn: (e: PamError) => void, makeRow: (row: Row) => Subscription,
): InboxView {
  const table = eventTable(codecs, warn);
  let nodes: NodeCounts[] = []; // by service and node
  let { unseen, dropped, away, catchUp, seenScope } = emptyInbox;
  let parts: RawNodeCounts[] = []; // of a change whose last part has not arrived
  let arrived: PubsubEvent[] = []; // likewise
  let stored: StoredInbox | undefined;
  let stale = false;
  let last = emptyInbox; // the last snapshot
  let current: InboxState | undefined = emptyInbox; // until something is read; undefined: must be built
  let events = noEvents;
  const snapshot = (): InboxState => (current ??= build());
  const state = listeners(snapshot);
  const newest = listeners(() => events);

  function changed(): void {
    current = undefined;
    state.markDirty();
  }

  function build(): InboxState {
    const source = catchUp.phase === "done" ? "server" : "cache";
    const same = last.source === source && last.unseen === unseen && last.dropped === dropped && last.away === away
      && last.catchUp === catchUp && last.seenScope === seenScope
      && last.nodes.length === nodes.length && nodes.every((n, i) => n === last.nodes[i]);
    if (!same) last = Object.freeze({ source, unseen, dropped, nodes: Object.freeze([...nodes]), away, catchUp, seenScope });
    return last;
  }

  function find(service: string, node: string): number {
    let low = 0;
    let high = nodes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const at = nodes[middle]!;
      if (at.service < service || (at.service === service && at.node < node)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  const get = (service: string, node: string): NodeCounts | undefined => {
    const found = nodes[find(service, node)];
    return found?.service === service && found.node === node ? found : undefined;
  };

  function put(raw: RawNodeCounts): void {
    const i = find(raw[0], raw[1]);
    const old = nodes[i];
    const known = old?.service === raw[0] && old.node === raw[1];
    if (known && sameCounts(old, raw)) return;
    nodes.splice(i, known ? 1 : 0, readCounts(raw));
  }

  /** Sets all nodes. */
  function setNodes(raw: readonly RawNodeCounts[]): void {
    nodes = raw.map((n) => {
      const old = get(n[0], n[1]);
      return old && sameCounts(old, n) ? old : readCounts(n);
    }).sort((a, b) => (a.service < b.service || (a.service === b.service && a.node < b.node) ? -1 : 1));
  }

  function setAway(raw: RawAway | null): void {
    const next = raw && readAway(raw, away, makeRow);
    if (JSON.stringify(next) === JSON.stringify(away)) return;
    away = next;
    changed();
  }

  function setCatchUp(raw: RawCatchUp): CatchUpState {
    const next = readCatchUp(raw);
    if (JSON.stringify(next) !== JSON.stringify(catchUp)) {
      catchUp = next;
      changed();
    }
    return catchUp;
  }

  function setNewest(list: readonly PubsubEvent[]): void {
    if (list.length === events.length && list.every((e, i) => e === events[i])) return;
    events = Object.freeze(list.slice(0, newestEvents));
    newest.markDirty();
  }

  const take = (nodes: readonly RawNodeCounts[]): readonly RawNodeCounts[] => {
    const all = parts.length === 0 ? nodes : [...parts, ...nodes];
    parts = [];
    return all;
  };

  return {
    state: { snapshot, subscribe: state.subscribe },
    newest: { snapshot: () => events, subscribe: newest.subscribe },
    get, setAway, setCatchUp,
    setScope(scope) {
      if (scope === seenScope) return;
      seenScope = scope;
      changed();
    },
    flush() {
      state.flush();
      newest.flush();
    },
    showStored(found) {
      stored = found;
      ({ unseen, dropped } = found);
      setNodes(found.nodes);
      setAway(found.away);
      setNewest(found.newest(newestEvents).map(({ event }) => table.read(event)));
      changed();
    },
    storedPage(limit) {
      if (!stored || (stored.rows < limit && stored.rows < stored.events)) return undefined;
      const found = stored.newest(limit);
      const items = Object.freeze(found.map(({ event }) => table.read(event)));
      return Object.freeze({ items, ...(stored.events > limit && { cursor: found.at(-1)!.cursor }) });
    },
    more(nodes) { parts.push(...nodes); },
    add(raw) { arrived.push(table.read(raw)); },
    apply(change) {
      for (const raw of take(change.nodes)) put(raw);
      ({ unseen, dropped } = change);
      const added = Object.freeze(arrived);
      arrived = [];
      stale = true;
      changed();
      const { reset } = change;
      return Object.freeze({ added, removed: Object.freeze(change.removed), updated: Object.freeze(change.updated), reset });
    },
    reset(raw) {
      stored = undefined;
      setNodes(take(raw.nodes));
      ({ unseen, dropped } = raw);
      setAway(raw.away);
      setCatchUp(raw.catchUp);
      stale = true;
      changed();
    },
    readPage: ({ events, cursor }) =>
      Object.freeze({ items: Object.freeze(events.map(table.read)), ...(cursor !== undefined && { cursor }) }),
    setNewest: ({ items }) => setNewest(items),
    takeStale() {
      const was = stale;
      stale = false;
      return was;
    },
    programEnded() {
      parts = [];
      arrived = [];
      if (catchUp === idle) return;
      catchUp = idle;
      changed();
    },
  };
}

const readCounts = ([service, node, unseen, dropped, newest]: RawNodeCounts): NodeCounts =>
  Object.freeze({ service, node, unseen, dropped, newest: newest === null ? null : new Date(newest) });

const sameCounts = (a: NodeCounts, [, , unseen, dropped, newest]: RawNodeCounts): boolean =>
  a.unseen === unseen && a.dropped === dropped && (a.newest?.getTime() ?? null) === newest;

/** Reads what happened while the user was away. Without `changes`, those of the list are as before. */
function readAway({ since, events, changes }: RawAway, before: Away | null, makeRow: (row: Row) => Subscription): Away {
  const subscriptions = changes || !before ? readDelta(changes ?? [], makeRow) : before.subscriptions;
  return Object.freeze({ since: new Date(since), events, subscriptions });
}

function readCatchUp(raw: RawCatchUp): CatchUpState {
  const { phase = "idle", since, nodes, nodesDone, received, elsewhere, completeness = "unknown", gaps, error } = raw;
  return Object.freeze({
    phase, since: since === null ? null : new Date(since), nodes, nodesDone, received, likelySeenElsewhere: elsewhere,
    completeness,
    gaps: Object.freeze(gaps.map(({ service = "", node, from, to, reason }) => Object.freeze({
      service, ...(node !== undefined && { node }), from: new Date(from ?? 0), to: new Date(to ?? 0), reason,
    }))),
    ...(error && { error: fromWire(error) }),
  });
}
