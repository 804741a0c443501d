import assert from "node:assert/strict";
import { test } from "node:test";
import { difference } from "../build/src/subscription-delta.js";
import { subscriptionList } from "../build/src/subscription-list.js";
import { row } from "./host.mjs";

const all = (...rows) => rows.map((row) => [null, row]);
const make = (...rows) => {
  const l = subscriptionList();
  l.reset(all(...rows), [], "1", "cache");
  return l;
};
const shown = (l) => l.snapshot().map((r) => `${r.node}:${r.state}${r.local ? `:${r.local}` : ""}`);
const apply = (l, ...changes) => l.apply(changes, "1", "2", "other-device", "server");

test("rows are sorted and frozen, and have all fields", () => {
  const l = make(row("b"), row("a", "pending"), row("n", "subscribed", "bob@example.org"), row("a", "subscribed", "pubsub.example.org", "id2"));
  const s = l.snapshot();
  assert.deepEqual(s.map((r) => [r.service, r.node, r.subid, r.state, r.kind]), [
    ["bob@example.org", "n", undefined, "subscribed", "pep"],
    ["pubsub.example.org", "a", undefined, "pending", "pubsub"],
    ["pubsub.example.org", "a", "id2", "subscribed", "pubsub"],
    ["pubsub.example.org", "b", undefined, "subscribed", "pubsub"],
  ]);
  assert.deepEqual([s.ver, s.source, s.asOf], ["1", "cache", null]);
  assert.ok(Object.isFrozen(s) && s.every(Object.isFrozen));
  assert.equal(s[0].key, "bob@example.org\0n\0");
  assert.equal(JSON.stringify(s), JSON.stringify([...s]));
});

test("interests decide which rows are supported, now and later", () => {
  const l = subscriptionList([["pubsub.example.org", "a", "", "urn:x"], ["", "be", "*", ""]]);
  const supported = () => l.snapshot().filter((r) => r.supported).map((r) => `${r.service} ${r.node}`);
  l.reset(all(row("a"), row("a", "subscribed", "bob@example.org"), row("b"), row("beta"), row("ab")), [[...row("bet"), "subscribing"]], "1", "cache");
  assert.deepEqual(supported(), ["pubsub.example.org a", "pubsub.example.org bet", "pubsub.example.org beta"]);
  const before = l.snapshot();
  l.setInterests([["", "a", "", ""], ["", "bet", "*", ""]]);
  assert.deepEqual(supported(), ["bob@example.org a", "pubsub.example.org a", "pubsub.example.org bet", "pubsub.example.org beta"]);
  assert.deepEqual(l.snapshot().map((r) => before.includes(r)), [false, true, true, true, true, true]);
  assert.ok(l.snapshot().every(Object.isFrozen));
  l.setInterests([]);
  assert.deepEqual(supported(), []);
  l.setInterests(null);
  assert.equal(supported().length, 6);
  const { added: [after] } = apply(l, [null, row("new")]);
  assert.equal(after.supported, true);
});

test("a field of a changed row that is 0 is that of the row before", () => {
  const l = subscriptionList();
  l.more([[null, ["s", "a", "", "j", "subscribed", "pubsub"]], [null, [0, "b", "id", 0, 0, 0]]]);
  l.reset([[null, ["t", "c", "", "j", "pending", "pubsub"]]], [], "1", "cache");
  assert.deepEqual(l.snapshot().map((r) => [r.service, r.node, r.subid, r.jid, r.state, r.kind]), [
    ["s", "a", undefined, "j", "subscribed", "pubsub"],
    ["s", "b", "id", "j", "subscribed", "pubsub"],
    ["t", "c", undefined, "j", "pending", "pubsub"],
  ]);
  const delta = apply(l, [["s", "a", "", "j", "subscribed", "pubsub"], [0, 0, 0, 0, "pending", 0]], [[0, "b", "id", 0, "subscribed", 0], null]);
  assert.deepEqual([delta.added, delta.changed.map((c) => [c.before.node, c.after.node, c.after.state]), delta.removed.map((r) => r.node)], [[], [["a", "a", "pending"]], ["b"]]);
});

test("a snapshot stays the same object until something changes, and a row until it changes", () => {
  const l = make(row("a"), row("b"));
  const before = l.snapshot();
  assert.equal(l.snapshot(), before);
  const delta = apply(l, [row("b"), row("b", "pending")], [null, row("c")]);
  const after = l.snapshot();
  assert.notEqual(after, before);
  assert.equal(after[0], before[0]);
  assert.deepEqual(shown(l), ["a:subscribed", "b:pending", "c:subscribed"]);
  assert.deepEqual(delta.added, [after[2]]);
  assert.deepEqual(delta.changed, [{ before: before[1], after: after[1] }]);
  assert.deepEqual([delta.origin, delta.fromVer, delta.toVer, after.ver, after.source], ["other-device", "1", "2", "2", "server"]);
  assert.ok(Object.isFrozen(delta) && Object.isFrozen(delta.added) && Object.isFrozen(delta.changed[0]));
});

