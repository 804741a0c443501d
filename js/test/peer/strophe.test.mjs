// An independent client: strophe.js logs in to the in-memory server, subscribes,
// directly and through the account, and receives events. This shows that the
// server speaks the standard protocol.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { $iq, $pres, Strophe } from "strophe.js";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../..");
const NS_PAM = "urn:xmpp:pam:0";
const NS_PUBSUB = "http://jabber.org/protocol/pubsub";

Strophe.log = () => {}; // suppresses its output

let server;
let url;

before(async () => {
  server = spawn("go", ["run", "./sdk/server/mem/memserver", "-account", "alice:secret", "-account", "bob:builder", "-node", "news"], {
    cwd: root,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  url = line.replace("listening ", "");
});

after(async () => {
  server.stdin.end(); // the server then exits
  await once(server, "exit");
});

/** Connects one resource and collects the stanzas that it receives. */
async function login(jid, password, mechanism) {
  const connection = new Strophe.Connection(url, { mechanisms: [mechanism] });
  const heard = [];
  let wake = () => {};
  connection.addHandler((stanza) => {
    heard.push(stanza);
    wake();
    return true;
  }, null, "message");
  await new Promise((resolve, reject) => {
    connection.connect(jid, password, (status, condition) => {
      if (status === Strophe.Status.CONNECTED) resolve();
      if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.CONNFAIL) reject(new Error(`${status} ${condition}`));
    });
  });
  connection.send($pres().tree());
  return {
    connection,
    ask: (iq) => new Promise((resolve, reject) => connection.sendIQ(iq.tree(), resolve, reject, 5000)),
    async hears(what, match) {
      const deadline = Date.now() + 5000;
      for (;;) {
        const found = heard.find(match);
        if (found) return found;
        if (Date.now() > deadline) assert.fail(`${jid} did not hear ${what}; heard: ${heard.map((s) => Strophe.serialize(s)).join("\n")}`);
        await new Promise((resolve) => {
          wake = resolve;
          setTimeout(resolve, 100);
        });
      }
    },
    close: () => connection.disconnect(),
  };
}

const child = (stanza, name, space) => {
  const found = stanza.getElementsByTagNameNS(space, name)[0];
  assert.ok(found, `no ${name} in ${Strophe.serialize(stanza)}`);
  return found;
};

for (const [name, mechanism] of [
  ["SCRAM-SHA-256", Strophe.SASLSHA256],
  ["SCRAM-SHA-1", Strophe.SASLSHA1],
  ["PLAIN", Strophe.SASLPlain],
]) {
  test(`strophe.js logs in with ${name}`, async () => {
    const device = await login("alice@localhost/strophe", "secret", mechanism);
    assert.equal(device.connection.jid, "alice@localhost/strophe");
    device.close();
  });
}

test("a wrong password is rejected", async () => {
  await assert.rejects(login("alice@localhost", "wrong", Strophe.SASLSHA256));
});

test("strophe.js subscribes through the account, lists, and receives notify and event", async () => {
  const one = await login("alice@localhost/one", "secret", Strophe.SASLSHA256);
  const two = await login("alice@localhost/two", "secret", Strophe.SASLSHA1);
  const list = () => $iq({ type: "get" }).c("subscriptions", { xmlns: NS_PAM });
  await two.ask(list());

  await one.ask($iq({ type: "set", to: "alice@localhost" }).c("pam", { xmlns: NS_PAM, jid: "pubsub.localhost" })
    .c("subscribe", { xmlns: NS_PUBSUB, node: "news", jid: "alice@localhost" }));
  const isNotify = (stanza) => stanza.getElementsByTagNameNS(NS_PAM, "notify").length > 0;
  const notify = child(await two.hears("the notify", isNotify), "notify", NS_PAM);
  assert.equal(notify.getAttribute("service"), "pubsub.localhost");
  assert.equal(child(notify, "subscription", NS_PUBSUB).getAttribute("subscription"), "subscribed");

  const all = child(await one.ask(list()), "subscriptions", NS_PAM);
  assert.equal(all.getAttribute("ver"), notify.getAttribute("ver"));
  assert.equal(child(all, "subscription", NS_PAM).getAttribute("node"), "news");

  // Bob's own node: strophe.js creates it and publishes to it, and Alice receives the item.
  const bob = await login("bob@localhost/strophe", "builder", Strophe.SASLSHA256);
  await bob.ask($iq({ type: "set", to: "pubsub.localhost" }).c("pubsub", { xmlns: NS_PUBSUB }).c("create", { node: "bobs" }));
  await one.ask($iq({ type: "set", to: "pubsub.localhost" }).c("pubsub", { xmlns: NS_PUBSUB })
    .c("subscribe", { node: "bobs", jid: "alice@localhost" }));
  await bob.ask($iq({ type: "set", to: "pubsub.localhost" }).c("pubsub", { xmlns: NS_PUBSUB })
    .c("publish", { node: "bobs" }).c("item", { id: "i1" }).c("entry", { xmlns: "http://www.w3.org/2005/Atom" }).c("title").t("hello"));
  for (const device of [one, two]) {
    const event = await device.hears("the event", (s) => s.getElementsByTagNameNS(`${NS_PUBSUB}#event`, "item").length > 0);
    assert.equal(event.getAttribute("from"), "pubsub.localhost");
    assert.equal(event.getElementsByTagName("title")[0].textContent, "hello");
  }
  for (const device of [one, two, bob]) device.close();
});
