// The JavaScript half of package idb. It performs each operation without waiting for
// Go, because IndexedDB commits a transaction that has no pending request.
//
// Every function calls done exactly once, with (errorName, errorMessage,
// result), unless cancel is called first on the object that it returns.
// errorName is empty if the operation succeeded.

// The first n of these steps create schema version n from an empty database.
const migrations = [(db) => db.createObjectStore("records")];

/**
 * Opens a database. The caller gets an object with the methods of connection
 * below.
 *
 * @param {string} name
 * @param {boolean} create whether to create a database that does not exist;
 *   else the caller gets an object without records, which must not be kept
 * @param {number} blockedTimeout milliseconds to wait for other tabs that block; twice that for an answer of the browser
 * @param {(errorName: string, errorMessage: string) => void} onLost is called
 *   once if the browser or another tab closes the connection
 * @param {(errorName: string, errorMessage: string, connection?: object) => void} done
 * @param {AbortSignal} [ended] closes the connection when the program has ended
 * @returns {{cancel(): void}}
 */
export function openDatabase(name, create, blockedTimeout, onLost, done, ended) {
  let absent = false;
  const upgrade = ({ oldVersion, target: { result, transaction } }, wanted) => {
    absent = oldVersion === 0 && !create;
    // Aborting the upgrade removes the database that this request created.
    if (absent || !wanted) transaction.abort();
    else for (const migrate of migrations.slice(oldVersion)) migrate(result, transaction);
  };
  return start((factory) => factory.open(name, migrations.length), blockedTimeout, (errorName, text, db) => {
    if (absent) done("", "", nothing);
    else if (errorName) done(errorName, text);
    else done("", "", connection(db, onLost, ended));
  }, upgrade);
}

/**
 * Deletes a database. Its connections in this and in other tabs are closed.
 *
 * @param {string} name
 * @param {number} blockedTimeout see openDatabase
 * @param {(errorName: string, errorMessage: string) => void} done
 * @returns {{cancel(): void}}
 */
export function deleteDatabase(name, blockedTimeout, done) {
  return start((factory) => factory.deleteDatabase(name), blockedTimeout, (errorName, text) => done(errorName, text));
}

function start(makeRequest, blockedTimeout, done, upgrade) {
  let request;
  let timer;
  let wanted = true; // done has not been called
  const settle = (errorName, text, result) => {
    clearTimeout(timer);
    if (!wanted) return;
    wanted = false;
    done(errorName, text, result);
  };
  const wait = (ms, ...why) => {
    clearTimeout(timer);
    if (wanted) timer = setTimeout(settle, ms, ...why);
  };
  try {
    if (!globalThis.indexedDB) throw new DOMException("there is no indexedDB here", "NotSupportedError");
    request = makeRequest(globalThis.indexedDB);
  } catch (error) {
    settle(error.name, error.message);
    return { cancel() {} };
  }
  request.onupgradeneeded = (event) => upgrade(event, wanted);
  request.onblocked = () => wait(blockedTimeout, "BlockedError", "another tab keeps the database open");
  // For example while a deletion waits for another tab.
  wait(2 * blockedTimeout, "TimeoutError", "the browser does not answer; another tab may block the database");
  request.onsuccess = () => {
    if (!wanted) request.result?.close(); // the caller no longer waits for it
    settle("", "", request.result);
  };
  request.onerror = () => settle(request.error.name, request.error.message);
  return {
    cancel() {
      clearTimeout(timer);
      wanted = false;
    },
  };
}

/** The connection to a database that does not exist. */
const nothing = {
  get(keys, done) {
    done("", "", new Array(keys.length));
    return { cancel() {} };
  },
  scan(from, to, limit, reverse, done) {
    done("", "", [[], []]);
    return { cancel() {} };
  },
  commit(keys, values, ops, done) {
    if (values.every((value) => value === null)) done("", "");
    else done("ConflictError", "");
    return { cancel() {} };
  },
  close() {},
  absent: true,
};