test("a change of one kind alone is a delta, and no change is none", () => {
  const l = make(row("a"));
  const counts = (delta) => [delta.added.length, delta.removed.length, delta.changed.length];
  assert.deepEqual(counts(apply(l, [row("a"), row("a", "pending")])), [0, 0, 1]);
  assert.deepEqual(counts(apply(l, [null, row("b")])), [1, 0, 0]);
  assert.deepEqual(counts(apply(l, [row("b"), null])), [0, 1, 0]);
  assert.equal(apply(l), undefined);
});

test("a reload keeps the objects of unchanged rows", () => {
  const l = make(row("a"), row("b"));
  const before = l.snapshot();
  l.reset(all(row("a"), row("b", "pending")), [], "2", "cache");
  assert.equal(l.snapshot()[0], before[0]);
  assert.notEqual(l.snapshot()[1], before[1]);
});

test("a change to an equal row is not a difference", () => {
  const l = make(row("a"));
  assert.equal(apply(l, [null, row("a")]), undefined);
  assert.equal(l.snapshot().ver, "2");
  assert.equal(l.apply([], "2", "3", "other-device", "server"), undefined);
  assert.equal(l.snapshot().ver, "3", "the version alone differs");
  assert.equal(apply(l, [row("x"), null]), undefined);
  assert.deepEqual(apply(l, [row("a"), null]).removed.map((r) => r.node), ["a"]);
  assert.deepEqual(shown(l), []);
});

test("the overlay replaces and hides rows of the list", () => {
  const l = make(row("b"), row("d"), row("f"));
  const cases = [
    [[[...row("a", "pending"), "subscribing"]], ["a:pending:subscribing", "b:subscribed", "d:subscribed", "f:subscribed"]],
    [[[...row("c", "none"), "subscribing"]], ["b:subscribed", "c:pending:subscribing", "d:subscribed", "f:subscribed"]],
    [[[...row("d", "subscribed"), "unsubscribing"]], ["b:subscribed", "d:subscribed:unsubscribing", "f:subscribed"]],
    [[[...row("d", "none"), "unsubscribing"]], ["b:subscribed", "d:subscribed:unsubscribing", "f:subscribed"]],
    [[[...row("d", "none"), ""]], ["b:subscribed", "f:subscribed"]],
    [[[...row("x", "none"), ""]], ["b:subscribed", "d:subscribed", "f:subscribed"]],
    [[[...row("z", "subscribed"), ""]], ["b:subscribed", "d:subscribed", "f:subscribed", "z:subscribed"]],
    [[], ["b:subscribed", "d:subscribed", "f:subscribed"]],
  ];
  for (const [rows, want] of cases) {
    l.setProvisional(rows);
    assert.deepEqual(shown(l), want);
  }
});

test("an unchanged provisional row stays the same object", () => {
  const l = make(row("a"));
  l.setProvisional([[...row("b", "pending"), "subscribing"]]);
  const first = l.snapshot()[1];
  l.setProvisional([[...row("b", "pending"), "subscribing"], [...row("c", "pending"), "subscribing"]]);
  assert.equal(l.snapshot()[1], first);
  l.setProvisional([row("b", "pending")]); // the operation has ended, but the list does not contain the row yet
  assert.deepEqual(shown(l), ["a:subscribed", "b:pending"]);
});

test("a row that differs in one field alone is another object, and an equal one is the same", () => {
  const [service, node, subid, jid, state, kind] = row("b");
  const variants = [
    [service, node, subid, jid, "pending", kind], [service, node, subid, "alice@example.org/phone", state, kind], [service, node, subid, jid, state, kind, "subscribing"],
    [service, node, subid, jid, state, kind, "unsubscribing"], [service, node, subid, jid, state, kind],
  ];
  const l = make(row("a"));
  const list = make(row("a"));
  let [last, lastListed] = [];
  for (const variant of variants) {
    for (const same of [false, true]) {
      l.setProvisional([[...variant]]);
      const [, shown] = l.snapshot();
      assert.equal(shown === last, same, JSON.stringify(variant));
      assert.deepEqual([shown.state, shown.jid, shown.local], [variant[4], variant[3], variant[6]]);
      last = shown;
      if (variant[6]) continue;
      assert.equal(apply(list, [null, [...variant]]) === undefined, same, JSON.stringify(variant));
      const [, listed] = list.snapshot();
      assert.equal(listed === lastListed, same, JSON.stringify(variant));
      lastListed = listed;
    }
  }
});

