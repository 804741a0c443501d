// The demo page's texts for states and errors, whose names servers choose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { awayWords, completenessWords, errorFacts, errorWords, eventWords, seenWords, stateWords } from "../../demo/web/words.js";

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
  assert.match(errorWords(error, target), /may not follow “news”/);
  assert.match(errorWords({ ...error, pubsubCondition: "closed-node" }, target), /members/);
  assert.match(errorWords({ ...error, origin: "local-server" }, target), /account’s server refused/);
  assert.match(errorWords({ code: "offline", message: "x" }), /not connected/);
  assert.match(stateWords({ state: "pending" }), /approval/);
  assert.equal(stateWords({ state: "pending", local: "unsubscribing" }), "being removed…");
});

const titles = new Map([["news", "City news"]]);

test("events of feeds are told in words, with the title of the feed", () => {
  const event = { service: "pubsub.example.org", node: "news" };
  assert.match(eventWords({ ...event, type: "retracted" }, titles), /^An entry of City news was withdrawn/);
  assert.match(eventWords({ ...event, type: "deleted", redirect: "xmpp:a?;node=b" }, titles), /^City news was closed.*xmpp:a/);
  for (const name of names) assert.equal(typeof eventWords({ ...event, node: name, type: name }, titles), "string", name);
  assert.equal(seenWords({ state: "unseen", basis: "none" }), "");
  assert.match(seenWords({ state: "likely-seen-elsewhere", basis: "displayed-sync" }), /read on another/);
  assert.match(seenWords({ state: "likely-seen-elsewhere", basis: "live-elsewhere" }), /probably/);
});

test("what was found after an absence is called complete only if it is", () => {
  const done = { phase: "done", completeness: "unknown", gaps: [] };
  assert.match(completenessWords(done, titles), /do not say/);
  assert.equal(completenessWords({ ...done, completeness: "complete" }, titles), "everything");
  const gaps = [...names.map((reason) => ({ service: "s", node: "news", reason })), { service: "s", reason: "not-archived" }];
  for (const gap of gaps) assert.match(completenessWords({ ...done, completeness: "partial", gaps: [gap] }, titles), /^not everything: /);
  assert.match(completenessWords({ ...done, completeness: "partial", gaps }, titles), /City news .*, and \d+ more$/);
});

test("what has happened while the device was away is told in sentences", () => {
  const none = { added: [], removed: [], changed: [] };
  assert.deepEqual(awayWords({ since: new Date(), events: 0, subscriptions: none }, titles), []);
  const [first, ...rest] = awayWords({ since: new Date(), events: 1, subscriptions: { added: [target], removed: ["a", "b", "c", "d"].map((node) => ({ node })), changed: [{ after: target }] } }, titles);
  assert.match(first, /^1 entry was published since \d/);
  assert.deepEqual(rest, ["Followed on another device: City news.", "No longer followed: a, b, c and 1 more.", "Changed: City news."]);
});
