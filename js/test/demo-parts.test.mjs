// What the demo page computes without a browser: the figures of the comparison, and the words for messages.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, tagsOf } from "../../demo/web/describe.js";
import { serverWords } from "../../demo/web/login.js";
import { median, Tally } from "../../demo/web/tally.js";
import { brief, pretty } from "../../demo/web/wirelog.js";

test("a list is out of date from what the user wants until the device shows it", () => {
  const tally = new Tally(["A", "B"]);
  tally.wanted(["news"], 100);
  assert.equal(tally.result(150).staleMs, 100); // 50 ms on each
  tally.listed("A", ["news"], 130);
  tally.listed("B", ["news"], 160);
  tally.wanted([], 200);
  tally.listed("B", [], 210);
  assert.deepEqual(tally.result(250).stale, [
    { name: "A", from: 100, to: 130 }, { name: "A", from: 200, to: 250 },
    { name: "B", from: 100, to: 160 }, { name: "B", from: 200, to: 210 },
  ]);
  tally.listed("A", [], 240);
  assert.equal(tally.result(1000).staleMs, 30 + 60 + 40 + 10);
});

test("a list with another feed of the same number is out of date", () => {
  const tally = new Tally(["A"]);
  tally.wanted(["news"], 0);
  tally.listed("A", ["weather"], 5);
  assert.equal(tally.result(10).staleMs, 10);
});

test("entries are late, or missed on each device that does not show them", () => {
  const tally = new Tally(["A", "B"]);
  assert.deepEqual({ ...tally.result(0), stale: 0 }, { stale: 0, staleMs: 0, due: 0, missed: 0, medianMs: undefined });
  tally.shown("A", "news 1", 12); // before the publisher has its answer
  tally.published("news 1", 10);
  tally.published("news 2", 20);
  tally.shown("B", "news 1", 14);
  tally.shown("B", "news 1", 99); // again
  tally.shown("B", "other", 15); // not of this run
  const { due, missed, medianMs } = tally.result(100);
  assert.deepEqual({ due, missed, medianMs }, { due: 4, missed: 2, medianMs: 3 });
  assert.equal(median([3, 1, 2]), 2);
});

const pam = "urn:xmpp:pam:0";
const ps = "http://jabber.org/protocol/pubsub";
const self = "a@x/r";
const iq = (dir, type, body, layer) => (
  { dir, kind: "iq", layer, xml: `<iq type='${type}' id='1' to='${self}'>${body}</iq>` }
);
const message = (body, layer) => ({ dir: "in", kind: "message", layer, xml: `<message>${body}</message>` });
const inner = `<subscribe xmlns='${ps}' node='news' jid='a@x'/>`;
const subscribe = iq("out", "set", `<pam xmlns='${pam}' jid='p.x'>${inner}</pam>`, "pam");

test("messages of XEP-0376 name their example", () => {
  const list = iq("out", "get", `<subscriptions xmlns='${pam}' ver="v1"/>`, "pam");
  const [asks, lists] = [describe(subscribe), describe(list)];
  const error = (by) => iq("in", "error", `<error type='auth'${by}><forbidden/></error>`, "pam");
  const all = (rows) => iq("in", "result", `<subscriptions xmlns='${pam}' ver='v2'>${rows}</subscriptions>`, "pam");
  const row = "<subscription node='news' jid='a@x' subscription='subscribed'/>";
  for (const [said, text, example] of [
    [asks, "subscribe news", 1],
    [describe(message(`<notify xmlns='${pam}' ver='v2'>${row}</notify>`, "pam")), "notify: news subscribed", 2],
    [describe(error(""), asks), "error forbidden", 3],
    [describe(error(" by='a@x'"), asks), "error forbidden by a@x", 3],
    [describe(error(" by='p.x'"), asks), "error forbidden by p.x", 4],
    [lists, "list since version v1", 5],
    [describe(all(row + row), lists), "list of 2, version v2", 6],
    [describe(iq("in", "result", "", "pam"), asks), "result, empty", undefined],
  ]) assert.deepEqual([said.text, said.example, Boolean(said.routine)], [text, example, false]);
});

