import { expect, fieldsOf, pairs, rowsOf, type ReadRecords, type Records } from "./stored-database.js";
import type { RowChange } from "./subscription-delta.js";
import type { Row } from "./subscription-list.js";
import type { RawAway, RawEvent, RawNodeCounts } from "./wire.js";

// The newest page of the inbox, and all counts. sdk/internal/inbox/records.go describes the records.

/** What the page reads of the stored inbox. */
export interface StoredInbox {
  readonly unseen: number;
  readonly dropped: number;
  readonly nodes: readonly RawNodeCounts[];
  readonly away: RawAway | null;
  /** The number of events, of which the newest `rows` were read. */
  readonly events: number;
  readonly rows: number;
  /** Returns the newest events, newest first, with the cursor of each. */
  newest(limit: number): readonly { readonly cursor: string; readonly event: RawEvent }[];
}

/** Returns what the list says of a service. The records of the inbox do not contain it. */
export type KindOf = (service: string) => Row[5];

const format = "1";
const keys = ["inbox/meta", "inbox/po"] as const; // from, to: meta, nodes and page
const [meta, since, nodePrefix, pagePrefix] = ["inbox/meta", "inbox/since", "inbox/node/", "inbox/page/"];

/** Like readStoredList, for the inbox. */
export async function readStoredInbox(read: ReadRecords, kindOf: () => Promise<KindOf>): Promise<StoredInbox | undefined> {
  let page: string[][] = [];
  try {
    const found = await read((records, done) => {
      const range = IDBKeyRange.bound(...keys, false, true);
      const [names, values, away] = [records.getAllKeys(range), records.getAll(range), records.get(since)];
      away.onsuccess = () => { // all values are read
        const all = new Map<IDBValidKey, unknown>([...pairs(names, values), [since, away.result]]);
        page = pageOf(all);
        const more = new Set(page.map((fields) => fields[pageFields - 1]).filter((key) => key));
        let left = more.size;
        for (const key of more) {
          const body = records.get(key!);
          body.onsuccess = () => {
            all.set(key!, body.result);
            if (--left === 0) done(all);
          };
        }
        if (left === 0) done(all);
      };
    });
    if (!found) return undefined;
    const changes = found.get(since) === undefined ? [] : changesOf(found, await kindOf());
    return decode(found, page, changes);
  } catch {
    return undefined;
  }
}

/** Returns the rows of all records with a prefix. The last row of a record is its digest. */
function rowsBelow(records: Records, prefix: string): string[][] {
  const found: string[][] = [];
  for (const key of records.keys()) {
    if (typeof key === "string" && key.startsWith(prefix)) {
      for (const row of rowsOf(records, key).slice(0, -1)) found.push(fieldsOf(row));
    }
  }
  return found;
}

/** Returns the fields of the rows of the page. None if a record is wrong: then decode fails as well. */
function pageOf(records: Records): string[][] {
  try {
    return rowsBelow(records, pagePrefix);
  } catch {
    return [];
  }
}

const pageFields = 14; // of an event in the page, before its body
const bodyFields = 15;

/** Decodes the records. It throws if a record is missing or has an unexpected format. */
function decode(records: Records, page: string[][], changes: RowChange[]): StoredInbox {
  const [head] = rowsOf(records, meta).map(fieldsOf);
  const [known, , events, unseen, dropped, nodeCount, rowCount, looked, away] = head!;
  expect(known === format);
  const nodes = rowsBelow(records, nodePrefix);
  expect(nodes.length === Number(nodeCount) && page.length === Number(rowCount));
  expect(page.every((fields) => fields.length === pageFields + bodyFields + 1));
  page.sort(([a], [b]) => (a! < b! ? 1 : -1));
  return {
    unseen: count(unseen), dropped: count(dropped), events: count(events),
    nodes: nodes.filter(({ 4: newest }) => newest !== "").map(([service, node, unseen, dropped, newest]) =>
      [service!, node!, count(unseen), count(dropped), Number(newest)]),
    away: looked === "" ? null : { since: Number(looked), events: count(away), changes },
    rows: page.length,
    newest: (limit) => page.slice(0, limit).map((fields) => ({ cursor: fields[0]!, event: readRow(fields, records) })),
  };
}

function count(text: string | undefined): number {
  const n = Number(text);
  expect(text !== "" && Number.isSafeInteger(n) && n >= 0);
  return n;
}

/** Reads what of the list has changed since the user looked. */
function changesOf(records: Records, kindOf: KindOf): RowChange[] {
  return rowsOf(records, since).slice(0, -1).map((text): RowChange => {
    const [service = "", node = "", subid = "", ...rest] = fieldsOf(text);
    expect(rest.length === 5);
    const row = (jid: string, state: string): RowChange[0] =>
      (state === "" ? null : [service, node, subid, jid, state, kindOf(service)]);
    return [row(rest[0]!, rest[1]!), row(rest[2]!, rest[3]!)];
  });
}

/** Reads an event in the page. Reading by index is fast before the code is optimised. */
function readRow(row: readonly string[], records: Records): RawEvent {
  const key = row[13]!;
  const body = key === "" ? row : bodyOf(records, key, row[1]!);
  const at = key === "" ? pageFields : 0; // of the body in its row
  const text = (i: number): string | undefined => body?.[at + i] || undefined;
  return {
    id: row[1]!, service: row[2]!, node: row[3]!, item: row[4] || undefined, type: row[5],
    at: Number(row[6]), source: row[7], received: Number(row[8]), delivery: row[9],
    seen: row[10], basis: row[11], seenAt: row[12] ? Number(row[12]) : undefined,
    publisher: text(0), redirect: text(1), namespace: text(2), omitted: body ? text(3) : "unreadable", xml: text(4),
    entry: text(5) && {
      id: text(6), title: text(7), summary: text(8), content: text(9), link: text(10), image: text(11), author: text(12),
      published: time(text(13)), updated: time(text(14)),
    },
  } as RawEvent;
}

/** Returns the fields of a body that is in a record of its own; undefined if it is missing, or has an unexpected format. */
function bodyOf(records: Records, key: string, id: string): string[] | undefined {
  try {
    const fields = rowsOf(records, key).map(fieldsOf).find((row) => row[0] === id);
    return fields?.length === 1 + bodyFields + 1 ? fields.slice(1) : undefined;
  } catch {
    return undefined;
  }
}

const time = (text: string | undefined): number | null => (text ? Number(text) : null);
