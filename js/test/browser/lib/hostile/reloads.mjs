// A page that is loaded again, and goes on with the session of the page before while the server misbehaves.

import { el, iqResult, ns, open, streamError } from "./xml.mjs";

const sm = (name, attributes = {}, ...inner) => el(name, { xmlns: ns.sm, ...attributes }, ...inner);

/** The page ends, the list changes meanwhile, and the next page meets `arm(world)`. */
const reload = (name, arm, rules, more = {}) => ({
  name: `reload: ${name}`, class: "reload", rules,
  run: async (stage) => {
    const { world } = stage;
    arm(world);
    await stage.leavePage();
    world.change("while away", "subscribed");
    world.change("news", "none");
    world.push(world.friendly());
    await stage.enterPage();
  },
  ...more,
});
const atResume = (act, times = 1) => (world) => world.rule("resume", (c, e, honest) => act({ c, e, honest, world, session: world.sessions.get(e.attrs.previd) }), times);

export const reloads = [
  reload("in order", () => undefined, 0),
  reload("failed", atResume(({ c }) => c.write(sm("failed"))), 1),
  reload("another previd", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: "another", h: session.received }))), 1),
  reload("h is too high", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: session.received + 1000 }))), 1),
  reload("h is 0", atResume(({ c, e, session }) => c.resume(e, sm("resumed", { previd: session.id, h: 0 }))), 1),
  reload("enabled instead of resumed", atResume(({ c }) => c.write(sm("enabled", { id: "new", resume: "true" }))), 1),
  reload("a TCP reset at resume, three times", atResume(({ c }) => c.reset(), 3), 3),
  reload("a TCP reset just after resume, three times", atResume(({ c, honest }) => { honest(); setTimeout(() => c.reset(), 20); }, 3), 3),
  reload("host-unknown, three times", (world) => world.rule("open", (c) => c.say(open(), streamError("host-unknown")), 3), 3, { final: { code: "stream", text: /host-unknown/ } }),
  reload("a forged list while the list is asked for", (world) => world.rule("list", (c, e, honest) => {
    c.session.stanza(iqResult(e, "mallory@localhost", el("subscriptions", { xmlns: ns.pam, ver: "forged" }, el("subscription", { service: "pubsub.localhost", node: "forged", jid: world.account }))));
    honest();
  }), 1),
  reload("a TCP reset within the answer to the list", (world) => world.rule("list", (c, e, honest) => { honest(); setImmediate(() => c.reset()); }, 2), 1),
  reload("all that was acknowledged comes again", atResume(({ honest, world }) => {
    honest();
    for (let n = 1; n <= world.history.length; n++) world.session.stanza(world.notifyOf(n));
  }), 1),
];
