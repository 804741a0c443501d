// The requests to services: what the program is asked, and what the page gets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { PamError } from "../dist/index.js";
import { allFrozen, makeHost, rejects } from "./host.mjs";
import { odd } from "./odd-values.mjs";

const blog = { service: "pubsub.example.org", node: "blog" };
const entry = { title: "A", published: Date.UTC(2026, 10, 20), updated: null };
const field = { name: "pubsub#deliver", type: "boolean", required: true, choices: [], values: ["true"] };

/** Each call, the request that it makes, the answer of the program, and its result. */
const calls = [
  [(c) => c.publish(blog, { xml: "<a xmlns='b'/>" }), { op: "publish", ...blog, item: "", xml: "<a xmlns='b'/>" }, "7", { id: "7" }],
  [(c) => c.publish(blog, { id: "1", xml: "" }), { op: "publish", ...blog, item: "1", xml: "" }, "1", { id: "1" }],
  [(c) => c.retract(blog, "1"), { op: "retract", ...blog, item: "1" }, null, undefined],
  [(c) => c.items({ ...blog, subid: "x" }, { max: 3 }), { op: "items", ...blog, subid: "x", max: 3, items: [] },
    [{ id: "1", occurredAt: null }, { occurredAt: 0, entry: { id: "i", title: "", summary: "s", content: "c", link: "l", image: "m", author: "a", published: null, updated: 0 } }, { id: "2", publisher: "bob@example.org", occurredAt: 5, namespace: "b", xml: "<a xmlns='b'/>", entry }],
    [{ id: "1", occurredAt: null, entry: null, xml: null },
      { id: "", occurredAt: new Date(0), entry: { id: "i", title: "", summary: "s", content: "c", link: "l", image: "m", author: "a", updated: new Date(0) }, xml: null },
      { id: "2", publisher: "bob@example.org", occurredAt: new Date(5), namespace: "b", xml: "<a xmlns='b'/>", entry: { title: "A", published: new Date(entry.published) } }]],
  [(c) => c.items(blog, { ids: ["1", "2"] }), { op: "items", ...blog, subid: "", max: 0, items: ["1", "2"] }, [], []],
  [(c) => c.createNode(blog), { op: "createNode", ...blog, form: null }, "blog", "blog"],
  [(c) => c.createNode({ service: "s.example.org", node: "" }, { form: [{ name: "a", value: true }, { name: "b", value: ["1", "2"] }, { name: "c", value: "x" }] }),
    { op: "createNode", service: "s.example.org", node: "", form: [["a", "true"], ["b", "1", "2"], ["c", "x"]] }, "n1", "n1"],
  [(c) => c.deleteNode(blog, { redirect: "xmpp:x?;node=y" }), { op: "deleteNode", ...blog, redirect: "xmpp:x?;node=y" }, null, undefined],
  [(c) => c.nodes("s.example.org", { max: 2, after: "x" }), { op: "nodes", service: "s.example.org", max: 2, after: "x" },
    { nodes: [{ ...blog, title: "T", created: null, subscribers: 0 }], next: "blog" }, { nodes: [{ ...blog, title: "T" }], next: "blog" }],
  [(c) => c.nodes("s.example.org"), { op: "nodes", service: "s.example.org", max: 0, after: "" }, { nodes: [] }, { nodes: [] }],
  [(c) => c.nodeInfo(blog), { op: "nodeInfo", ...blog }, { ...blog, kind: "leaf", created: 5, subscribers: 2 }, { ...blog, kind: "leaf", created: new Date(5), subscribers: 2 }],
  [(c) => c.getSubscriptionOptions(blog), { op: "getOptions", ...blog, subid: "" },
    [field, { ...field, name: "f", values: ["false"] }, { ...field, name: "0", values: [] }, { ...field, name: "d", type: "text-single", description: "D", values: ["x"] },
      { ...field, name: "j", type: "jid-multi", values: [] }, { ...field, name: "ls", type: "list-multi", values: ["true"] }, { ...field, name: "l", type: "list-single", label: "L", choices: [["a", "A"], ["b", ""]], values: [] }, { ...field, name: "m", type: "text-multi", values: ["x", "y"], required: false }],
    [{ name: "pubsub#deliver", type: "boolean", required: true, value: true },
      ...["f", "0"].map((name) => ({ name, type: "boolean", required: true, value: false })), { name: "d", type: "text-single", description: "D", required: true, value: "x" },
      { name: "j", type: "jid-multi", required: true, value: [] }, { name: "ls", type: "list-multi", required: true, value: ["true"] },
      { name: "l", type: "list-single", label: "L", required: true, choices: [{ value: "a", label: "A" }, { value: "b" }], value: "" },
      { name: "m", type: "text-multi", required: false, value: ["x", "y"] }]],
  [(c) => c.setSubscriptionOptions(blog, [{ name: field.name, type: field.type, required: true, value: false }]), { op: "setOptions", ...blog, subid: "", form: [["pubsub#deliver", "false"]] }, null, undefined],
  [(c) => c.nodeInfo(blog), { op: "nodeInfo", ...blog }, { ...blog, created: 0, subscribers: 1 }, { ...blog, created: new Date(0), subscribers: 1 }],
  [(c) => c.iq({ to: "s.example.org", type: "set", xml: "<a/>" }), { op: "iq", to: "s.example.org", type: "set", xml: "<a/>" }, "<c/>", "<c/>"],
  [(c) => c.send({ to: "bob@example.org", type: "chat", xml: "<b/>" }), { op: "send", to: "bob@example.org", type: "chat", xml: "<b/>" }, null, undefined],
  [(c) => c.deleteNode(blog), { op: "deleteNode", ...blog, redirect: "" }, null, undefined],
  [(c) => c.parseUri("xmpp:a"), { op: "parseURI", uri: "xmpp:a" }, blog, blog],
  [(c) => c.iq({ type: "get", xml: "<a xmlns='b'/>" }), { op: "iq", to: "", type: "get", xml: "<a xmlns='b'/>" }, "<c/>", "<c/>"],
  [(c) => c.send({ to: "bob@example.org", xml: "<body>hi</body>" }), { op: "send", to: "bob@example.org", type: "", xml: "<body>hi</body>" }, null, undefined],
];

