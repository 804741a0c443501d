import type { Row } from "./subscription-list.js";
import type { Subscription, SubscriptionDelta, SubscriptionList } from "./types.js";

// The changes of a list: how the program posts them, and their public form.

/** A row of a change. A field is 0 if it equals that field of the row before it. */
type ChangedRow = OrZero<Row>;
type OrZero<T extends readonly unknown[]> = { -readonly [K in keyof T]: T[K] | 0 };
export type RowChange = readonly [before: ChangedRow | null, after: ChangedRow | null];

type Origin = SubscriptionDelta["origin"];

/** Returns a function that completes the rows of a change, in order and in place, because a list has many rows. */
export function completer(): (row: ChangedRow) => Row {
  let last: unknown[] = [];
  return (row) => {
    const fields: unknown[] = row;
    for (let i = 0; i < fields.length; i++) if (fields[i] === 0) fields[i] = last[i];
    last = fields;
    return fields as unknown as Row;
  };
}

/** Reads a list of changes that is not applied. `make` converts a row to its public form. */
export function readDelta(changes: readonly RowChange[], make: (row: Row) => Subscription): SubscriptionDelta {
  const complete = completer();
  const [added, removed]: Subscription[][] = [[], []];
  const different: { before: Subscription; after: Subscription }[] = [];
  for (const change of changes) {
    const before = change[0] && make(complete(change[0]));
    const after = change[1] && make(complete(change[1]));
    if (before && after) different.push(Object.freeze({ before, after }));
    else if (after) added!.push(after);
    else if (before) removed!.push(before);
  }
  return freezeDelta(added!, removed!, different, "resync", null, null);
}

/** Returns the differences between two snapshots, including the overlay. */
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

/** Returns undefined if no row differs. */
export function makeDelta(...args: Parameters<typeof freezeDelta>): SubscriptionDelta | undefined {
  return args[0].length + args[1].length + args[2].length === 0 ? undefined : freezeDelta(...args);
}

function freezeDelta(
  added: Subscription[], removed: Subscription[], changed: { before: Subscription; after: Subscription }[],
  origin: Origin, fromVer: string | null, toVer: string | null,
): SubscriptionDelta {
  for (const list of [added, removed, changed]) Object.freeze(list);
  return Object.freeze({ added, removed, changed, origin, fromVer, toVer });
}
