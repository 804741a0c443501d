import { listeners } from "./store.js";
import { completer, makeDelta, type RowChange } from "./subscription-delta.js";
import type { StoredList } from "./stored-list.js";
import type { StopListening, Subscription, SubscriptionDelta, SubscriptionList } from "./types.js";
import type { RawInterests } from "./wire.js";

/** A row in the form in which the program posts it. Only rows of the provisional overlay have `local`. */
export type Row = readonly [
  service: string, node: string, subid: string, jid: string, state: string, kind: Subscription["kind"],
  local?: string | undefined,
];
/** The list that the page sees. A row stays the same object while its content is equal, and so does the snapshot. */
export interface SubscriptionRows {
  snapshot(): SubscriptionList;
  subscribe(fn: (list: SubscriptionList) => void): StopListening;
  /** Calls the listeners if the snapshot has changed. */
  flush(): void;
  /** Sets the list that the page has read from the store. The program's list replaces it later. */
  showStored(stored: StoredList): void;
  /** Replaces the list and the overlay. The new list is the changes passed to more(), followed by `changes`. */
  reset(changes: readonly RowChange[], provisional: readonly Row[], ver: string | null, source: Source): void;
  /** Applies a commit: the changes passed to more(), then `changes`. Returns undefined if no row differs. */
  apply(
    changes: readonly RowChange[], from: string | null, to: string | null, origin: Origin, source: Source,
  ): SubscriptionDelta | undefined;
  /** Adds a part of the next list or commit, which reset() or apply() completes. Parts keep the page responsive. */
  more(changes: readonly RowChange[]): void;
  setProvisional(rows: readonly Row[]): void;
  /** Removes the overlay and an incomplete commit, because the program has ended. */
  dropUncommitted(): void;
  /** Sets where the list comes from, and when it was last known to equal the server's. */
  confirm(source: Source, asOf: string | null): void;
  /** Returns a row. `service` must be spelled as in the list. If `subid` is empty, returns the first row of the node. */
  get(service: string, node: string, subid: string): Subscription | undefined;
  /** Returns the row of the list with the key of a row, or else the row in its public form. */
  row(row: Row): Subscription;
  /** Converts a row to its public form, whatever the list contains. */
  make(row: Row): Subscription;
  /** Sets which rows are supported. */
  setInterests(interests: RawInterests): void;
  /** Returns the kind of a service, as the list says it. */
  kindOf(service: string): Subscription["kind"];
}

type Origin = SubscriptionDelta["origin"];
type Source = SubscriptionList["source"];

/** The effect of a commit on one key. `after` is undefined if the row is removed. */
interface Step { readonly key: string; readonly after: Subscription | undefined }

export const emptyList: SubscriptionList = freezeList([], null, "unread", null);

