// A reloaded page resumes the session of the previous page while the server misbehaves.

import { el, iqResult, ns, open, streamError } from "./xml.mjs";

const sm = (name, attributes = {}, ...inner) => el(name, { xmlns: ns.sm, ...attributes }, ...inner);

/** Ends the page, changes the list, calls `arm(account)`, and opens the next page. */
const reload = (name, arm, rules, more = {}) => ({
  name: `reload: ${name}`, class: "reload", rules,
  run: async (context) => {
    const { account } = context;
    arm(account);
    await context.leavePage();
    account.change("while away", "subscribed");
    account.change("news", "none");
    account.push(account.friendMessage());
    await context.enterPage();
  },
  ...more,
});
const atResume = (act, times = 1) => (account) => account.rule("resume", (c, e, honest) => act({ c, e, honest, account, session: account.sessions.get(e.attrs.previd) }), times);

export const reloads = [
  reload("in order", () => undefined, 0),
  reload("failed", atResume(({ c }) => c.write(sm("failed"))), 1),
  reload("another previd", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: "another", h: session.received }))), 1),
  reload("h is too high", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: session.received + 1000 }))), 1),
  reload("h is 0", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: 0 }))), 1),
  reload("enabled instead of resumed", atResume(({ c }) => c.write(sm("enabled", { id: "new", resume: "true" }))), 1),
  reload("a TCP reset at resume, three times", atResume(({ c }) => c.reset(), 3), 3),
  reload("a TCP reset just after resume, three times", atResume(({ c, honest }) => { honest(); setTimeout(() => c.reset(), 20); }, 3), 3),
  reload("host-unknown, three times", (account) => account.rule("open", (c) => c.endStream(open(), streamError("host-unknown")), 3), 3, { final: { code: "stream", text: /host-unknown/ } }),
  reload("a forged list while the list is asked for", (account) => account.rule("list", (c, e, honest) => {
    c.session.stanza(iqResult(e, "mallory@localhost", el("subscriptions", { xmlns: ns.pam, ver: "forged" }, el("subscription", { service: "pubsub.localhost", node: "forged", jid: account.jid }))));
    honest();
  }), 1),
  reload("a TCP reset within the answer to the list", (account) => account.rule("list", (c, e, honest) => { honest(); setImmediate(() => c.reset()); }, 2), 1),
  reload("all that was acknowledged comes again", atResume(({ honest, account }) => {
    honest();
    for (let n = 1; n <= account.history.length; n++) account.session.stanza(account.notifyOf(n));
  }), 1),
];
