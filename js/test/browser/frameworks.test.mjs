// The recipes for frameworks in Chromium, as printed: StrictMode, hot reload, and what is left when a component is gone.

import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { counted } from "../counted.mjs";
import { bundle, readRecipe, recipes } from "../recipes.mjs";
import { startChromium } from "./lib/chromium.mjs";
import { startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { startProxy } from "./lib/proxy.mjs";
import { canary } from "./lib/secrets.mjs";
import { startServer } from "./page.mjs";

const reloads = 20;
const numbers = Array.from({ length: reloads + 1 }, (_, i) => i);
const accounts = Array.from({ length: 20 }, (_, i) => `account${i}`);
const session = { account: "alice@localhost", password: "secret", service: "ws://localhost:5290/xmpp-websocket" };

/** What `left` counts while one client is connected, and when all are closed. A SharedWorker, with its lock, outlives them. */
const one = ({ tabs }, listeners) => ({ workers: 1, connections: 1, listeners, locks: tabs === "shared" ? 2 : 0 });
const none = ({ tabs }) => ({ workers: tabs === "shared" ? 1 : 0, connections: 0, listeners: 0, locks: tabs === "shared" ? 1 : 0 });
const shared = { tabs: "shared" };
const independent = { tabs: "independent" };

/** What the pages import as `xmpp-pam`: the package, with the account of the test, and with counters. */
const wrapper = `
  import { createClient as create } from "/pkg/index.js";
  export * from "/pkg/index.js";
  ${counted}
  Object.assign(globalThis, { clients: [], listeners: 0, added: 0 });
  export function createClient(options) {
    const own = options.account?.startsWith("account") && { account: options.account };
    const client = counted(create({ ...options, ...given, ...own }), (n) => {
      listeners += n;
      added += Math.max(n, 0);
    });
    clients.push(client);
    return client;
  }`;

describe("frameworks", { skip: missing(), timeout: 300_000 }, () => {
  let server, lab, browser;
  let used = 0;
  before(async () => {
    const args = accounts.flatMap((name) => ["-account", `${name}:${canary}`]);
    await Promise.all([startServer("-addr", "localhost:0", ...args, "-node", "news").then((s) => { server = s; }), startLab().then((l) => { lab = l; }), startChromium().then((b) => { browser = b; })]);
  });
  after(() => Promise.allSettled([browser?.close(), server?.stop(), lab?.stop()]));

  /** Opens a page with the files of a recipe and others, and imports `entry` as globalThis.app. `given` are options. */
  async function open(t, name, entry, given, more = {}) {
    const files = new Map([...readRecipe(name), ...Object.entries(more)]);
    const proxy = await startProxy(server.url);
    const session = await browser.newBrowserCDPSession();
    const account = `${accounts[used++]}@localhost`;
    const context = await browser.newContext();
    t.after(async () => {
      await context.close();
      await proxy.stop();
    });
    const page = await context.newPage();
    const problems = [];
    page.on("pageerror", (e) => problems.push(String(e)));
    page.on("console", (m) => ["error", "warning"].includes(m.type()) && problems.push(m.text()));
    const scripts = { "xmpp-pam.js": wrapper };
    await page.route("**/app/*", async (route) => {
      const { pathname } = new URL(route.request().url());
      const file = pathname.replace("/app/", "");
      scripts[file] ??= await bundle(files, file, "/app/xmpp-pam.js").catch((e) => `throw new Error(${JSON.stringify(e.message)})`);
      await route.fulfill({ contentType: "text/javascript", body: scripts[file] });
    });
    await page.goto(lab.url);
    await page.evaluate(async ([given, entry]) => {
      globalThis.given = given;
      document.body.innerHTML = "<div id=app></div>";
      globalThis.app = await import(`/app/${entry}`);
    }, [{ account, credentials: { password: canary }, service: proxy.url, ...given }, entry]);
    const text = (selector) => page.evaluate((s) => document.querySelector(s)?.textContent, selector);
    const left = async () => {
      const { targetInfos } = await session.send("Target.getTargets");
      const shared = targetInfos.filter(({ type, title }) => type === "shared_worker" && title.endsWith(` ${account}`));
      const counts = await page.evaluate(async () => ({ listeners, locks: (await navigator.locks.query()).held.length }));
      return { workers: page.workers().length + shared.length, connections: proxy.links.size, ...counts };
    };
    return {
      page, problems, proxy, left,
      /** Waits until an element has the text. */
      async shows(selector, want) {
        for (const end = Date.now() + 20_000; (await text(selector)) !== want; await sleep(20)) {
          assert.ok(Date.now() < end, `${selector} is ${await text(selector)}, not ${want}: ${problems.join()}`);
        }
      },
      /** Waits until that much is left, and some time longer. */
      async leaves(want) {
        for (const end = Date.now() + 10_000; Date.now() < end && JSON.stringify(await left()) !== JSON.stringify(want);) await sleep(20);
        await sleep(200);
        assert.deepEqual(await left(), want);
      },
      /** Subscribes, and waits until the page shows what is published then. */
      async works(title, ...selectors) {
        await this.shows("p", "live");
        if ((await text("ul")) === "") await page.click("button");
        await this.shows("ul", "news: subscribed");
        server.write(`publish news ${title}`);
        for (const selector of ["ol li", ...selectors]) await this.shows(selector, title);
      },
    };
  }

  for (const [name, entry] of Object.entries(recipes)) {
    test(`the recipe for ${name} shows subscriptions and events`, async (t) => {
      const at = await open(t, name, entry, shared);
      await at.works(name);
      await at.leaves(one(shared, 4));
      assert.ok(await at.page.evaluate(() => added) <= 8, "rendering again adds listeners");
      assert.deepEqual(at.problems, []);
    });
  }

  const strict = `
    import { StrictMode } from "react";
    import { createRoot } from "react-dom/client";
    import { PamProvider } from "xmpp-pam/react";
    import { Announcer } from "./Announcer.jsx";
    import { App } from "./App.jsx";
    import { client } from "./client.js";
    import { Session } from "./Session.jsx";
    import { Stateful } from "./Stateful.jsx";
    const root = createRoot(document.getElementById("app"));
    const all = <><App /><Announcer /></>;
    const ways = {
      "in a module": () => (client.connect(), <PamProvider client={client}>{all}</PamProvider>),
      "in state": () => <Stateful options={{}}>{all}</Stateful>,
      "in an effect": () => <Session {...${JSON.stringify(session)}}>{all}</Session>,
    };
    export const start = (way) => root.render(<StrictMode>{ways[way]()}</StrictMode>);
    export const stop = () => root.unmount();`;
  for (const [way, made, left] of [["in a module", 1, 1], ["in state", 3, 1], ["in an effect", 3, 0]]) {
    test(`React's StrictMode with a client that is created ${way}`, async (t) => {
      const at = await open(t, "react", "strict.jsx", independent, { "strict.jsx": strict });
      await at.page.evaluate((way) => app.start(way), way);
      await at.works(`strict ${way}`, "[role=status]");
      assert.equal(await at.page.evaluate(() => clients.length), made);
      await at.leaves(one(independent, 5));
      await at.page.evaluate(() => app.stop());
      await at.leaves({ ...none(independent), workers: left, connections: way === "in a module" ? 1 : 0 });
      await at.page.evaluate(() => Promise.all(clients.map((client) => client.close())));
      await at.leaves(none(independent));
      assert.deepEqual(at.problems, []);
    });
  }

  test("two accounts on one page, each with the component Accounts of React", async (t) => {
    const two = `
      import { createRoot } from "react-dom/client";
      import { App } from "./App.jsx";
      import { Accounts } from "./Accounts.jsx";
      const root = createRoot(document.getElementById("app"));
      const second = ${JSON.stringify({ ...session, account: `${accounts.at(-1)}@localhost` })};
      root.render(<Accounts accounts={[${JSON.stringify(session)}, second]}><section><App /></section></Accounts>);
      export const stop = () => root.unmount();`;
    const at = await open(t, "react", "two.jsx", independent, { "two.jsx": two });
    await at.shows("section:first-of-type p", "live");
    await at.shows("section:last-of-type p", "live");
    await at.page.click("section:last-of-type button");
    await at.shows("section:last-of-type ul", "news: subscribed");
    server.write("publish news for one account");
    await at.shows("section:last-of-type ol li", "for one account");
    assert.deepEqual(await at.page.evaluate(() => ["section ul", "section ol"].map((s) => document.querySelector(s).textContent)), ["", ""]);
    await at.page.evaluate(() => app.stop());
    await at.leaves(none(independent));
    assert.deepEqual(at.problems, []);
  });

  /** Copies of the component Session, each a new version for hot reload. */
  const copies = (name, ending) => Object.fromEntries(numbers.map((i) => [`Session${i}.${ending}`, readRecipe(name).get(`Session.${ending}`)]));

  const refreshing = `
    import runtime from "react-refresh/runtime";
    runtime.injectIntoGlobalHook(globalThis);
    export default runtime;`;
  const hotReact = `
    import runtime from "./runtime.js";
    import { StrictMode } from "react";
    import { createRoot } from "react-dom/client";
    import { App } from "./App.jsx";
    ${numbers.map((i) => `import { Session as Session${i} } from "./Session${i}.jsx";`).join("\n")}
    const versions = [${numbers.map((i) => `Session${i}`)}];
    const root = createRoot(document.getElementById("app"));
    const [Session] = versions;
    const register = (i) => {
      runtime.register(versions[i], "Session");
      runtime.setSignature(versions[i], "the same hooks", i % 2 === 1); // each second time the state is reset
    };
    register(0);
    root.render(<StrictMode><Session {...${JSON.stringify(session)}}><App /></Session></StrictMode>);
    export function reload(i) {
      register(i);
      runtime.performReactRefresh();
    }
    export const stop = () => root.unmount();`;
  const hotVue = `
    import { createApp, h } from "vue";
    import App from "./App.vue";
    ${numbers.map((i) => `import Session${i} from "./Session${i}.vue";`).join("\n")}
    const versions = [${numbers.map((i) => `Session${i}`)}].map((c) => ({ ...c, __hmrId: "Session" }));
    __VUE_HMR_RUNTIME__.createRecord("Session", versions[0]);
    const root = createApp({ render: () => h(versions[0], ${JSON.stringify(session)}, () => h(App)) });
    root.mount("#app");
    export const reload = (i) => __VUE_HMR_RUNTIME__.reload("Session", versions[i]);
    export const stop = () => root.unmount();`;
  const shown = `
    <script>const { client, subscriptions, sync, inbox, events } = $props();</script>
    <p>{$sync.phase}</p><button onclick={() => client.subscribe({ service: "pubsub.localhost", node: "news" })}>Subscribe</button>
    <ul>{#each $subscriptions as row (row.key)}<li>{row.node}: {row.state}</li>{/each}</ul>
    <h2>{$inbox.unseen}</h2><ol>{#each $events as e (e.id)}<li>{e.entry?.title}</li>{/each}</ol>`;
  const hotSvelte = `
    import "./accept.js";
    import { mount, unmount } from "svelte";
    import Root from "./Root.svelte";
    ${numbers.map((i) => `import Session${i} from "./Session${i}.svelte";`).join("\n")}
    const versions = [${numbers.map((i) => `Session${i}`)}];
    const component = mount(Root, { target: document.getElementById("app") });
    export const reload = (i) => hot.accepts[i - 1]({ default: versions[i] });
    export const stop = () => unmount(component);`;
  const svelteRoot = `
    <script>
      import Session from "./Session0.svelte";
      import Shown from "./Shown.svelte";
    </script>
    <Session {...${JSON.stringify(session)}}>
      {#snippet children(client, stores)}<Shown {client} {...stores} />{/snippet}
    </Session>`;
  const svelteFiles = {
    "hot.js": hotSvelte, "accept.js": "globalThis.hot = { accepts: [], accept(fn) { this.accepts.push(fn); } };",
    "Root.svelte": svelteRoot, "Shown.svelte": shown, ...copies("svelte", "svelte"),
  };
  const reactFiles = { "hot.jsx": hotReact, "runtime.js": refreshing, ...copies("react", "jsx") };
  const vueFiles = { "hot.js": hotVue, ...copies("vue", "vue") };
  for (const [name, given, files] of [["react", shared, reactFiles], ["react", independent, reactFiles], ["vue", shared, vueFiles], ["svelte", shared, svelteFiles]]) {
    test(`${reloads} hot reloads of the component that creates the client leave one program: ${name}, ${given.tabs}`, async (t) => {
      const at = await open(t, name, Object.keys(files)[0], given, files);
      for (let i = 1; i <= reloads; i++) {
        await sleep(i * 13 % 100); // in each state of the client
        await at.page.evaluate((i) => app.reload(i), i);
      }
      await at.works(`hot ${name} ${given.tabs}`);
      assert.ok(await at.page.evaluate(() => clients.length) > reloads);
      await at.leaves(one(given, 4));
      await at.page.evaluate(() => app.stop());
      await at.leaves(none(given));
      assert.deepEqual(at.problems, []);
    });
  }

  test(`${reloads} hot reloads of the module that creates the client leave one program`, async (t) => {
    const hot = `
      import { createRoot } from "react-dom/client";
      import { PamProvider } from "xmpp-pam/react";
      import { App } from "./App.jsx";
      const root = createRoot(document.getElementById("app"));
      let disposers = [];
      globalThis.hot = { dispose: (fn) => disposers.push(fn) };
      export async function reload(i) {
        for (const dispose of disposers.splice(0)) dispose();
        const { client } = await import("/app/client.js?" + i);
        client.connect().catch(() => {});
        root.render(<PamProvider client={client}><App /></PamProvider>);
      }`;
    const at = await open(t, "react", "hot.jsx", shared, { "hot.jsx": hot });
    for (const i of numbers) await at.page.evaluate((i) => app.reload(i), i);
    await at.works("hot module");
    assert.equal(await at.page.evaluate(() => clients.length), numbers.length);
    await at.leaves(one(shared, 4));
    assert.deepEqual(at.problems, []);
  });

  test("components of Vue and Svelte that create a client release everything", async (t) => {
    const files = {
      svelte: {
        "Shown.svelte": shown,
        "Keyed.svelte": `
          <script>
            import Session from "./Session.svelte";
            import Shown from "./Shown.svelte";
            const { state } = $props();
          </script>
          {#key $state}<Session {...${JSON.stringify(session)}}>
            {#snippet children(client, stores)}<Shown {client} {...stores} />{/snippet}
          </Session>{/key}`,
        "session.js": `
          import { mount, unmount } from "svelte";
          import { writable } from "svelte/store";
          import Keyed from "./Keyed.svelte";
          const state = writable(0);
          const component = mount(Keyed, { target: document.getElementById("app"), props: { state } });
          export const reload = (i) => state.set(i);
          export const stop = () => unmount(component);`,
      },
      vue: {
        "session.js": `
          import { createApp, h, reactive } from "vue";
          import { pamClient } from "xmpp-pam/vue";
          import Announcer from "./Announcer.vue";
          import App from "./App.vue";
          import Session from "./Session.vue";
          const state = reactive({ key: 0 });
          const root = createApp({ render: () => h(Session, { ...${JSON.stringify(session)}, key: state.key }, () => [h(App), h(Announcer)]) });
          root.mount("#app");
          export const reload = (i) => { state.key = i; };
          export const stop = () => root.unmount();`,
      },
    };
    for (const [name, more] of Object.entries(files)) {
      const at = await open(t, name, "session.js", independent, more);
      for (let i = 1; i <= 5; i++) {
        await sleep(i * 37 % 100);
        await at.page.evaluate((i) => app.reload(i), i);
      }
      const announces = name === "vue" ? ["[role=status]"] : [];
      await at.works(`session ${name}`, ...announces);
      assert.equal(await at.page.evaluate(() => clients.length), 6);
      await at.leaves(one(independent, 4 + announces.length));
      await at.page.evaluate(() => app.stop());
      await at.leaves(none(independent));
      assert.deepEqual(at.problems, []);
    }
  });
});