test("what devices send besides is routine, and so is its answer", () => {
  const seen = "urn:xmpp-pam:seen:0:4";
  const read = describe(iq("out", "get", `<pubsub xmlns='${ps}'><items node='${seen}'/></pubsub>`, "pubsub"));
  for (const said of [
    read, describe(iq("in", "error", "<error><item-not-found/></error>", "pubsub"), read),
    describe({ dir: "out", kind: "sm", xml: "<r xmlns='urn:xmpp:sm:3'/>" }),
    describe({ dir: "out", kind: "presence", layer: "caps", xml: "<presence><c/></presence>" }),
    describe(iq("out", "get", "<query xmlns='http://jabber.org/protocol/disco#info'/>", "disco")),
    describe(iq("in", "result", "")),
  ]) assert.equal(said.routine, true, said.text);
  const event = (node, body) => message(`<event><items node='${node}'>${body}</items></event>`, "pubsub");
  assert.deepEqual(describe(event("news", "<item id='e1'/>")), { text: "entry of news: e1" });
  assert.deepEqual(describe(event(seen, "<item id='s'><seen item='e1'/></item>")), { text: "marked as read: e1" });
});

test("any text can be described", () => {
  assert.equal(tagsOf("<a:b c='1>2' d=\"it's &lt;&amp;lt;\"/>")[0].attribute("d"), "it's <&lt;");
  for (const xml of ["", "<", "<iq", "<iq type='error'/>", "no tag", "<iq type='result'><x y=z></iq>", "<\u{1F600}/>"]) {
    for (const kind of ["iq", "message", "other"]) {
      assert.equal(typeof describe({ dir: "in", kind, layer: "pam", xml }).text, "string", xml);
    }
  }
});

test("the time for a message does not depend on what is in it", () => {
  const long = (text) => text.repeat(Math.ceil(1_000_000 / text.length));
  const took = (xml) => Math.min(...[1, 2, 3].map(() => {
    const start = performance.now();
    for (const read of [tagsOf, brief, pretty]) read(xml);
    return performance.now() - start;
  }));
  const usual = took(long("<a b='c'>text</a>"));
  for (const text of ["<a", "<", "<a ", "<a b='", "<a b='' ", "<a='' ", " a=''", "<a>", "<a b=\"'", "a=", " ", "<![CDATA[", "<a\n"]) {
    for (const xml of [long(text), `<${long(text)}`, `<a ${long(text)}`, `<message><![CDATA[${long(text)}/ ]]></message>`]) {
      const ms = took(xml);
      assert.ok(ms < 20 + 20 * usual, `${xml.slice(0, 30)}…: ${ms} ms, of usual text ${usual} ms`);
    }
  }
});

test("a message is shown with one tag on each line", () => {
  assert.equal(pretty("<a b='1'><c/><d>text</d><e></e></a>"), "<a b='1'>\n  <c/>\n  <d>text</d>\n  <e></e>\n</a>");
  assert.equal(pretty("<a>x<b"), "<a>\n  x\n  <b");
  assert.match(pretty("x".repeat(20_001)), /\n… and 1 more characters$/);
  assert.equal(brief("<iq type='get'><query node='n' x='y'/></iq>"), "iq type=get › query node=n");
});

test("a count in a message that is not read to its end is the least number", () => {
  const rows = "<subscription node='news'/>".repeat(1000);
  const said = describe(iq("in", "result", `<subscriptions ver='v2'>${rows}</subscriptions>`, "pam"), { pam: true });
  assert.match(said.text, /^list of 7\d\d or more, version v2$/);
});

test("what a server lacks is one sentence, and what failed is the error", () => {
  const words = (phase, missing = [], error = undefined) => serverWords({ phase, missing, error });
  assert.equal(words("live"), "The server has everything that is needed.");
  assert.match(words("live", ["pam", "archive"]), /^The server has no Pubsub Account Management .*; no archive .*\.$/);
  assert.equal(words("live", ["news"]), "The server has no news.");
  assert.deepEqual([words("failed", [], "refused"), words("waiting", [], "lost"), words("connecting"), words("waiting")], ["refused", "lost", "", ""]);
});
