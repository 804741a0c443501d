import { expect, fieldsOf, pairs, rowsOf, type ReadRecords, type Records } from "./stored-database.js";
import type { Row } from "./subscription-list.js";

// The stored list. sdk/internal/engine/listrecord.go describes the records.

/** The stored list. */
export interface StoredList {
  readonly rows: readonly Row[];
  readonly ver: string | null;
  /** When the list was last known to equal the server's. */
  readonly asOf: string | null;
}

const format = "2";
const listKeys = ["list/", "list0"] as const; // from, to

/**
 * Reads the stored list. Resolves with undefined if there is none, or if a record has an unexpected format. The program
 * reads the same records later, and reports or repairs what is wrong.
 */
export async function readStoredList(read: ReadRecords): Promise<StoredList | undefined> {
  try {
    const found = await read((records, done) => {
      const range = IDBKeyRange.bound(...listKeys, false, true);
      const [keys, values, sync] = [records.getAllKeys(range), records.getAll(range), records.get("sync")];
      // The last request of the transaction: all values are read.
      sync.onsuccess = () => done(new Map([...pairs(keys, values), ["sync", sync.result]]));
    });
    return found && decode(found);
  } catch {
    return undefined;
  }
}

/** Decodes the records. It throws if a record has an unexpected format. */
function decode(records: Records): StoredList | undefined {
  const [head, ...others] = rowsOf(records, "list/meta");
  const [known, , ver = "", mode, count, chunks, , ...rest] = fieldsOf(head!);
  expect(known === format && mode === "pam" && rest.length === 1);
  const rows: Row[] = [];
  for (let i = 0; i < Number(chunks); i++) {
    const [key = "", n, bytes] = fieldsOf(others[i]!);
    const chunk = rowsOf(records, key, Number(bytes));
    expect(chunk.length === Number(n));
    for (const row of chunk) {
      const fields = fieldsOf(row);
      expect(fields.length === 7); // the last is the text after the last fieldEnd
      rows.push(fields as unknown as Row);
    }
  }
  expect(rows.length === Number(count));
  if (rows.length === 0 && ver === "") return undefined;
  return { rows, ver: ver === "" ? null : ver, asOf: lastSync(rowsOf(records, "sync")) };
}

function lastSync([row]: string[]): string | null {
  const [known, , , at] = fieldsOf(row!);
  expect(known === format);
  return at ? new Date(Number(at)).toISOString() : null;
}
