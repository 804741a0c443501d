// Requests for credentials, and what options.credentials may do.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { makeHost, turn } from "./host.mjs";
import { watchRegistrations } from "./registered.mjs";
import { odd } from "./odd-values.mjs";

test("credentials are requested for every authentication, with a signal", async () => {
  const asked = [];
  const host = makeHost({
    credentials: (request) => {
      asked.push(request);
      if (asked.length === 1) return { password: "one" };
      if (asked.length === 2) throw new Error("no keyring");
      return new Promise(() => undefined);
    },
  });
  await host.client.subscriptions.ready;
  host.post({ event: "credentials", ask: 1, reason: "initial", mechanisms: ["SCRAM-SHA-256"] });
  const first = await host.until("credentials");
  assert.deepEqual([first.ask, first.password, first.id], [1, "one", 0]);
  host.post({ event: "credentials", ask: 2, reason: "rejected", mechanisms: [] });
  const second = await host.until("credentials", 2);
  assert.deepEqual([second.ask, second.password, second.failed], [2, undefined, "options.credentials failed: no keyring"]);
  host.post({ event: "credentials", ask: 3, reason: "reconnect", mechanisms: [] });
  host.post({ event: "credentials", ask: 3, canceled: true });
  await turn();
  assert.deepEqual(asked.map((r) => [r.reason, r.signal.aborted]), [["initial", false], ["rejected", false], ["reconnect", true]]);
  assert.deepEqual(asked[0].mechanisms, ["SCRAM-SHA-256"]);
});

test("a password that is given as an object is read once, when the client is created", async () => {
  let reads = 0;
  let password = "one";
  const host = makeHost({ credentials: { get password() { reads++; return password; } } });
  password = "two";
  await host.client.subscriptions.ready;
  for (const ask of [1, 2]) {
    host.post({ event: "credentials", ask, reason: "initial", mechanisms: [] });
    assert.equal((await host.until("credentials", ask)).password, "one");
  }
  assert.equal(reads, 1);
});

for (const [name, returned, text] of [
  ["a misspelt name", { pasword: "x" }, /^options\.credentials\(\)\.pasword is not an option/],
  ["text", "secret", /^options\.credentials\(\) must return \{password\}/],
  ["nothing", undefined, /^options\.credentials\(\) must return \{password\}/],
  ["an empty object", {}, /^options\.credentials\(\)\.password must be a non-empty string/],
  ["an empty password", { password: "" }, /^options\.credentials\(\)\.password must be a non-empty string/],
]) {
  test(`a credentials function that returns ${name} is reported as wrong`, async () => {
    const host = makeHost({ credentials: async () => returned });
    await host.client.subscriptions.ready;
    host.post({ event: "credentials", ask: 1, reason: "initial", mechanisms: [] });
    const { failed, wrong } = await host.until("credentials");
    assert.equal(wrong, true);
    assert.match(failed, text);
    assert.ok(!failed.includes("secret"));
    await host.client.close();
  });
}

test("a password is passed only to the program that requested it", async () => {
  const asked = [];
  const host = makeHost({ credentials: (request) => new Promise((resolve) => asked.push({ request, resolve })) });
  const { client } = host;
  await client.connect();
  host.post({ event: "credentials", ask: 1 });
  await turn();
  host.exit("exit code 2");
  await turn();
  assert.equal(asked[0].request.signal.aborted, true);
  await client.connect();
  host.post({ event: "credentials", ask: 1 });
  await turn();
  asked[0].resolve({ password: "old" });
  await turn();
  assert.equal(host.request("credentials"), undefined, "the new program got the old answer");
  asked[1].resolve({ password: "new" });
  assert.equal((await host.until("credentials")).password, "new");
  host.post({ event: "credentials", ask: 2 }, { event: "credentials", ask: 2, canceled: true });
  await turn();
  asked[2].resolve({ password: "late" });
  await turn();
  assert.equal(host.requests.filter((r) => r.op === "credentials").length, 1, "an answer was sent for a canceled request");
});

