// Resumption (XEP-0198 §5): wrong answers, wrong counts, and elements at the wrong time.

import { chat, close, el, ns, open } from "./xml.mjs";

const sm = (name, attributes = {}, ...inner) => el(name, { xmlns: ns.sm, ...attributes }, ...inner);
const stranger = (id) => chat("stranger@elsewhere.example/x", undefined, id, el("body", {}, "hello"));

/** The network fails; at the next resumption the server calls `act`. */
const resumed = (name, act, more = {}) => ({
  name: `resumption: ${name}`, class: "resumption", rules: more.times ?? 1,
  run: async (context) => {
    const { account } = context;
    account.rule("resume", (c, e, honest) => act({ c, e, honest, account, session: account.sessions.get(e.attrs.previd) }), more.times ?? 1);
    account.push(account.friendMessage());
    account.cut();
    account.change("while away", "subscribed");
    account.push(account.friendMessage());
  },
  ...more,
});

const answers = [
  resumed("another previd", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: "another", h: session.received }))),
  resumed("no previd", ({ c, e, session }) => c.resume(e, sm("resumed", { h: session.received }))),
  resumed("no h", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id }))),
  resumed("h is no number", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: "many" }))),
  resumed("h is negative", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: -1 }))),
  resumed("h is too high", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: session.received + 1000 }))),
  resumed("h is 2^32 - 1", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: 2 ** 32 - 1 }))),
  resumed("h is 0, after all was acknowledged", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: 0 }))),
  resumed("failed", ({ c }) => c.write(sm("failed"))),
  resumed("failed with item-not-found and h", ({ c, session }) => c.write(sm("failed", { h: session.received }, el("item-not-found", { xmlns: ns.stanzas })))),
  resumed("failed twice", ({ c }) => c.write(sm("failed"), sm("failed"))),
  resumed("enabled", ({ c }) => c.write(sm("enabled", { id: "new", resume: "true" }))),
  resumed("a message before resumed", ({ c, honest }) => { c.write(stranger("x1")); honest(); }),
  resumed("r before resumed", ({ c, honest }) => { c.write(sm("r")); honest(); }),
  resumed("a before resumed", ({ c, honest }) => { c.write(sm("a", { h: 0 })); honest(); }),
  resumed("features instead of an answer", ({ c }) => c.write(open(), el("stream:features", { "xmlns:stream": ns.stream }))),
  resumed("resumed twice", ({ c, honest, session }) => { honest(); c.write(sm("resumed", { previd: session.id, h: session.received })); }),
  resumed("failed after resumed", ({ c, honest }) => { honest(); c.write(sm("failed")); }),
  resumed("enabled after resumed", ({ c, honest }) => { honest(); c.write(sm("enabled", { id: "new", resume: "true" })); }),
  resumed("bind result instead", ({ c, account }) => c.write(el("iq", { xmlns: ns.client, type: "result", id: "1" }, el("bind", { xmlns: ns.bind }, el("jid", {}, `${account.jid}/x`))))),
  resumed("a TCP reset, twice", ({ c }) => c.reset(), { times: 2 }),
  resumed("close", ({ c }) => c.endStream(close())),
  resumed("a TCP reset just after, twice", ({ c, honest }) => { honest(); setTimeout(() => c.reset(), 30); }, { times: 2 }),
  resumed("a reply with 60 KB of previd", ({ c, e, session }) => c.resume(e, sm("resumed", { previd: "x".repeat(60_000), h: session.received }))),
];

const counts = [
  ["h too high", ({ session }) => sm("a", { h: session.received + 100 })],
  ["h goes back", () => sm("a", { h: 0 })],
  ["h is no number", () => sm("a", { h: "1e3" })],
  ["no h", () => sm("a")],
  ["enabled again", () => sm("enabled", { id: "again", resume: "true", location: "wss://elsewhere.example/" })],
  ["failed in a session", () => sm("failed")],
  ["1,000 times r", () => sm("r"), 1000],
  ["an unknown element of stream management", () => sm("forget")],
].map(([name, text, times = 1]) => ({
  name: `acknowledgement: ${name}`, class: "resumption",
  run: (context) => context.amid(...Array.from({ length: times }, () => text(context))),
}));

/** The server resends stanzas that the client has acknowledged. */
const replayed = {
  name: "resumption: stanzas come again that were acknowledged", class: "resumption", rules: 1,
  run: ({ account }) => {
    account.change("while away", "subscribed");
    const notify = account.notifyOf(account.history.length);
    account.rule("resume", (c, e, honest) => { honest(); for (let i = 0; i < 3; i++) account.session.stanza(notify); });
    account.cut();
  },
};

const enabled = [
  ["enabled without an id", (c, e, honest) => { c.session.counting = true; c.write(sm("enabled", { resume: "true" })); }],
  ["enabled before it was asked for, and again", (c, e, honest) => { honest(); c.write(sm("enabled", { id: "again", resume: "true" })); }],
  ["enable fails", (c) => c.write(sm("failed", {}, el("unexpected-request", { xmlns: ns.stanzas })))],
  ["enabled at another place", (c) => { c.session.enable(); c.write(sm("enabled", { id: c.session.id, resume: "true", location: "wss://elsewhere.example/ws" })); }],
  ["enabled with an id of 60 KB", (c) => { c.session.enable(); c.write(sm("enabled", { id: "i".repeat(60_000), resume: "true" })); }],
].map(([name, act]) => ({
  name: `stream management: ${name}`, class: "resumption", rules: 1,
  run: async (context) => {
    const { account } = context;
    account.rule("enable", act);
    account.lose(account.session);
    account.cut();
    await context.fired(1);
    account.honest();
    await context.live("with odd stream management");
    account.cut(); // the connection is lost again
  },
}));

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

const requests = [
  { name: "a request, and the session is cut and resumed every 2 s", class: "resumption", limits: { call: 45_000 },
    run: async ({ account, tab }) => {
      account.rule("subscribe", () => undefined, Infinity);
      await tab.call("subscribe", { service: "pubsub.localhost", node: "never answered" });
      for (let i = 0; i < 14; i++) {
        await sleep(2000);
        account.cut();
      }
    } },
  { name: "a request that the server answers by closing the socket, again and again", class: "resumption", rules: 2,
    run: async ({ account, tab }) => {
      account.rule("subscribe", (c) => { c.closeSocket(1009); }, Infinity);
      await tab.call("subscribe", { service: "pubsub.localhost", node: "poison" });
    },
    check: ({ account }) => { if (account.connections > 12) throw new Error(`${account.connections} connections`); } },
  { name: "a request of 300 KB", class: "resumption",
    run: async ({ tab }) => { await tab.call("subscribe", { service: "pubsub.localhost", node: "n".repeat(300_000) }); await sleep(300); } },
  { name: "requests that are lost with the session", class: "resumption", rules: 3,
    run: async ({ account, tab }) => {
      account.rule("subscribe", () => undefined, 3);
      for (const node of ["x", "y", "z"]) await tab.call("subscribe", { service: "pubsub.localhost", node });
      while (account.fired < 3) await sleep(20);
      account.lose(account.session);
      account.cut();
    } },
];

export const resumption = [...answers, ...counts, replayed, ...enabled, ...requests];