function connection(db, onLost, ended) {
  const running = new Set(); // the functions that settle the running operations

  const close = () => {
    db.onclose = db.onversionchange = null;
    ended?.removeEventListener("abort", close);
    db.close(); // running transactions still finish
  };
  ended?.addEventListener("abort", close);
  db.onclose = () => {
    close();
    onLost("InvalidStateError", "the browser closed the database; its records may have been deleted");
    // Chromium emits no event for transactions that were running.
    for (const settle of running) settle("AbortError", "the browser closed the database");
  };
  db.onversionchange = ({ newVersion }) => {
    close();
    if (newVersion === null) onLost("DeletedError", "the database is being deleted");
    else onLost("VersionError", "a newer version of the program is changing the database");
  };

  // Runs body in one transaction. The operation has succeeded only if the transaction
  // completes. Cancelling an operation aborts its
  // transaction if that is still possible.
  const transact = (mode, done, body) => {
    const outcome = { result: undefined, error: null };
    let tx;
    const settle = (errorName, text, result) => {
      if (running.delete(settle)) done(errorName, text, result);
    };
    running.add(settle);
    try {
      tx = db.transaction("records", mode, { durability: "strict" });
      tx.oncomplete = () => settle("", "", outcome.result);
      tx.onabort = () => {
        const error = outcome.error ?? tx.error ?? { name: "AbortError", message: "the browser aborted it" };
        settle(error.name, error.message);
      };
      body(tx.objectStore("records"), outcome, tx);
    } catch (error) {
      settle(error.name, error.message);
    }
    return { cancel: () => void (running.delete(settle) && abort(tx)) };
  };

  return {
    /** done gets an array with a Uint8Array or undefined for each of keys. */
    get(keys, done) {
      return transact("readonly", done, (records, outcome) => {
        outcome.result = new Array(keys.length);
        keys.forEach((key, i) => {
          records.get(key).onsuccess = ({ target }) => (outcome.result[i] = bytes(target.result));
        });
      });
    },

    /** done gets [keys, values]. limit 0 means no limit, to "" the end. */
    scan(from, to, limit, reverse, done) {
      return transact("readonly", done, (records, outcome) => {
        const keys = [];
        const values = [];
        outcome.result = [keys, values];
        if (to !== "" && from >= to) return;
        if (!reverse) {
          const count = limit || undefined;
          records.getAllKeys(range(from, to), count).onsuccess = ({ target }) => (outcome.result[0] = target.result);
          records.getAll(range(from, to), count).onsuccess = ({ target }) => (outcome.result[1] = target.result.map(bytes));
          return;
        }
        records.openCursor(range(from, to), "prev").onsuccess = ({ target }) => {
          const cursor = target.result;
          if (!cursor) return;
          keys.push(cursor.key);
          values.push(bytes(cursor.value));
          if (keys.length !== limit) cursor.continue();
        };
      });
    },

    /**
     * Applies ops if the records under keys have the given values (Uint8Array,
     * or null for none). ops is flat, three entries each: 0 key value puts,
     * 1 key "" deletes, 2 from to deletes a range. done gets ConflictError if
     * a record differs.
     */
    commit(keys, values, ops, done) {
      return transact("readwrite", done, (records, outcome, tx) => {
        const fail = (error) => {
          outcome.error = error;
          tx.abort();
        };
        const apply = () => {
          try {
            for (let i = 0; i < ops.length; i += 3) {
              const [kind, key, arg] = [ops[i], ops[i + 1], ops[i + 2]];
              if (kind === 0) records.put(arg, key);
              else if (kind === 1) records.delete(key);
              else if (arg === "" || key < arg) records.delete(range(key, arg));
            }
          } catch (error) {
            fail(error);
          }
        };
        let open = keys.length;
        if (open === 0) apply();
        keys.forEach((key, i) => {
          records.get(key).onsuccess = ({ target }) => {
            if (outcome.error) return;
            if (!same(bytes(target.result) ?? null, values[i])) fail({ name: "ConflictError", message: "" });
            else if (--open === 0) apply();
          };
        });
      });
    },

    close,
    absent: false,
  };
}

function abort(tx) {
  try {
    tx?.abort();
  } catch {
    // The transaction has ended already.
  }
}

/**
 * Returns the bytes of a value. This program writes only Uint8Arrays; any other value counts as an empty one, which the
 * program detects as corrupt and replaces.
 */
function bytes(value) {
  return value === undefined || value instanceof Uint8Array ? value : new Uint8Array(0);
}

function range(from, to) {
  return to === "" ? IDBKeyRange.lowerBound(from) : IDBKeyRange.bound(from, to, false, true);
}

function same(a, b) {
  if (a === null || b === null) return a === b;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
