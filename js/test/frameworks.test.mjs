// The entries for frameworks, without a browser: what they import, and rendering on a server.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createElement } from "react";
import { renderToString as renderReact } from "react-dom/server";
import { get } from "svelte/store";
import { render as renderSvelte } from "svelte/server";
import { createSSRApp, effectScope, h, isProxy, provide as provideVue, reactive } from "vue";
import { renderToString as renderVue } from "vue/server-renderer";
import { createClient } from "xmpp-pam";
import * as react from "xmpp-pam/react";
import { pamStores } from "xmpp-pam/svelte";
import * as vue from "xmpp-pam/vue";
import { counted } from "./counted.mjs";
import { base, makeHost, row, turn } from "./host.mjs";
import { bundle, importOnServer, readRecipe, recipes } from "./recipes.mjs";

const { exports, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));

for (const [name, imports] of [["react", ["react"]], ["svelte", []], ["vue", ["vue"]]]) {
  test(`xmpp-pam/${name} imports nothing except its framework, which is an optional peer`, () => {
    const { types, default: script } = exports[`./${name}`];
    const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");
    const found = [...read(script).matchAll(/\bfrom\s*"([^"]+)"|\bimport\s*\(?\s*"([^"]+)"/g)].map((m) => m[1] ?? m[2]);
    assert.deepEqual(found, imports);
    for (const peer of imports) assert.ok(peerDependencies[peer] && peerDependenciesMeta[peer].optional);
    const typed = [...read(types).matchAll(/\bfrom\s*"([^"]+)"/g)].map((m) => m[1]);
    assert.deepEqual(typed.sort(), ["./index.js", ...imports].sort());
    assert.equal(Object.keys(exports[`./${name}`])[0], "types");
  });

  test(`the code in docs/${name}.md is complete`, async () => {
    const files = readRecipe(name);
    assert.ok(files.has(recipes[name]));
    files.set("all.js", [...files.keys()].map((file) => `import "./${file}";`).join("\n"));
    await bundle(files, "all.js");
  });
}

test("React's module is for clients, as the bundlers of server components expect", () => {
  assert.match(readFileSync(new URL("../dist/react.js", import.meta.url), "utf8"), /^"use client";/);
});

/** Renders the component App of a document on a server. */
const onServer = {
  async react(client) {
    const { App } = await importOnServer(readRecipe("react"), "App.jsx", "react");
    return renderReact(createElement(react.PamProvider, { client }, createElement(App)));
  },
  async svelte(client) {
    globalThis.client = client;
    const files = readRecipe("svelte").set("client.js", 'import { pamStores } from "xmpp-pam/svelte"; export const { client } = globalThis; export const { subscriptions, sync, inbox, events } = pamStores(client);');
    const { default: App } = await importOnServer(files, "App.svelte", "svelte");
    return renderSvelte(App).body;
  },
  async vue(client) {
    const { default: App } = await importOnServer(readRecipe("vue"), "App.vue", "vue");
    return renderVue(createSSRApp(App).provide(vue.pamClient, client));
  },
};
for (const [name, render] of Object.entries(onServer)) {
  test(`${name} renders on a server, starts nothing and leaves no listener`, async () => {
    let listeners = 0;
    const client = createClient(base);
    const html = (await render(counted(client, (n) => { listeners += n; }))).replace(/<!--.*?-->/g, "").replace(/> </g, "><");
    assert.match(html, /<p>offline<\/p><button>Subscribe to news<\/button><ul><\/ul><h2>0 unread<\/h2><ol><\/ol>/);
    assert.equal(listeners, 0);
    assert.deepEqual([client.runtime.getSnapshot().phase, client.subscriptions.getSnapshot().source], ["idle", "unread"]);
  });
}

test("React renders on a server what the browser shows before it has read the store", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("news")], provisional: [], source: "cache" }) });
  await host.client.subscriptions.ready;
  const { App } = await importOnServer(readRecipe("react"), "App.jsx", "react");
  assert.match(renderReact(createElement(react.PamProvider, { client: host.client }, createElement(App))), /<ul><\/ul>/);
});

test("without a provider the error says what to do", () => {
  assert.throws(() => renderReact(createElement(() => react.useSync().phase)), /<PamProvider client=\{client\}>/);
  assert.throws(() => createSSRApp({}).runWithContext(vue.useSync), /provide\(pamClient, client\)/);
});

test("two clients on one page: the nearest provider counts", async () => {
  const [a, b] = ["a@example.org", "b@example.org"].map((account) => createClient({ ...base, account }));
  const Account = () => createElement("i", null, react.useClient().account);
  const provide = (client, ...children) => createElement(react.PamProvider, { client }, ...children);
  const inReact = renderReact(provide(a, createElement(Account), provide(b, createElement(Account))));
  const Inner = { setup: () => () => h("i", vue.useClient().account) };
  const Outer = { setup: () => (provideVue(vue.pamClient, b), () => h(Inner)) };
  const inVue = await renderVue(createSSRApp({ render: () => h("p", [h(Inner), h(Outer)]) }).provide(vue.pamClient, a));
  for (const html of [inReact, inVue]) assert.match(html, /<i>a@example\.org<\/i><i>b@example\.org<\/i>/);
});

test("Vue makes no proxy of a client, its stores or their values", () => {
  const client = createClient(base);
  const held = reactive({ client, list: client.subscriptions.getSnapshot() });
  assert.equal(held.client, client);
  for (const value of [held.client, held.client.sync, held.client.inbox, held.list]) assert.equal(isProxy(value), false);
});

test("Vue's refs follow the client until the scope is stopped", async (t) => {
  globalThis.document = {};
  t.after(() => delete globalThis.document);
  const host = makeHost();
  let listeners = 0;
  const app = createSSRApp({}).provide(vue.pamClient, counted(host.client, (n) => { listeners += n; }));
  const scope = effectScope();
  const [list, sync, inbox, events] = scope.run(() => app.runWithContext(() => [vue.useSubscriptions(), vue.useSync(), vue.useInbox(), vue.useEvents()]));
  assert.deepEqual([list.value.length, sync.value.phase, inbox.value.source, events.value.length, listeners], [0, "offline", "unread", 0, 4]);
  await host.client.connect();
  host.post({ event: "list", changes: [[null, row("news")]], provisional: [], ver: "1", source: "server" });
  await turn();
  assert.deepEqual([list.value.map((r) => r.node), list.value === host.client.subscriptions.getSnapshot()], [["news"], true]);
  const { phase } = sync.value;
  scope.stop();
  assert.equal(listeners, 0);
  await host.client.close();
  assert.equal(sync.value.phase, phase);
});

test("Svelte's stores have their value at once", async () => {
  const host = makeHost({}, { load: () => ({ list: [row("news")], provisional: [], source: "cache" }) });
  await host.client.subscriptions.ready;
  const { subscriptions, sync, inbox, events } = pamStores(host.client);
  assert.deepEqual([get(subscriptions).map((r) => r.node), get(sync).phase, get(inbox).unseen, get(events).length], [["news"], "offline", 0, 0]);
  assert.equal(get(subscriptions), host.client.subscriptions.getSnapshot());
});