test("each call makes one request, and its result has the public form", async () => {
  for (const [call, wanted, answer, result] of calls) {
    const host = makeHost({}, { [wanted.op]: () => answer });
    await host.client.connect();
    const got = await call(host.client);
    const { id, ...request } = host.request(wanted.op);
    assert.ok(id > 0);
    assert.deepEqual(request, wanted, String(call));
    assert.deepEqual(got, result, String(call));
    assert.ok(wanted.op === "publish" || allFrozen(got), String(call));
    await host.client.close();
  }
});

test("a failure of the program rejects the call, and without a connection nothing is sent", async () => {
  const error = { code: "stanza", origin: "remote-service", text: "no", condition: "forbidden" };
  for (const [call, { op }] of calls) {
    const host = makeHost({}, { [op]: () => ({ error }) });
    await rejects(call(host.client), "offline");
    await host.client.connect();
    await assert.rejects(call(host.client), (e) => PamError.is(e, "stanza") && e.condition === "forbidden", String(call));
    await host.client.close();
  }
});

test("arguments with any value reject the promise with an error of this library", async () => {
  const host = makeHost();
  const { client } = host;
  await client.connect();
  const runs = [
    (x) => client.publish(x, { xml: "" }), (x) => client.publish(blog, x), (x) => client.publish(blog, { id: x, xml: "" }), (x) => client.publish(blog, { xml: x }),
    (x) => client.retract(blog, x), (x) => client.items(blog, { ids: x }), (x) => client.items(blog, { ids: [x] }), (x) => client.items(blog, { max: x }),
    (x) => client.createNode(blog, { form: x }), (x) => client.createNode(blog, { form: [x] }), (x) => client.deleteNode(blog, { redirect: x }), (x) => client.nodes(x),
    (x) => client.setSubscriptionOptions(blog, x), (x) => client.setSubscriptionOptions(blog, [{ name: "a", value: x }]), (x) => client.parseUri(x),
    (x) => client.iq(x), (x) => client.iq({ type: x, xml: "" }), (x) => client.send(x), (x) => client.send({ to: x, xml: "" }),
  ];
  const before = host.requests.length;
  for (const run of runs) {
    for (const x of [5, {}, Symbol("s"), null, ...odd]) {
      const outcome = run(x);
      assert.ok(outcome instanceof Promise, String(run));
      const e = await Promise.race([outcome.then(() => undefined, (e) => e), new Promise((r) => setTimeout(r, 1, "sent"))]);
      assert.ok(e === "sent" || PamError.is(e, "bad-options") || PamError.is(e, "bad-jid"), `${run}: ${typeof e}`);
    }
  }
  assert.ok(host.requests.length < before + runs.length * 8, "most were refused");
  for (const form of [{}, "ab", new Map(), { length: 0 }]) {
    await rejects(client.createNode(blog, { form, timeoutMs: 1000 }), "bad-options", /options\.form must be an array/);
    await rejects(client.setSubscriptionOptions(blog, form, { timeoutMs: 1000 }), "bad-options", /form must be an array/);
  }
});
