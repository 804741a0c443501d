// Which messages arrive at this client, and which at a chat client of the same account: the table of
// docs/beside-a-chat-client.md, with Prosody. It needs no browser except for the page's script, which parses messages.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { $iq, $msg, $pres, Strophe } from "strophe.js";
import { createClient } from "../../dist/node.js";
import { startChromium } from "./lib/chromium.mjs";
import { missing, root } from "./lib/need.mjs";
import { canary } from "./lib/secrets.mjs";

const page = readFileSync(`${root}/js/docs/beside-a-chat-client.md`, "utf8");
const rows = [...page.matchAll(/^\| ((?:priority|offline).*?) \| (.*?) \| (.*?)\|$/gm)].map(([, name, here, there]) => [name, here, there.trim()]);
Strophe.log = () => {}; // suppresses its output

describe("a chat client beside this client", { skip: missing("prosody"), timeout: 120_000 }, () => {
  let server, url, bob, client;
  const messages = [];
  before(async () => {
    server = spawn("go", ["run", "./sdk/server/prosody/prosodyserver", "-account", `alice:${canary}`, "-account", `bob:${canary}`], { cwd: root, stdio: ["pipe", "pipe", "inherit"] });
    const [line] = await once(createInterface({ input: server.stdout }), "line");
    url = line.replace("listening ", "");
    client = createClient({ account: "alice@localhost", credentials: { password: canary }, service: url });
    client.on("message", ({ xml }) => messages.push(xml));
    bob = await login("bob@localhost/bob", 0);
  });
  after(async () => {
    await client?.close();
    bob?.connection.disconnect();
    server.stdin.end(); // the server then exits
    await once(server, "exit");
  });

  async function login(jid, priority, carbons = false) {
    const connection = new Strophe.Connection(url);
    const heard = [];
    connection.addHandler((stanza) => heard.push(stanza.toString()), null, "message");
    await new Promise((resolve, reject) => {
      connection.connect(jid, canary, (status, condition) => {
        if (status === Strophe.Status.CONNECTED) resolve();
        if (status === Strophe.Status.AUTHFAIL || status === Strophe.Status.CONNFAIL) reject(new Error(`${status} ${condition}`));
      });
    });
    if (carbons) await new Promise((resolve, reject) => connection.sendIQ($iq({ type: "set" }).c("enable", { xmlns: "urn:xmpp:carbons:2" }).tree(), resolve, reject));
    connection.send($pres().c("priority").t(`${priority}`).tree());
    return { connection, heard };
  }
  /** Sends a message of each type, and waits until they have certainly been delivered. */
  async function sendAll(to = "alice@localhost") {
    for (const type of ["chat", "normal", "headline"]) bob.connection.send($msg({ to, type }).c("body").t(`body:${type}`).tree());
    await new Promise((resolve, reject) => bob.connection.sendIQ($iq({ type: "get", to: "localhost" }).c("ping", { xmlns: "urn:xmpp:ping" }).tree(), resolve, reject));
    await sleep(500);
  }
  const types = (heard) => heard.map((xml) => /body:(\w+)/.exec(xml)?.[1]).filter(Boolean).join(", ");
  const copies = (heard) => (heard.some((xml) => xml.includes("urn:xmpp:carbons:2")) ? `copies of ${types(heard)}` : types(heard));

  test("the types of messages that arrive are those of the table", async () => {
    const found = [];
    await sendAll(); // while the account has no session
    await client.connect();
    await sleep(500);
    const late = await login("alice@localhost/late", 0);
    await sleep(500);
    found.push(["offline, before this client connects", types(messages), types(late.heard)]);
    late.connection.disconnect();
    for (const [name, priority, carbons] of [["priority 0", 0, false], ["priority 5", 5, false], ["priority -1, with carbons", -1, true]]) {
      const chat = await login("alice@localhost/chat", priority, carbons);
      await sleep(200);
      messages.length = chat.heard.length = 0;
      await sendAll();
      found.push([name, types(messages), copies(chat.heard)]);
      messages.length = 0;
      await sendAll("alice@localhost/chat");
      assert.deepEqual(messages, [], "messages to another full JID");
      chat.connection.disconnect();
      await sleep(200);
    }
    assert.deepEqual(found.sort(), rows.sort());
  });

  test("the page's script finds the body of a message", async () => {
    messages.length = 0;
    await sendAll();
    const [, script] = /^```js\n\/\/ messages\.js\n(.*?)^```$/ms.exec(page);
    const browser = await startChromium();
    const tab = await (await browser.newContext()).newPage();
    const lines = [];
    tab.on("console", (m) => lines.push(m.text()));
    await tab.evaluate(([script, stanzas]) => {
      const listen = new Function("client", script.replace(/^import .*$/m, ""));
      listen({ on: (type, fn) => stanzas.forEach((xml) => fn({ from: "bob@localhost/bob", xml })) });
    }, [script, [...messages, null, "<message xmlns='jabber:client'><event xmlns='http://jabber.org/protocol/pubsub#event'/></message>"]]);
    await browser.close();
    assert.deepEqual(lines, ["chat", "normal", "headline"].map((type) => `A message of bob@localhost/bob has arrived here: body:${type}`));
  });
});