test("a request is frozen, and its signal is aborted only while it waits for the answer", async () => {
  const asked = [];
  const host = makeHost({ credentials: (request) => (asked.push(request), request.reason === "initial" ? { password: "one" } : new Promise(() => undefined)) });
  await host.client.subscriptions.ready;
  const mechanisms = ["SCRAM-SHA-256", "PLAIN"];
  host.post({ event: "credentials", ask: 1, reason: "initial", mechanisms });
  await host.until("credentials");
  host.post(...[2, 3].map((ask) => ({ event: "credentials", ask, reason: "reconnect", mechanisms })));
  host.post({ event: "credentials", ask: 1, canceled: true }, { event: "credentials", ask: 9, canceled: true }, { event: "credentials", ask: 3, canceled: true });
  await turn();
  const aborted = () => asked.map((r) => r.signal.aborted);
  assert.deepEqual(aborted(), [false, false, true], "a request that was answered cannot be canceled");
  assert.deepEqual(asked.map((r) => [r.reason, r.mechanisms]), ["initial", "reconnect", "reconnect"].map((reason) => [reason, mechanisms]));
  assert.ok(asked.every((r) => Object.isFrozen(r) && Object.isFrozen(r.mechanisms)));
  host.exit("exit code 2");
  await turn();
  assert.deepEqual(aborted(), [false, true, true]);
});

test("a canceled request leaves nothing, and neither does one that was answered", async (t) => {
  const { left } = watchRegistrations(t);
  const host = makeHost({ credentials: ({ reason }) => (reason === "initial" ? { password: "one" } : new Promise(() => undefined)) });
  await host.client.subscriptions.ready;
  await turn();
  const before = left();
  host.post({ event: "credentials", ask: 1, reason: "reconnect", mechanisms: [] });
  await turn();
  assert.equal(left().length, before.length + 1);
  host.post({ event: "credentials", ask: 1, canceled: true }, { event: "credentials", ask: 2, reason: "initial", mechanisms: [] });
  await host.until("credentials");
  await turn();
  assert.deepEqual(left(), before);
  await host.client.close();
});

const ways = {
  "throws": (value) => () => { throw value; },
  "rejects with": (value) => async () => { throw value; },
  "returns": (value) => () => value,
  "resolves with": (value) => async () => value,
  "returns a thenable that rejects with": (value) => () => ({ then(_resolve, reject) { reject(value); } }),
  "returns a thenable that throws": (value) => () => ({ then() { throw value; } }),
  "returns as password": (value) => () => ({ password: value }),
  "returns a password that throws": (value) => () => ({ get password() { throw value; } }),
};

test("whatever options.credentials does, the program gets an answer and connect() settles", async (t) => {
  const unhandled = [];
  const heard = (e) => unhandled.push(e);
  process.on("unhandledRejection", heard);
  t.after(() => process.off("unhandledRejection", heard));
  const credentials = { way: undefined };
  const host = makeHost({ credentials: (request) => credentials.way(request) }, {
    connect(request, h) { h.post({ event: "credentials", ask: request.id }); },
    credentials({ ask, failed, password, wrong }, h) {
      assert.ok(typeof failed === "string" ? failed.length < 1100 : typeof password === "string");
      h.post({ id: ask, error: { code: wrong ? "bad-options" : "aborted", text: failed ?? "a password" } });
    },
  });
  await host.client.subscriptions.ready;
  for (const [name, way] of Object.entries(ways)) {
    for (const [i, value] of odd.entries()) {
      credentials.way = way(value);
      await assert.rejects(host.client.connect({ timeoutMs: 2000 }), (e) => {
        assert.ok(e instanceof PamError && ["aborted", "bad-options"].includes(e.code), `${name} value ${i}: ${e.code}`);
        return true;
      });
    }
  }
  await turn();
  assert.deepEqual(unhandled, []);
});
