// Requests to services, from a page in Chromium, at the server in memory and at Prosody.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { startChromium } from "./lib/chromium.mjs";
import { makeClient, socketOf, startLab } from "./lib/lab.mjs";
import { missing } from "./lib/need.mjs";
import { startDemo } from "./lib/demo.mjs";

let lab, browser;
before(async () => {
  if (!missing()) [lab, browser] = await Promise.all([startLab(), startChromium()]);
});
after(() => Promise.allSettled([browser?.close(), lab?.stop()]));

for (const server of ["mem", "prosody"]) {
  test(`a page creates a node, publishes, reads, retracts, and deletes it (${server})`, { skip: missing(), timeout: 120_000 }, async () => {
    const demo = await startDemo(server);
    const page = await (await browser.newContext()).newPage();
    try {
      await page.goto(lab.url);
      await makeClient(page, socketOf(await demo.device("Phone")), { account: "alice@localhost" });
      // Prosody lets only administrators create nodes of its service.
      const blog = server === "mem" ? { service: "pubsub.localhost", node: "blog" } : { service: "alice@localhost", node: "urn:xmpp:microblog:0" };
      const found = await page.evaluate(async (blog) => {
        const entry = (title) => `<entry xmlns='http://www.w3.org/2005/Atom'><title>${title}</title><published>2026-11-20T09:00:00Z</published></entry>`;
        const failed = (p) => p.then(() => "no failure", (e) => [e.code, e.condition].filter(Boolean).join(" "));
        const offline = await failed(client.items(blog));
        await client.connect();
        const out = { offline, created: await client.createNode(blog, { form: [{ name: "pubsub#max_items", value: "10" }] }) };
        out.again = await failed(client.createNode(blog));
        for (const id of ["1", "2", "3"]) await client.publish(blog, { id, xml: entry(`No. ${id} &amp; more`) });
        await client.retract(blog, "2");
        out.items = (await client.items(blog)).map((i) => [i.id, i.entry.title, i.occurredAt.toISOString(), i.namespace, i.xml.startsWith("<entry")]);
        out.newest = (await client.items(blog, { max: 1 })).map((i) => i.id);
        out.nodes = (await client.nodes(blog.service)).nodes.some((n) => n.node === blog.node);
        out.iq = await client.iq({ to: blog.service, type: "get", xml: `<query xmlns='http://jabber.org/protocol/disco#info' node='${blog.node}'/>` });
        out.bad = await failed(client.publish(blog, { xml: "no element" }));
        out.target = await client.parseUri(`xmpp:${blog.service}?;node=${encodeURIComponent(blog.node)}`);
        await client.deleteNode(blog);
        out.gone = await failed(client.items(blog));
        await client.close();
        return out;
      }, blog);
      const { iq, ...rest } = found;
      assert.match(iq, /^<query [^]*pubsub/);
      assert.deepEqual(rest, {
        offline: "offline", created: blog.node, again: "stanza conflict",
        items: ["1", "3"].map((id) => [id, `No. ${id} & more`, "2026-11-20T09:00:00.000Z", "http://www.w3.org/2005/Atom", true]),
        newest: ["3"], nodes: true, bad: "bad-options", target: blog, gone: "stanza item-not-found",
      });
    } finally {
      await page.context().close();
      await demo.stop();
    }
  });
}
