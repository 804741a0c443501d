// The password of all accounts of the browser tests. No output may contain it: every page is searched before it is closed,
// and a match fails its test file.

import assert from "node:assert/strict";
import { after } from "node:test";

/** The password. scripts/part searches the output of the tests for it. */
export const canary = "canary-8f1Kq-Zw6tP";

/** The secrets: the password, plain and within base64, and the data that the client sends during authentication. */
const secrets = {
  "the password": [canary, encodeURIComponent(canary), Buffer.from(canary).toString("hex")],
  // The middle of its base64 form does not depend on the data around it, such as \0user\0 in PLAIN.
  "the password in base64": [0, 1, 2].map((shift) => Buffer.from("\0".repeat(shift) + canary).toString("base64").slice(shift && 4, -4)),
  "a SCRAM message": [Buffer.from("c=biws,r=").toString("base64").slice(0, 8), Buffer.from("n,,n=").toString("base64").slice(0, 6), "c=biws,r="],
  "a SASL payload": [/<(?:auth|challenge|response|success)\b[^>]*>[\w+/=]{4,}/],
};

const findings = [];
after(() => assert.deepEqual(findings, [], "secrets were found"));

/** Returns the names of the secrets in a text. */
export function search(text) {
  return Object.keys(secrets).filter((name) => secrets[name].some((s) => (s instanceof RegExp ? s.test(text) : text.includes(s))));
}

const said = new WeakMap(); // context → the console output of its pages

/** Searches the pages of a context when they or the context are closed. */
export function guard(context) {
  const words = [];
  said.set(context, words);
  context.on("page", (page) => {
    page.on("console", (m) => words.push(m.text()));
    page.on("pageerror", (e) => words.push(`${e}\n${e.stack}`));
    const close = page.close.bind(page);
    page.close = async (...args) => {
      findings.push(...await sweepPage(page));
      return close(...args);
    };
  });
  const close = context.close.bind(context);
  context.close = async (...args) => {
    if (said.has(context)) findings.push(...await sweep(context));
    said.delete(context);
    return close(...args);
  };
  return context;
}

/** Searches what the pages of a context show, store and have logged. */
export async function sweep(context, words = said.get(context) ?? []) {
  const found = (await Promise.all(context.pages().map(sweepPage))).flat();
  const rest = { console: words.join("\n"), cookies: JSON.stringify(await context.cookies().catch(() => [])) };
  return [...found, ...report(rest)];
}

async function sweepPage(page) {
  const dumps = await Promise.all(page.frames().map(async (frame) => {
    if (!/^http/.test(frame.url())) return {};
    const limit = new Promise((resolve) => setTimeout(resolve, 5000, {}).unref());
    return Promise.race([frame.evaluate(dump).catch(() => ({})), limit]); // a crashed page does not answer
  }));
  return dumps.flatMap(report);
}

const report = (places) => Object.entries(places).flatMap(([place, text]) => search(text).map((what) => `${what} in ${place}`));

/** Returns all that a page shows and stores, by place. */
async function dump() {
  const done = (request) => new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = request.onblocked = () => reject(request.error);
  });
  const textOf = (value) => {
    if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return new TextDecoder("latin1").decode(value);
    if (value instanceof Error) return [value.message, value.stack, textOf(value.cause), JSON.stringify(value)].join("\n");
    if (value !== null && typeof value === "object") return Object.entries(value).map(([k, v]) => `${k}\n${textOf(v)}`).join("\n");
    return String(value);
  };
  const databases = [];
  for (const { name } of await globalThis.indexedDB?.databases() ?? []) {
    const db = await done(indexedDB.open(name));
    for (const table of db.objectStoreNames) {
      const records = db.transaction(table).objectStore(table);
      databases.push(textOf([await done(records.getAllKeys()), await done(records.getAll())]));
    }
    db.close();
  }
  const client = globalThis.client ?? globalThis.pamDemo?.client;
  const frames = client ? [textOf(client.inspector.getSnapshot()), await client.inspector.export("xml").text()] : [];
  return {
    IndexedDB: databases.join("\n"),
    localStorage: textOf({ ...localStorage }),
    sessionStorage: textOf({ ...sessionStorage }),
    "the document": `${location.href}\n${document.cookie}\n${document.documentElement.outerHTML}\n${textOf(history.state)}`,
    "the wire log": frames.join("\n"),
    "the client's state": client ? textOf([client.sync.getSnapshot(), client.runtime.getSnapshot(), client.subscriptions.getSnapshot()]) : "",
    events: textOf(globalThis.events ?? []),
  };
}
