// Tests the search for secrets that checks every page: it must find the password wherever it leaks.

import assert from "node:assert/strict";
import { test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { canary, sweep } from "./lib/secrets.mjs";

// The document shows cookies too, so it comes before them.
const leaks = {
  console: (secret) => console.log("logging in with", { password: secret }.password),
  localStorage: (secret) => localStorage.setItem("login", `{"password":"${secret}"}`),
  sessionStorage: (secret) => sessionStorage.setItem(secret, ""),
  "the document": (secret) => { document.body.dataset.password = secret; },
  cookies: (secret) => { document.cookie = `login=${encodeURIComponent(secret)}`; },
  events: (secret) => { globalThis.events = [["warning", new Error("no", { cause: new Error(secret) })]]; },
  IndexedDB: (secret) => new Promise((resolve) => {
    const open = indexedDB.open("leak");
    open.onupgradeneeded = () => open.result.createObjectStore("t");
    open.onsuccess = () => {
      const transaction = open.result.transaction("t", "readwrite");
      transaction.objectStore("t").put(new TextEncoder().encode(`tab ${secret} session`), "key");
      transaction.oncomplete = () => { open.result.close(); resolve(); };
    };
  }),
};
const forms = {
  "the password": canary,
  "the password in base64": Buffer.from(`\0someone\0${canary}`).toString("base64"),
  "a SCRAM message": Buffer.from("c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=").toString("base64"),
};

test("the search finds a secret in every place", { skip: missing(), timeout: 60_000 }, async () => {
  const [lab, browser] = await Promise.all([startLab(), startChromium({ guarded: false })]);
  try {
    const context = await browser.newContext();
    const page = await context.newPage();
    const words = [];
    page.on("console", (m) => words.push(m.text()));
    await page.goto(lab.url);
    let before = await sweep(context, words);
    assert.deepEqual(before, []);
    for (const [place, leak] of Object.entries(leaks)) {
      for (const [form, secret] of Object.entries(forms)) {
        await page.evaluate(leak, secret);
        const what = `${form} in ${place}`;
        assert.ok(!before.includes(what), `${what} was found before it leaked`);
        before = await sweep(context, words);
        assert.ok(before.includes(what), `${what} was not found: ${before}`);
      }
    }
  } finally {
    await Promise.all([browser.close(), lab.stop()]);
  }
});
