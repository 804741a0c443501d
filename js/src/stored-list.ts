import type { Row } from "./subscription-list.js";

// The page itself reads the stored list while the browser fetches the program. sdk/internal/engine/listrecord.go describes
// the records. The page checks their formats, counts and lengths; the program checks their digests when it loads the list.
// This module never writes to the database.

/** The stored list. */
export interface StoredList {
  readonly rows: readonly Row[];
  readonly ver: string | null;
  /** When the list was last known to equal the server's. */
  readonly asOf: string | null;
}

const schema = 1; // version of the database
const format = "2";
const [fieldEnd, rowEnd] = ["\u001F", "\u001E"];
const listKeys = ["list/", "list0"] as const; // from, to

const place = (account: string): string => `xmpp-pam:database:${account}`;

/** Stores the name of an account's database for later pages. `account` is the page's spelling. */
export function noteDatabase(account: string, database: string): void {
  storage((s) => {
    if (s.getItem(place(account)) !== database) s.setItem(place(account), database);
  });
}

/** Removes the name of a database for all spellings of the account. */
export function forgetDatabase(database: string): void {
  storage((s) => {
    for (const key of Object.keys(s)) if (key.startsWith(place("")) && s.getItem(key) === database) s.removeItem(key);
  });
}

/** Uses localStorage. If there is none, or the browser denies it, the list appears only when the program has read it. */
function storage<T>(use: (s: Storage) => T): T | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}

/**
 * Reads the stored list of an account. Resolves with undefined if there is none, or if a record has an unexpected format.
 * The program reads the same records later, and reports or repairs what is wrong. The signal aborts reading.
 */
export async function readStoredList(account: string, signal: AbortSignal): Promise<StoredList | undefined> {
  const name = storage((s) => s.getItem(place(account)));
  if (!name) return undefined;
  try {
    const found = await readRecords(name, signal);
    return found && decode(found);
  } catch {
    return undefined;
  }
}

type Records = ReadonlyMap<IDBValidKey, unknown>;

/** Reads the records in one transaction. It does not create the database, and closes it afterwards. */
function readRecords(name: string, signal: AbortSignal): Promise<Records | undefined> {
  return new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onupgradeneeded = () => opening.transaction!.abort(); // the database does not exist: do not create it
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      const db = opening.result;
      const end = (found?: Records): void => {
        db.close();
        signal.removeEventListener("abort", stop);
        resolve(found);
      };
      const stop = (): void => end();
      signal.addEventListener("abort", stop);
      db.onversionchange = stop;
      if (signal.aborted || db.version !== schema) return end();
      try {
        const tx = db.transaction("records");
        const records = tx.objectStore("records");
        const range = IDBKeyRange.bound(...listKeys, false, true);
        const [keys, values, sync] = [records.getAllKeys(range), records.getAll(range), records.get("sync")];
        sync.onsuccess = () => { // the last request of the transaction: all values are read
          const list = keys.result.map((key, i): [IDBValidKey, unknown] => [key, values.result[i]]);
          end(new Map([...list, ["sync", sync.result]]));
        };
        tx.onabort = stop;
      } catch {
        stop(); // not a database of this package
      }
    };
  });
}

/** Decodes the records. It throws if a record has an unexpected format. */
function decode(records: Records): StoredList | undefined {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const rowsOf = (key: string, bytes?: number): string[] => {
    const value = records.get(key);
    expect(value instanceof Uint8Array && (bytes === undefined || value.length === bytes));
    const rows = decoder.decode(value as Uint8Array).split(rowEnd);
    expect(rows.pop() === "");
    return rows;
  };
  const [head, ...others] = rowsOf("list/meta");
  const [known, , ver = "", mode, count, chunks, , ...rest] = head!.split(fieldEnd);
  expect(known === format && mode === "pam" && rest.length === 1);
  const rows: Row[] = [];
  for (let i = 0; i < Number(chunks); i++) {
    const [key = "", n, bytes] = others[i]!.split(fieldEnd);
    const chunk = rowsOf(key, Number(bytes));
    expect(chunk.length === Number(n));
    for (const row of chunk) {
      const fields = row.split(fieldEnd);
      expect(fields.length === 7); // the last is the text after the last fieldEnd
      rows.push(fields as unknown as Row);
    }
  }
  expect(rows.length === Number(count));
  if (rows.length === 0 && ver === "") return undefined;
  return { rows, ver: ver === "" ? null : ver, asOf: lastSync(rowsOf("sync")) };
}

function lastSync([row]: string[]): string | null {
  const [known, , , at] = row!.split(fieldEnd);
  expect(known === format);
  return at ? new Date(Number(at)).toISOString() : null;
}

function expect(holds: boolean): void {
  if (!holds) throw new Error("a record has an unexpected format");
}