test("a provisional row keeps its subid and the state of the row that it replaces", () => {
  const l = make(row("a", "pending", "s", "1"), row("a", "subscribed", "s", "2"));
  l.setProvisional([[...row("a", "none", "s", "1"), "unsubscribing"], [...row("a", "", "s", "2"), "unsubscribing"], [...row("a", "", "s", "3"), "unsubscribing"], [...row("a", "", "s", "4"), "subscribing"]]);
  assert.deepEqual(l.snapshot().map((r) => [r.subid, r.state, r.local]), [["1", "pending", "unsubscribing"], ["2", "subscribed", "unsubscribing"], ["4", "pending", "subscribing"]]);
  l.setProvisional([row("a", "", "s", "1")]);
  assert.deepEqual(l.snapshot().map((r) => r.subid), ["2"]);
  l.reset(all(row("a", "pending", "s", "1")), [[...row("b", "", "s"), "subscribing"]], "2", "cache");
  assert.deepEqual(shown(l), ["a:pending", "b:pending:subscribing"]);
  l.reset(all(row("a", "pending", "s", "1")), [], "2", "cache");
  assert.deepEqual(shown(l), ["a:pending"]);
});

test("the stored list is shown in order, with its version and time", () => {
  const l = subscriptionList();
  const heard = [];
  l.subscribe((s) => heard.push(s.source));
  l.showStored({ rows: [row("c"), row("a"), row("b", "pending")], ver: "7", asOf: "2000-01-01T00:00:00.000Z" });
  assert.deepEqual(heard, ["unread"]);
  l.flush();
  const s = l.snapshot();
  assert.deepEqual([shown(l), s.ver, s.asOf, s.source, heard], [["a:subscribed", "b:pending", "c:subscribed"], "7", "2000-01-01T00:00:00.000Z", "cache", ["unread", "cache"]]);
  assert.equal(l.get("pubsub.example.org", "b", "").state, "pending");
});

test("version, source and time alone make a new snapshot of the same rows, and equal ones do not", () => {
  const l = make(row("a"));
  l.confirm("cache", "t1");
  const times = [["server", "t1"], ["server", "t2"], ["cache", "t2"], ["cache", null]];
  for (const [source, asOf] of times) {
    for (const same of [false, true]) {
      const before = l.snapshot();
      l.confirm(source, asOf);
      const s = l.snapshot();
      assert.deepEqual([s === before, s.source, s.asOf, s.ver, s[0] === before[0]], [same, source, asOf, "1", true]);
    }
  }
  for (const [ver, source] of [["2", "cache"], ["2", "server"], [null, "server"]]) {
    for (const same of [false, true]) {
      const before = l.snapshot();
      l.apply([], "1", ver, "other-device", source);
      const s = l.snapshot();
      assert.deepEqual([s === before, s.source, s.ver], [same, source, ver]);
    }
  }
});

test("the end of the program removes the overlay, and its listeners hear of it", () => {
  const l = make(row("a"));
  l.setProvisional([[...row("b", "pending"), "subscribing"], [...row("a", "none"), "unsubscribing"]]);
  const heard = [];
  l.subscribe(() => heard.push(shown(l).join()));
  l.flush();
  l.dropUncommitted();
  l.flush();
  assert.deepEqual(heard, ["a:subscribed:unsubscribing,b:pending:subscribing", "a:subscribed"]);
});

test("the kind of a service is that of its rows, and pubsub if it has none", () => {
  const l = make(row("a", "subscribed", "bob@example.org"), row("a", "subscribed", "dave@example.org"), row("a"));
  for (const [service, kind] of [["bob@example.org", "pep"], ["alice@example.org", "pubsub"], ["carol@example.org", "pubsub"], ["dave@example.org", "pep"], ["pubsub.example.org", "pubsub"], ["z", "pubsub"]]) {
    assert.equal(l.kindOf(service), kind, service);
  }
});

test("row() returns the row of the list with that key, or makes one", () => {
  const l = make(row("a", "pending"));
  assert.equal(l.row(row("a", "subscribed")), l.snapshot()[0]);
  assert.deepEqual([l.row(row("b")).node, l.row(row("b")).state, l.snapshot().length], ["b", "subscribed", 1]);
  assert.equal(l.make(row("a", "subscribed")).state, "subscribed");
});

test("node names such as __proto__ are plain names", () => {
  const names = ["__proto__", "constructor", "toString", "", "a\u{1F600}", "\uFFFD", " "];
  const l = make(...names.map((n) => row(n)));
  for (const n of names) assert.equal(l.get("pubsub.example.org", n, "")?.node, n);
  assert.equal(l.get("pubsub.example.org", "hasOwnProperty", ""), undefined);
});

