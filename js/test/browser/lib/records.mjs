// Reads what the program has stored, without the program: a second reader, written from the layout that sdk/client/durable.go
// and record.go describe. It checks all that it can: formats, lengths, counts, digests, the order of rows.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";

const format = 1;
const decoder = new TextDecoder("utf-8", { fatal: true });

/** The name of an account's database. */
export const databaseOf = (account) => `xmpp-pam:${createHash("sha256").update(account).digest("hex").slice(0, 32)}`;

/** Runs in a page: all records of a database as [key, bytes], none if it does not exist. */
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
 * The stored list as {ver, rows, dropped}, where a row is [service, node, subid, jid, state], and `dropped` are rows of the
 * server's list that the account no longer wants to see; undefined if none is stored.
 */
export function storedList(records) {
  const buckets = records.filter(([key]) => /^list\/\d\d$/.test(key));
  const meta = records.find(([key]) => key === "list/meta");
  assert.equal(records.filter(([key]) => key.startsWith("list/")).length, buckets.length + (meta ? 1 : 0), "a record of another kind");
  if (!meta) {
    assert.deepEqual(buckets, [], "a list without its meta record");
    return undefined;
  }
  const r = reader(meta[1]);
  assert.equal(r.byte(), format);
  r.uint(); // epoch
  const ver = r.text();
  assert.equal(r.byte(), 0); // not used any more
  const [count, digest] = [r.uint(), r.uint()];
  const dropped = r.left() > 0 ? r.rows() : [];
  r.end();
  const rows = [];
  let found = 0n;
  for (const [key, bytes] of buckets) {
    const index = Number(key.slice(5));
    const bucket = readBucket(bytes);
    for (const row of bucket) assert.equal(bucketOf(row), index, `${row} is in bucket ${index}`);
    assert.ok(bucket.every((row, i) => i === 0 || compareRows(bucket[i - 1], row) < 0), `the rows of ${key} are not in order`);
    rows.push(...bucket);
    found ^= fnv64([index, ...bytes]);
  }
  assert.equal(BigInt(rows.length), count, "the number of rows");
  assert.equal(found, digest, "the digest");
  return { ver, rows: rows.sort(compareRows), dropped };
}

function readBucket(bytes) {
  const r = reader(bytes);
  assert.equal(r.byte(), format);
  const rows = r.rows();
  r.end();
  return rows;
}

function reader(bytes) {
  let at = 0;
  const byte = () => {
    assert.ok(at < bytes.length, "a record that breaks off");
    return bytes[at++];
  };
  const uint = () => {
    let value = 0n;
    for (let shift = 0n; ; shift += 7n) {
      const b = byte();
      value |= BigInt(b & 0x7f) << shift;
      if (b < 0x80) return value;
    }
  };
  const text = () => {
    const length = Number(uint());
    assert.ok(at + length <= bytes.length, "a text that breaks off");
    at += length;
    return decoder.decode(Uint8Array.from(bytes.slice(at - length, at)));
  };
  return {
    byte,
    uint,
    text,
    rows() {
      const rows = Array.from({ length: Number(uint()) }, () => Array.from({ length: 5 }, text));
      assert.ok(rows.length > 0, "rows of which there are none");
      return rows;
    },
    left: () => bytes.length - at,
    end: () => assert.equal(at, bytes.length, "more than was expected"),
  };
}

/** The order of a list: service, node and subid, by their bytes. */
export function compareRows(a, b) {
  for (let i = 0; i < 3; i++) {
    const order = Buffer.compare(Buffer.from(a[i]), Buffer.from(b[i]));
    if (order !== 0) return order;
  }
  return 0;
}

function bucketOf([service, node]) {
  let hash = 0x811c9dc5;
  for (const b of Buffer.from(`${service}\0${node}`)) hash = Math.imul(hash ^ b, 0x01000193) >>> 0;
  return hash % 64;
}

function fnv64(bytes) {
  let hash = 0xcbf29ce484222325n;
  for (const b of bytes) hash = BigInt.asUintN(64, (hash ^ BigInt(b)) * 0x100000001b3n);
  return hash;
}
