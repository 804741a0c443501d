// The page itself reads what is stored while the browser fetches the program. It never creates a database and never writes
// to one, and it closes its connection after reading, or when another page wants to change or delete the database. Records
// are text: a row ends in U+001E and a field in U+001F. The page checks their formats, counts and lengths; the program
// checks their digests when it loads them.

const schema = 1; // version of the database
const [fieldEnd, rowEnd] = ["\u001F", "\u001E"];

/** The name of the database of an account that is spelled as the program normalises it. */
const databaseName = (account: string): string => `xmpp-pam:${account}`;

const place = (account: string): string => `xmpp-pam:database:${account}`;

/**
 * Stores the name of an account's database for later pages, if it does not follow from the page's spelling. Otherwise
 * localStorage is not used, because its first use takes a sixth of the time in which a short list is read.
 */
export function noteDatabase(account: string, database: string): void {
  if (database === databaseName(account)) return;
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

export type Records = ReadonlyMap<IDBValidKey, unknown>;

/**
 * Reads records in one transaction: `read` sends the requests, and calls `done` with what it has found. Resolves with
 * undefined if there is no database, or if reading fails.
 */
export type ReadRecords = (
  read: (records: IDBObjectStore, done: (found?: Records) => void) => void,
) => Promise<Records | undefined>;

/** Makes a function that reads an account's database. Reads at the same time share a connection. The signal aborts them. */
export function recordReader(account: string, signal: AbortSignal): ReadRecords {
  let opening: Promise<IDBDatabase | undefined> | undefined;
  let readers = 0;
  return async (read) => {
    readers++;
    const db = await (opening ??= openOf(account));
    const found = db && await readRecords(db, signal, read);
    if (--readers === 0) {
      opening = undefined;
      db?.close();
    }
    return found;
  };
}

/** Opens an account's database, but does not create it. */
async function openOf(account: string): Promise<IDBDatabase | undefined> {
  const db = await open(databaseName(account));
  if (db) return db;
  const name = storage((s) => s.getItem(place(account)));
  return name ? open(name) : undefined;
}

function open(name: string): Promise<IDBDatabase | undefined> {
  return new Promise((resolve) => {
    const opening = indexedDB.open(name);
    opening.onupgradeneeded = () => opening.transaction!.abort(); // it does not exist
    opening.onerror = () => resolve(undefined);
    opening.onsuccess = () => {
      opening.result.onversionchange = () => opening.result.close();
      resolve(opening.result);
    };
  });
}

function readRecords(db: IDBDatabase, signal: AbortSignal, read: Parameters<ReadRecords>[0]): ReturnType<ReadRecords> {
  return new Promise((resolve) => {
    const end = (found?: Records): void => {
      signal.removeEventListener("abort", stop);
      db.removeEventListener("versionchange", stop);
      resolve(found);
    };
    const stop = (): void => end();
    signal.addEventListener("abort", stop);
    db.addEventListener("versionchange", stop);
    if (signal.aborted || db.version !== schema) return end();
    try {
      const tx = db.transaction("records");
      read(tx.objectStore("records"), end);
      tx.onabort = stop;
    } catch {
      stop(); // not a database of this package, or it was closed
    }
  });
}

/** Combines the results of getAllKeys and getAll. */
export const pairs = (keys: IDBRequest<IDBValidKey[]>, values: IDBRequest<unknown[]>): [IDBValidKey, unknown][] =>
  keys.result.map((key, i) => [key, values.result[i]]);

/** Returns the rows of a record, which must have the given length in bytes. Throws if it is no record. */
export function rowsOf(records: Records, key: string, bytes?: number): string[] {
  const value = records.get(key);
  expect(value instanceof Uint8Array && (bytes === undefined || value.length === bytes));
  const rows = decoder.decode(value as Uint8Array).split(rowEnd);
  expect(rows.pop() === "");
  return rows;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the fields of a row. The last is the text after the last fieldEnd, which should be empty. */
export const fieldsOf = (row: string): string[] => row.split(fieldEnd);

export function expect(holds: boolean): void {
  if (!holds) throw new Error("a record has an unexpected format");
}
