// The demo page's texts for states and errors, whose names servers choose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { errorFacts, errorWords, stateWords } from "../../demo/web/words.js";

const names = [...Object.getOwnPropertyNames(Object.prototype), "then", "", "\u{1F600}", "a".repeat(1000)];
const target = { service: "pubsub.example.org", node: "news" };

test("conditions, codes, states and origins may have any name", () => {
  assert.ok(names.includes("__proto__") && names.includes("constructor"));
  for (const name of names) {
    const error = { code: name, condition: name, pubsubCondition: name, origin: name, message: "What the server said." };
    for (const t of [target, undefined]) assert.equal(errorWords(error, t), "What the server said.", name);
    for (const [, value] of errorFacts(error)) assert.equal(typeof value, "string", name);
    assert.equal(stateWords({ state: name }), name);
  }
});

test("known names have their own texts", () => {
  const error = { code: "stanza", origin: "remote-service", condition: "forbidden", message: "x" };
  assert.match(errorWords(error, target), /may not subscribe to “news”/);
  assert.match(errorWords({ ...error, pubsubCondition: "closed-node" }, target), /members/);
  assert.match(errorWords({ ...error, origin: "local-server" }, target), /account’s server refused/);
  assert.match(errorWords({ code: "offline", message: "x" }), /not connected/);
  assert.match(stateWords({ state: "pending" }), /approval/);
  assert.equal(stateWords({ state: "pending", local: "unsubscribing" }), "unsubscribing…");
});