export function subscriptionList(interests: RawInterests = null): SubscriptionRows {
  let wanted = interests;
  let committed: readonly Subscription[] = []; // in key order
  let steps: Step[] = []; // of a commit whose last part has not arrived
  let overlay = new Map<string, Row>();
  let shown = new Map<string, Subscription>(); // overlay rows in the last snapshot, so that equal rows stay the same object
  let ver: string | null = null;
  let source: Source = "unread";
  let asOf: string | null = null;
  let last = emptyList; // the last snapshot
  let current: SubscriptionList | undefined = emptyList; // undefined: must be built
  const snapshot = (): SubscriptionList => (current ??= build());
  const { subscribe, markDirty, flush } = listeners(snapshot);

  function changed(): void {
    current = undefined;
    markDirty();
  }

  const supports = (service: string, node: string): boolean => wanted === null || wanted.some((interest) => (
    (interest[0] === "" || interest[0] === service)
    && (interest[2] === "" ? interest[1] === "" || interest[1] === node : node.startsWith(interest[1]!))));
  const make = (row: Row): Subscription => makeRow(row, supports(row[0], row[1]));

  const find = (key: string): Subscription | undefined => {
    const row = committed[lowerBound(committed, key)];
    return row?.key === key ? row : undefined;
  };

  function more(changes: readonly RowChange[]): void {
    const complete = completer();
    for (const change of changes) {
      const before = change[0] && complete(change[0]);
      const next = change[1] ? make(complete(change[1])) : undefined;
      const key = next ? next.key : keyOf(before!);
      const old = find(key);
      steps.push({ key, after: old && next && sameRow(old, next) ? old : next });
    }
  }

  /** Removes the collected steps and returns them in key order. */
  function take(): Step[] {
    const taken = steps;
    steps = [];
    const inOrder = taken.every(({ key }, i) => i === 0 || taken[i - 1]!.key < key);
    return inOrder ? taken : taken.sort((a, b) => compare(a.key, b.key));
  }

  /** Returns the row that the overlay shows instead of the committed one, or undefined if it hides it. */
  function overlaid(key: string, row: Row): Subscription | undefined {
    const [service, node, subid, jid, state, kind, local] = row;
    const base = find(key);
    const gone = state === "none" || state === "";
    if (gone && !local) return undefined;
    if (gone && local === "unsubscribing" && !base) return undefined;
    const next = make([service, node, subid, jid, gone ? base?.state ?? "pending" : state, kind, local]);
    const old = shown.get(key);
    return old && sameRow(old, next) ? old : next;
  }

  function build(): SubscriptionList {
    const visible = new Map<string, Subscription>();
    const layer = [...overlay.keys()].sort(compare).map((key): Step => {
      const after = overlaid(key, overlay.get(key)!);
      if (after) visible.set(key, after);
      return { key, after };
    });
    shown = visible;
    const rows = layer.length === 0 ? [...committed] : merge(committed, layer, () => undefined);
    const same = last.ver === ver && last.source === source && last.asOf === asOf
      && last.length === rows.length && rows.every((row, i) => row === last[i]);
    return same ? last : (last = freezeList(rows, ver, source, asOf));
  }

  return {
    snapshot, subscribe, flush, more, make,
    showStored(stored) {
      const read = stored.rows.map(make);
      const inOrder = read.every(({ key }, i) => i === 0 || read[i - 1]!.key < key);
      committed = inOrder ? read : read.sort((a, b) => compare(a.key, b.key));
      ({ ver, asOf } = stored);
      source = "cache";
      changed();
    },
    reset(changes, provisional, newVer, newSource) {
      more(changes);
      committed = merge([], take(), () => undefined);
      overlay = new Map(provisional.map((r) => [keyOf(r), r]));
      ver = newVer;
      source = newSource;
      changed();
    },
    apply(changes, from, to, origin, newSource) {
      const added: Subscription[] = [];
      const removed: Subscription[] = [];
      const different: { before: Subscription; after: Subscription }[] = [];
      more(changes);
      committed = merge(committed, take(), (old, now) => {
        if (!old) added.push(now!);
        else if (!now) removed.push(old);
        else different.push(Object.freeze({ before: old, after: now }));
      });
      ver = to;
      source = newSource;
      changed();
      return makeDelta(added, removed, different, origin, from, to);
    },
    setProvisional(rows) {
      overlay = new Map(rows.map((r) => [keyOf(r), r]));
      changed();
    },
    dropUncommitted() {
      steps = [];
      overlay = new Map();
      changed();
    },
    confirm(newSource, newAsOf) {
      if (source === newSource && asOf === newAsOf) return;
      source = newSource;
      asOf = newAsOf;
      changed();
    },
    get(service, node, subid) {
      const now = snapshot();
      const key = keyOf([service, node, subid]);
      const row = now[lowerBound(now, key)];
      return row && (row.key === key || (subid === "" && row.key.startsWith(key))) ? row : undefined;
    },
    row(row) {
      return find(keyOf(row)) ?? make(row);
    },
    setInterests(next) {
      wanted = next;
      committed = committed.map((row) => {
        const supported = supports(row.service, row.node);
        return row.supported === supported ? row : Object.freeze({ ...row, supported });
      });
      changed();
    },
    kindOf(service) {
      const row = committed[lowerBound(committed, `${service}\0`)];
      return row?.service === service ? row.kind : "pubsub";
    },
  };
}

/** Applies steps to rows, both in key order, and returns the result. Calls `differs` for each row that differs. */
function merge(
  rows: readonly Subscription[], steps: readonly Step[],
  differs: (old: Subscription | undefined, now: Subscription | undefined) => void,
): Subscription[] {
  const merged: Subscription[] = [];
  let i = 0;
  for (const { key, after } of steps) {
    while (i < rows.length && rows[i]!.key < key) merged.push(rows[i++]!);
    const old = rows[i]?.key === key ? rows[i++] : undefined;
    if (after) merged.push(after);
    if (old !== after) differs(old, after);
  }
  while (i < rows.length) merged.push(rows[i++]!);
  return merged;
}

/** Makes the list's own properties not enumerable, so that consoles and copies show only the rows. */
function freezeList(rows: Subscription[], ver: string | null, source: Source, asOf: string | null): SubscriptionList {
  const list = rows as Subscription[] & Pick<SubscriptionList, "ver" | "source" | "asOf">;
  Object.defineProperties(list, { ver: { value: ver }, source: { value: source }, asOf: { value: asOf } });
  return Object.freeze(list);
}

/**
 * Makes a row. The object literals keep long lists fast: the rows have few hidden classes. So does reading by index, because
 * code that is not optimised yet destructures an array with its iterator.
 */
function makeRow(row: Row, supported: boolean): Subscription {
  const service = row[0], node = row[1], subid = row[2], jid = row[3], state = row[4], kind = row[5], local = row[6];
  const key = keyOf(row);
  if (local === "subscribing" || local === "unsubscribing") {
    return Object.freeze(subid !== ""
      ? { key, service, node, jid, subid, state, local, kind, supported }
      : { key, service, node, jid, state, local, kind, supported });
  }
  return Object.freeze(subid !== ""
    ? { key, service, node, jid, subid, state, kind, supported }
    : { key, service, node, jid, state, kind, supported });
}

type RowKey = readonly [service: string, node: string, subid: string, ...unknown[]];
const keyOf = (row: RowKey): string => `${row[0]}\0${row[1]}\0${row[2]}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sameRow(a: Subscription, b: Subscription): boolean {
  return a.key === b.key && a.jid === b.jid && a.state === b.state && a.local === b.local && a.supported === b.supported;
}

function lowerBound(rows: readonly Subscription[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.key < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
