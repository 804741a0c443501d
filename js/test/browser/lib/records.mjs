// Reads the stored records without the program: an independent implementation of the layout that
// sdk/internal/engine/listrecord.go describes. It checks formats, lengths, counts, digests, and the order of rows.

import assert from "node:assert/strict";

const format = "2";
const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the name of an account's database. */
export const databaseOf = (account) => `xmpp-pam:${account}`;

/** Runs in a page: returns all records of a database as [key, bytes], none if it does not exist. */
export async function readRecords(name) {
  if (!(await indexedDB.databases()).some((db) => db.name === name)) return [];
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  const db = await done(indexedDB.open(name));
  try {
    const records = db.transaction("records").objectStore("records");
    const [keys, values] = await Promise.all([done(records.getAllKeys()), done(records.getAll())]);
    return keys.map((key, i) => [key, Array.from(values[i])]);
  } finally {
    db.close();
  }
}

/**
 * Returns the stored list as {ver, rows, dropped}, where a row is [service, node, subid, jid, state], and `dropped` are rows of the
 * server's list that the account no longer wants to see; undefined if none is stored.
 */
export function storedList(records) {
  const list = new Map(records.filter(([key]) => key.startsWith("list/")).map(([key, bytes]) => [key, Uint8Array.from(bytes)]));
  const meta = list.get("list/meta");
  if (!meta) {
    assert.equal(list.size, 0, "a list without its meta record");
    return undefined;
  }
  const [head, ...others] = readRows(meta);
  assert.equal(head.length, 7);
  const [known, epoch, ver, mode, count, chunks, droppedCount] = head;
  assert.deepEqual([known, mode], [format, "pam"]);
  assert.match(epoch, /^\d+$/);
  const [sum] = others.pop();
  assert.equal(sum, fnv32(meta.subarray(0, meta.length - sum.length - 2)), "the digest of the meta record");
  const dropped = others.splice(Number(chunks)).map(readRow);
  assert.equal(dropped.length, Number(droppedCount), "the number of dropped rows");
  assert.equal(list.size, Number(chunks) + 1, "a record of another kind");
  const rows = [];
  for (const [key, n, length, digest] of others) {
    const chunk = list.get(key);
    assert.deepEqual([chunk.length, fnv32(chunk)], [Number(length), digest], key);
    const read = readRows(chunk).map(readRow);
    assert.ok(read.length === Number(n) && read.length > 0 && read.length <= 256, `${key} has ${read.length} rows`);
    rows.push(...read);
  }
  assert.equal(rows.length, Number(count), "the number of rows");
  for (const part of [rows, dropped]) assert.ok(part.every((row, i) => i === 0 || compareRows(part[i - 1], row) < 0), "rows are not in order");
  return { ver, rows, dropped };
}

/** Every field ends in U+001F, and every row in U+001E. */
export function readRows(bytes) {
  const parts = (text, end) => {
    const found = text.split(end);
    assert.equal(found.pop(), "", "what has no end");
    return found;
  };
  return parts(decoder.decode(bytes), "\u001E").map((row) => parts(row, "\u001F"));
}

function readRow(fields) {
  const [service, , , , , kind] = fields;
  assert.deepEqual([fields.length, kind], [6, service.split("/")[0].includes("@") ? "pep" : "pubsub"]);
  return fields.slice(0, 5);
}

/** Compares two rows by service, node and subid, as bytes. */
export function compareRows(a, b) {
  for (let i = 0; i < 3; i++) {
    const order = Buffer.compare(Buffer.from(a[i]), Buffer.from(b[i]));
    if (order !== 0) return order;
  }
  return 0;
}

function fnv32(bytes) {
  let hash = 0x811c9dc5;
  for (const b of bytes) hash = Math.imul(hash ^ b, 0x01000193) >>> 0;
  return hash.toString(16);
}
