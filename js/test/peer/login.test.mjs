// The built package in Node.js logs in to the in-memory server. Web Cryptography derives the key if it is available, else
// the program does.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { WebSocket } from "ws";
import { createClient } from "../../dist/index.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const wasm = readFileSync(join(root, "js/dist/pam.wasm"));
globalThis.WebSocket ??= WebSocket;

let server;
let service;

before(async () => {
  server = spawn("go", ["run", "./sdk/server/mem/memserver", "-account", "alice:secret"], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  service = line.replace("listening ", "");
});

after(async () => {
  server.stdin.end(); // the server then exits
  await once(server, "exit");
});

const { subtle } = crypto;

/** Connects once with some functions of Web Cryptography replaced, or without it if replaced is undefined. */
async function login(replaced) {
  const value = replaced && { digest: (...args) => subtle.digest(...args), ...replaced };
  Object.defineProperty(crypto, "subtle", { value, configurable: true });
  try {
    const client = createClient({ account: "alice@localhost", credentials: () => ({ password: "secret" }), service, storage: "memory", runtime: { where: "main", wasm } });
    const { phase } = await client.connect();
    await client.close();
    return phase;
  } finally {
    delete crypto.subtle; // removes the replacement; the original is inherited
  }
}

test("with Web Cryptography", async () => {
  const derived = [];
  const phase = await login({
    importKey: (...args) => subtle.importKey(...args),
    deriveBits: (algorithm, ...rest) => {
      derived.push([algorithm.name, algorithm.hash, algorithm.iterations]);
      return subtle.deriveBits(algorithm, ...rest);
    },
  });
  assert.equal(phase, "live");
  assert.deepEqual(derived, [["PBKDF2", "SHA-512", 4096]]);
});

test("without Web Cryptography, as in an insecure context", async () => {
  assert.equal(await login(undefined), "live");
});

test("with Web Cryptography that fails", async () => {
  assert.equal(await login({ importKey: () => Promise.reject(new Error("no")) }), "live");
});
