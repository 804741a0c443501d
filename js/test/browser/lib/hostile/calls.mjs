// Calls that the page makes while the server does not answer, answers wrongly, or disconnects: each settles in time, with an
// error of this library.

import { iqError, iqResult, ns, el } from "./xml.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const target = (node) => ({ service: "pubsub.localhost", node });
const nothing = () => undefined;

const call = (name, run, more = {}) => ({ name: `call: ${name}`, class: "call", run, ...more });

/** Waits until all calls have settled, and removes and returns their codes. */
async function codes(context, limit) {
  const { calls } = await context.wait(limit, (s) => s.calls.every((c) => c.settled));
  return calls.map((c) => (c.settled ? c.code : "still open"));
}

function expectCodes(found, allowed) {
  const odd = found.filter((code) => !allowed.includes(code));
  if (odd.length > 0) throw new Error(`calls ended with ${odd.join()}; expected ${allowed.join()}`);
}

export const calls = [
  call("subscribe, and no answer", async ({ account, tab }) => {
    account.rule("subscribe", nothing, 1);
    await tab.call("subscribe", target("silent"));
  }, { rules: 1 }),
  call("refresh, and no answer", async ({ account, tab }) => {
    account.rule("list", nothing, 1);
    await tab.call("refresh");
  }, { rules: 1, limits: { again: 60_000 } }),
  call("unsubscribe, and an answer of another sender", async ({ account, tab }) => {
    account.rule("unsubscribe", (c, e, honest) => {
      c.session.stanza(iqResult(e, "mallory@elsewhere.example/x"));
      c.session.stanza(iqError(e, "pubsub.localhost", "gone"));
      setTimeout(honest, 500);
    });
    await tab.call("unsubscribe", target("news"));
  }, { rules: 1 }),
  call("subscribe is granted, and nothing listed", async ({ account, tab }) => {
    account.rule("subscribe", (c, e) => c.session.stanza(iqResult(e, c.account.jid)));
    await tab.call("subscribe", target("promised"));
  }, { rules: 1 }),
  call("50 subscribes, each answered otherwise", async ({ account, tab }) => {
    let n = 0;
    account.rule("subscribe", (c, e, honest) => [honest, nothing, () => c.session.stanza(iqError(e, c.account.jid, "not-allowed")),
      () => c.session.stanza(iqResult(e, c.account.jid, el("pam", { xmlns: ns.pam }, "text"))), () => { honest(); honest(); }][n++ % 5](), 50);
    for (let i = 0; i < 50; i++) await tab.call("subscribe", target(`many ${i}`));
  }, { rules: 50 }),
  call("20 subscribes, and the socket is lost at the tenth", async ({ account, tab }) => {
    let n = 0;
    account.rule("subscribe", (c, e, honest) => (++n === 10 ? c.reset() : honest()), 20);
    for (let i = 0; i < 20; i++) await tab.call("subscribe", target(`many ${i}`)); // calls after the loss are rejected if the client is not live again
  }, { rules: 10 }),
  call("disconnect, and the server does not send <close/>", async (context) => {
    const { account, tab } = context;
    account.rule("close", nothing);
    await tab.call("disconnect");
    expectCodes(await codes(context, 8000), [""]);
    account.session && account.lose(account.session);
    await tab.call("connect");
  }, { rules: 1 }),
  call("connect with a time limit, and a server that is silent", async (context) => {
    const { account, tab } = context;
    await tab.call("disconnect");
    await codes(context, 8000);
    account.rule("open", nothing);
    await tab.call("connect", { timeoutMs: 1000 });
    expectCodes(await codes(context, 8000), ["", "timeout"]);
    account.honest();
    await tab.call("connect");
  }, { rules: 1 }),
  call("connect three times at once, and a server that ends two streams", async ({ account, tab }) => {
    account.rule("open", (c) => c.reset(), 2);
    account.cut();
    for (let i = 0; i < 3; i++) await tab.call("connect");
  }, { rules: 2 }),
  call("connect and disconnect in turn, while streams end", async ({ account, tab }) => {
    account.rule("reopen", (c) => c.reset(), 3);
    for (let i = 0; i < 5; i++) {
      await tab.call("disconnect");
      await tab.call("connect");
      await sleep(50 * i);
    }
  }),
  call("forget, in a flood of notifies", async ({ account, tab }) => {
    for (let i = 0; i < 300; i++) account.change(`flood ${i % 50}`, i % 3 ? "subscribed" : "none");
    await tab.call("forget");
    for (let i = 0; i < 300; i++) account.change(`flood ${i % 50}`, i % 3 ? "subscribed" : "none");
    await tab.call("connect");
  }),
  call("export, in a flood of notifies and cuts", async ({ account, tab }) => {
    for (let i = 0; i < 20; i++) {
      account.change(`flood ${i}`, "subscribed");
      if (i % 7 === 6) account.cut();
      await tab.call("export");
    }
  }),
];
