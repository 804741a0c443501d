// A server that is starting, stopping, or partly unavailable. A client that was live waits for it.

import { close, el, failure, granted, iqError, iqResult, mechanisms, ns, open, streamError } from "./xml.mjs";

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const attempts = 4;

/** The server returns several times in a wrong state, and then in a correct one. */
const odd = (name, step, act, more = {}) => ({
  name: `half started: ${name}`, class: "starting", rules: attempts,
  run: ({ account }) => {
    account.rule(step, act, attempts);
    if (!more.resumes) account.lose(account.session);
    account.cut();
  },
  ...more,
});
const error = (condition) => (c) => c.endStream(open(), streamError(condition), close());

const states = [
  odd("host-unknown", "open", error("host-unknown")),
  odd("host-gone", "open", error("host-gone")),
  odd("policy-violation", "open", error("policy-violation")),
  odd("not-authorized", "open", error("not-authorized")),
  odd("system-shutdown", "open", error("system-shutdown")),
  odd("internal-server-error", "open", error("internal-server-error")),
  odd("an undeclared stream error", "open", (c) => c.endStream(open(), `<stream:error><host-unknown xmlns='${ns.streams}'/></stream:error>`, close())),
  odd("a stream of the default host", "open", (c) => c.endStream(open("default.host"), streamError("host-unknown"), close())),
  odd("features without mechanisms", "open", (c) => c.write(open(), granted({ bind: false, sm: false }))),
  odd("no mechanisms in the features", "open", (c) => c.write(open(), mechanisms())),
  odd("unknown mechanisms alone", "open", (c) => c.write(open(), mechanisms("X-STARTING"))),
  odd("temporary-auth-failure", "auth", (c) => c.write(failure("temporary-auth-failure"))),
  odd("policy-violation after the login", "reopen", error("policy-violation")),
  odd("features without bind", "reopen", (c) => c.write(open(), granted({ bind: false }))),
  odd("features without bind, to a session that wants to go on", "reopen", (c) => c.write(open(), granted({ bind: false, sm: false })), { resumes: true }),
  odd("features without stream management, to a session that wants to go on", "reopen", (c) => c.write(open(), granted({ sm: false })), { resumes: true, rules: 1 }),
  odd("bind is refused with service-unavailable", "bind", (c, e) => c.write(iqError(e, undefined, "service-unavailable"))),
  odd("bind is refused with internal-server-error, wait", "bind", (c, e) => c.write(iqError(e, undefined, "internal-server-error", "wait"))),
  odd("service-unavailable at the upgrade", "upgrade", ({ socket }) => socket.end("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")),
  odd("nothing listens", "upgrade", ({ socket }) => socket.resetAndDestroy()),
  odd("every session ends after presence", "presence", (c) => c.endStream(streamError("system-shutdown"), close())),
];

/** The session is correct, but the answers in it are wrong. In the next session all is correct. */
const unresponsive = (name, rules, more = {}) => ({
  name: `half started: ${name}`, class: "starting",
  run: async (context) => {
    const { account } = context;
    for (const [step, act] of rules) account.rule(step, act, Infinity);
    account.lose(account.session);
    account.cut();
    await context.fired(rules.length);
    await sleep(more.pause ?? 500);
    account.honest();
    if (!more.same) {
      if (account.session) account.lose(account.session);
      account.cut();
    }
  },
  ...more,
});
const refuse = (condition, type = "cancel") => (c, e) => c.session.stanza(iqError(e, e.attrs.to, condition, type));
const nothing = () => undefined;
const features = (...vars) => (c, e) => c.session.stanza(iqResult(e, e.attrs.to, el("query", { xmlns: ns.info }, vars.map((v) => el("feature", { var: v })))));

const answers = [
  unresponsive("disco is silent", [["info", nothing]]),
  unresponsive("the list is silent", [["list", nothing]]),
  unresponsive("the feature of PAM is missing, and the list refused", [["info", features(ns.info)], ["list", refuse("service-unavailable")]]),
  unresponsive("the feature is missing, but the list is given", [["info", features(ns.info)]]),
  unresponsive("service-unavailable to everything", [["info", refuse("service-unavailable")], ["list", refuse("service-unavailable")]]),
  unresponsive("internal-server-error to everything", [["info", refuse("internal-server-error", "wait")], ["list", refuse("internal-server-error", "wait")]]),
  unresponsive("the feature is there, and the list refused", [["list", refuse("feature-not-implemented")]]),
  unresponsive("features of 200 KB", [["info", features(...Array.from({ length: 4000 }, (_, i) => `urn:example:feature:of:a:very:large:server:${i}`), ns.pam)]]),
  unresponsive("a disco answer that is none", [["info", (c, e) => c.session.stanza(iqResult(e, e.attrs.to, el("a", { xmlns: "u:" }), "text"))]]),
  unresponsive("disco answers after the list", [["info", (c, e, honest) => setTimeout(() => c.session && !c.ended && honest(), 300)]], { same: true }),
  unresponsive("presence comes back as an error", [["presence", (c, e, honest) => { honest(); c.session.stanza(el("presence", { xmlns: ns.client, type: "error", from: c.session.full, to: c.session.full }, el("error", { type: "cancel" }, el("not-allowed", { xmlns: ns.stanzas })))); }]], { same: true }),
];

export const starting = [...states, ...answers];
