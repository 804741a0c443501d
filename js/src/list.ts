import type { Subscription, SubscriptionDelta, SubscriptionList } from "./types.js";

/** A row as the program writes it: service, node, subid, jid, state, and in the provisional layer local. */
export type Row = readonly [service: string, node: string, subid: string, jid: string, state: string, local?: string | undefined];
export type RowChange = readonly [before: Row | null, after: Row | null];

/** Rows of equal content stay the same object, and so does the snapshot until something changes. */
export interface List {
  snapshot(): SubscriptionList;
  /** Replaces everything. */
  reset(rows: readonly Row[], provisional: readonly Row[], ver: string | null, source: SubscriptionList["source"]): void;
  /** Applies a commit. Undefined: no row differs from what is shown. */
  apply(changes: readonly RowChange[], from: string | null, to: string | null, origin: SubscriptionDelta["origin"], source: SubscriptionList["source"]): SubscriptionDelta | undefined;
  setProvisional(rows: readonly Row[]): void;
  /** Says when and where the list comes from. */
  confirm(source: SubscriptionList["source"], asOf: string | null): void;
  get(service: string, node: string, subid: string): Subscription | undefined;
  /** A row that may not be in the list. */
  row(row: Row): Subscription;
}

export const emptyList: SubscriptionList = freezeList([], null, "empty", null);

export function list(changed: () => void): List {
  let committed = new Map<string, Subscription>();
  let overlay = new Map<string, Row>();
  let shown = new Map<string, Subscription>(); // overlay rows as shown, kept for their identity
  let order: string[] | undefined = []; // keys of committed, sorted; undefined: to be made
  let ver: string | null = null;
  let source: SubscriptionList["source"] = "empty";
  let asOf: string | null = null;
  let current: SubscriptionList | undefined = emptyList;

  function touch(): void {
    current = undefined;
    changed();
  }

  function put(row: Row): void {
    const next = makeRow(row);
    const old = committed.get(next.key);
    if (!old) order = undefined;
    if (!old || !sameRow(old, next)) committed.set(next.key, next);
  }

  /** A provisional row over what is committed; undefined hides it. */
  function over(key: string, row: Row): Subscription | undefined {
    const [service, node, subid, jid, state, local] = row;
    const base = committed.get(key);
    const gone = state === "none" || state === "";
    if (gone && !local) return undefined;
    if (gone && local === "unsubscribing" && !base) return undefined;
    const next = makeRow([service, node, subid, jid, gone ? base?.state ?? "pending" : state, local]);
    const old = shown.get(key);
    return old && sameRow(old, next) ? old : next;
  }

  function build(): SubscriptionList {
    const keys = (order ??= [...committed.keys()].sort(compare));
    const rows: Subscription[] = [];
    const visible = new Map<string, Subscription>();
    const show = (key: string): void => {
      const row = over(key, overlay.get(key)!);
      if (!row) return;
      visible.set(key, row);
      rows.push(row);
    };
    const pending = [...overlay.keys()].sort(compare);
    let i = 0;
    for (const key of keys) {
      while (i < pending.length && compare(pending[i]!, key) < 0) show(pending[i++]!);
      if (pending[i] === key) show(pending[i++]!);
      else rows.push(committed.get(key)!);
    }
    while (i < pending.length) show(pending[i++]!);
    shown = visible;
    return freezeList(rows, ver, source, asOf);
  }

  return {
    snapshot: () => (current ??= build()),
    reset(rows, provisional, newVer, newSource) {
      const old = committed;
      committed = new Map();
      order = undefined;
      for (const row of rows) {
        const next = makeRow(row);
        const before = old.get(next.key);
        committed.set(next.key, before && sameRow(before, next) ? before : next);
      }
      overlay = new Map(provisional.map((r) => [keyOf(r), r]));
      ver = newVer;
      source = newSource;
      touch();
    },
    apply(changes, from, to, origin, newSource) {
      const added: Subscription[] = [];
      const removed: Subscription[] = [];
      const different: { before: Subscription; after: Subscription }[] = [];
      for (const [before, after] of changes) {
        const key = keyOf((after ?? before)!);
        const old = committed.get(key);
        if (after) {
          put(after);
          const now = committed.get(key)!;
          if (!old) added.push(now);
          else if (old !== now) different.push(Object.freeze({ before: old, after: now }));
        } else if (old) {
          committed.delete(key);
          order = undefined;
          removed.push(old);
        }
      }
      ver = to;
      source = newSource;
      touch();
      return makeDelta(added, removed, different, origin, from, to);
    },
    setProvisional(rows) {
      overlay = new Map(rows.map((r) => [keyOf(r), r]));
      touch();
    },
    confirm(newSource, newAsOf) {
      if (source === newSource && asOf === newAsOf) return;
      source = newSource;
      asOf = newAsOf;
      touch();
    },
    get(service, node, subid) {
      const now = (current ??= build());
      const key = keyOf([service.toLowerCase(), node, subid, "", ""]);
      const row = now[lowerBound(now, key)];
      return row && (row.key === key || (subid === "" && row.key.startsWith(key))) ? row : undefined;
    },
    row(row) {
      return committed.get(keyOf(row)) ?? makeRow(row);
    },
  };
}

/** What differs between two snapshots, overlay included. */
export function difference(before: SubscriptionList, after: SubscriptionList): SubscriptionDelta {
  const old = new Map(before.map((r) => [r.key, r]));
  const added: Subscription[] = [];
  const different: { before: Subscription; after: Subscription }[] = [];
  for (const row of after) {
    const was = old.get(row.key);
    old.delete(row.key);
    if (!was) added.push(row);
    else if (was !== row) different.push(Object.freeze({ before: was, after: row }));
  }
  return freezeDelta(added, [...old.values()], different, "resync", before.ver, after.ver);
}

function makeDelta(...args: Parameters<typeof freezeDelta>): SubscriptionDelta | undefined {
  return args[0].length + args[1].length + args[2].length === 0 ? undefined : freezeDelta(...args);
}

function freezeDelta(
  added: Subscription[], removed: Subscription[], changed: { before: Subscription; after: Subscription }[],
  origin: SubscriptionDelta["origin"], fromVer: string | null, toVer: string | null,
): SubscriptionDelta {
  return Object.freeze({ added: Object.freeze(added), removed: Object.freeze(removed), changed: Object.freeze(changed), origin, fromVer, toVer });
}

function freezeList(rows: Subscription[], ver: string | null, source: SubscriptionList["source"], asOf: string | null): SubscriptionList {
  Object.defineProperties(rows, { ver: { value: ver }, source: { value: source }, asOf: { value: asOf } });
  return Object.freeze(rows) as unknown as SubscriptionList;
}

function makeRow([service, node, subid, jid, state, local]: Row): Subscription {
  return Object.freeze({
    key: keyOf([service, node, subid, jid, state]),
    service, node, jid,
    ...(subid !== "" && { subid }),
    state,
    ...((local === "subscribing" || local === "unsubscribing") && { local }),
    kind: service.includes("@") ? "pep" : "pubsub",
    supported: true,
  } satisfies Subscription);
}

const keyOf = ([service, node, subid]: Row): string => `${service}\0${node}\0${subid}`;
const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

function sameRow(a: Subscription, b: Subscription): boolean {
  return a.key === b.key && a.jid === b.jid && a.state === b.state && a.local === b.local;
}

function lowerBound(rows: readonly Subscription[], key: string): number {
  let low = 0;
  let high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compare(rows[middle]!.key, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