test("get() finds a row by node, and by subid if one is given", () => {
  const l = make(row("a", "subscribed", "s", "1"), row("a", "subscribed", "s", "2"), row("a", "subscribed", "s", "31"), row("ab", "subscribed", "s"));
  assert.equal(l.get("s", "a", "").subid, "1");
  assert.equal(l.get("s", "a", "2").subid, "2");
  assert.equal(l.get("s", "ab", "").node, "ab");
  assert.equal(l.get("s", "a", "3"), undefined);
  assert.equal(l.get("s", "b", ""), undefined);
});

test("get() compares the service as spelled in the list", () => {
  const l = make(row("a", "subscribed", "pubsub.example.org/Room"));
  assert.equal(l.get("pubsub.example.org/Room", "a", "")?.node, "a");
  assert.equal(l.get("pubsub.example.org/room", "a", ""), undefined);
});

test("deltas applied one by one result in the whole list", () => {
  let seed = 376;
  const random = (n) => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
  const l = make();
  const model = new Map();
  for (let i = 0; i < 2000; i++) {
    const node = `n${10 + random(30)}`;
    const before = model.get(node) ?? null;
    const after = before && random(3) === 0 ? null : row(node, ["subscribed", "pending"][random(2)]);
    if (after) model.set(node, after);
    else model.delete(node);
    apply(l, [before, after]);
    if (i % 50 === 0) assert.deepEqual(shown(l), [...model.values()].map((r) => `${r[1]}:${r[4]}`).sort());
  }
  const fresh = make(...model.values());
  assert.deepEqual(shown(l), shown(fresh));
});

test("difference() compares two snapshots", () => {
  const l = make(row("a"), row("b"), row("c"));
  const before = l.snapshot();
  apply(l, [row("a"), null], [row("b"), row("b", "pending")], [null, row("d")]);
  const d = difference(before, l.snapshot());
  assert.deepEqual([d.added.map((r) => r.node), d.removed.map((r) => r.node), d.changed.map((c) => c.after.node), d.origin], [["d"], ["a"], ["b"], "resync"]);
});

test("a change to 10,000 rows is fast", () => {
  const l = make(...Array.from({ length: 10_000 }, (_, i) => row(`node-${i}`)));
  l.snapshot();
  const start = performance.now();
  for (let i = 0; i < 10; i++) {
    apply(l, [row(`node-${i}`), row(`node-${i}`, "pending")]);
    l.snapshot();
  }
  assert.ok(performance.now() - start < 1000);
});

test("a list in parts is shown when the last part has arrived", () => {
  const l = make(row("b"));
  const before = l.snapshot();
  l.more([[null, row("d")], [row("b"), null]]);
  l.more([[null, row("a")]]);
  assert.equal(l.snapshot(), before);
  const delta = apply(l, [null, row("c")]);
  assert.deepEqual(shown(l), ["a:subscribed", "c:subscribed", "d:subscribed"]);
  assert.deepEqual([delta.added.length, delta.removed.length], [3, 1]);
  l.more([[null, row("x")]]);
  l.reset(all(row("y")), [], "3", "cache");
  assert.deepEqual(shown(l), ["x:subscribed", "y:subscribed"]);
  l.more([[null, row("lost")]]);
  l.dropUncommitted(); // the program ends before the last part
  apply(l, [null, row("z")]);
  assert.deepEqual(shown(l), ["x:subscribed", "y:subscribed", "z:subscribed"]);
});

test("random changes have the same result as in a map", () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  let state = seed;
  const below = (n) => ((state = (state * 1103515245 + 12345) % 2 ** 31) >> 8) % n;
  const l = make();
  const want = new Map();
  for (let i = 0; i < 300; i++) {
    const changes = new Map();
    for (let n = below(20); n >= 0; n--) {
      const node = `${below(100)}${below(4) ? "" : "😀"}`;
      changes.set(node, below(3) ? row(node, below(2) ? "subscribed" : "pending") : undefined);
    }
    const list = [...changes].map(([node, after]) => [want.get(node) ?? (after ? null : row(node)), after ?? null]);
    for (const [node, after] of changes) after ? want.set(node, after) : want.delete(node);
    l.more(list.slice(0, list.length >> 1));
    apply(l, ...list.slice(list.length >> 1));
    const sorted = [...want.keys()].sort().map((node) => `${node}:${want.get(node)[4]}`);
    assert.deepEqual(shown(l), sorted, `seed ${seed}, step ${i}`);
  }
});
