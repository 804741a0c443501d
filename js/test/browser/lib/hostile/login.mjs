// Authentication, and what precedes and follows it. Every fault is tested in the first login and in a reconnection of a client
// that was live. In a reconnection only rejected credentials may be final; in the first login every permanent fault may.

import { randomBytes } from "node:crypto";
import { challenge, el, esc, failure, granted, iqError, iqResult, mechanisms, ns, open, streamError, success } from "./xml.mjs";

const auth = (text) => ({ code: "auth", text });
const protocol = (text) => ({ code: "protocol", text });

/** Sends a modified challenge. */
const challenged = (change) => (c, e) => {
  const first = Buffer.from(e.getText(), "base64").toString();
  const nonce = /(?:^|,)r=([^,]*)/.exec(first)?.[1] ?? "";
  c.write(challenge(change({ nonce, r: nonce + "more", s: randomBytes(16).toString("base64"), i: 4096 })));
};
const bound = (text) => (c, e) => c.write(iqResult(e, undefined, el("bind", { xmlns: ns.bind }, text === undefined ? undefined : el("jid", {}, esc(text)))));
const said = (...texts) => (c) => c.write(...texts);
const ordinary = ["SCRAM-SHA-512", "SCRAM-SHA-256", "SCRAM-SHA-1", "PLAIN"];
const opened = (...names) => said(open(), mechanisms(...names));
const sasl = (...inner) => el("success", { xmlns: ns.sasl }, ...inner);

// name, step, what the server does, and the final error of the first login: undefined if the client must retry.
const faults = [
  ["success without the server's proof", "response", (c) => { c.authenticated = true; c.write(success()); }, auth(/proof|proved|prove|signature|password/i)],
  ["success with a wrong proof", "response", (c) => { c.authenticated = true; c.write(success(`v=${randomBytes(64).toString("base64")}`)); }, auth(/proof|prove|signature|password/i)],
  ["success with a proof of another length", "response", (c) => { c.authenticated = true; c.write(success("v=AAAA")); }, auth(/proof|prove|signature|password/i)],
  ["success with e=other-error", "response", (c) => { c.authenticated = true; c.write(success("e=other-error")); }, auth(/refused.*other-error/), { refused: true }],
  ["success that is not base64", "response", (c) => { c.authenticated = true; c.write(sasl("###")); }, auth(/base64/)],
  ["success instead of a challenge", "auth", (c) => { c.authenticated = true; c.write(success()); }, auth(/success at the wrong moment|prov/)],
  ["success instead of features", "open", said(open(), success()), protocol(/success/)],
  ["a second challenge after the proof", "response", (c) => c.write(challenge("r=again,s=AAAA,i=4096")), auth(/challenge|log-?in|answer|message|after/i)],
  ["1 iteration", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=1`), auth(/iteration/)],
  ["0 iterations", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=0`), auth(/iteration/)],
  ["4095 iterations", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=4095`), auth(/iteration/)],
  ["10,000,000 iterations", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=10000000`), auth(/iteration/)],
  ["2^64 iterations", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=18446744073709551617`), auth(/iteration|challenge|read|malformed/i)],
  ["negative iterations", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=-4096`), auth(/iteration|challenge|read|malformed/i)],
  ["1,000,000 iterations, then a refusal", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=1000000`), auth(/not-authorized|password|proof/), { after: ["response", said(failure("not-authorized"))], refused: true }],
  ["a nonce that is not the client's", "auth", challenged(({ s }) => `r=strange,s=${s},i=4096`), auth(/nonce|random/)],
  ["a nonce without a part of the server", "auth", challenged(({ nonce, s }) => `r=${nonce},s=${s},i=4096`), auth(/nonce|random/)],
  ["no salt", "auth", challenged(({ r }) => `r=${r},i=4096`), auth(/./)],
  ["an empty salt", "auth", challenged(({ r }) => `r=${r},s=,i=4096`), auth(/./)],
  ["a salt that is not base64", "auth", challenged(({ r }) => `r=${r},s=@@@@,i=4096`), auth(/./)],
  ["a salt of 40 KB, then a refusal", "auth", challenged(({ r }) => `r=${r},s=${"A".repeat(40_000)},i=4096`), auth(/./), { after: ["response", said(failure("not-authorized"))], refused: true }],
  ["a mandatory extension", "auth", challenged(({ r, s }) => `m=new,r=${r},s=${s},i=4096`), auth(/./)],
  ["attributes twice and in disorder", "auth", challenged(({ r, s }) => `s=${s},i=4096,r=${r},r=${r},i=5000`), auth(/./)],
  ["a challenge that ends in a comma", "auth", challenged(({ r, s }) => `r=${r},s=${s},i=4096,,,`), auth(/./), { after: ["response", said(failure("not-authorized"))], refused: true }],
  ["a challenge without data", "auth", said(el("challenge", { xmlns: ns.sasl })), auth(/./)],
  ["a challenge that is not base64", "auth", said(el("challenge", { xmlns: ns.sasl }, "this is no base64")), auth(/base64/)],
  ["a challenge with line breaks", "auth", (c, e, honest) => { const { write } = c; c.write = (t) => write.call(c, t.replace(/(.{20})<\/ch/, "\n$1</ch")); honest(); c.write = write; }, auth(/base64/)],
  ["a challenge of 70 KB", "auth", said(el("challenge", { xmlns: ns.sasl }, "A".repeat(70_000))), protocol(/./)],
  ["a challenge with a declaration, a prefix and attributes", "auth", (c, e, honest) => { const { write } = c; c.write = (t) => write.call(c, t.replace(/^<challenge xmlns='([^']*)'>(.*)<\/challenge>$/, "<?xml version='1.0'?><s:challenge xmlns:s='$1' s:x='1' y='2'>$2</s:challenge>")); honest(); c.write = write; }],
  ["success with a prefix", "response", (c, e, honest) => { const { write } = c; c.write = (t) => write.call(c, t.replace(/^<success xmlns='([^']*)'>(.*)<\/success>$/, "<s:success xmlns:s='$1'>$2</s:success>")); honest(); c.write = write; }],
  ["failure not-authorized", "response", said(failure("not-authorized")), auth(/not-authorized/), { refused: true }],
  ["failure temporary-auth-failure", "response", said(failure("temporary-auth-failure", "out of order"))],
  ["failure account-disabled", "auth", said(failure("account-disabled", "Call us.")), auth(/account-disabled.*Call us/), { refused: true }],
  ["failure credentials-expired", "response", said(failure("credentials-expired")), auth(/credentials-expired/), { refused: true }],
  ["failure mechanism-too-weak", "auth", said(failure("mechanism-too-weak")), auth(/mechanism-too-weak/), { refused: true }],
  ["failure aborted", "response", said(failure("aborted")), auth(/aborted/), { refused: true }],
  ["failure without a condition", "response", said(failure()), auth(/refused/), { refused: true }],
  ["failure with 60 KB of text", "response", said(failure("not-authorized", "x".repeat(60_000))), auth(/not-authorized/), { refused: true }],
  ["features without mechanisms", "open", said(open(), granted()), protocol(/log-?in|mechanism/)],
  ["features with no mechanism in them", "open", opened(), protocol(/log-?in|mechanism/)],
  ["features with unknown mechanisms", "open", opened("X-OURS", "GSSAPI", "", "SCRAM-SHA-256-PLUS"), auth(/mechanism|X-OURS/)],
  ["features with 900 mechanisms", "open", opened(...Array.from({ length: 900 }, (_, i) => `X-${i}`)), auth(/mechanism/)],
  ["features twice", "open", (c) => c.write(open(), mechanisms(...ordinary), mechanisms(...ordinary)), protocol(/features/)],
  ["features before the stream", "open", said(mechanisms("SCRAM-SHA-1")), protocol(/features/)],
  ["the stream opened twice", "open", said(open(), open(), mechanisms(...ordinary)), protocol(/open/)],
  ["a stream of another host", "open", said(open("elsewhere.example"), mechanisms(...ordinary)), protocol(/elsewhere\.example/)],
  ["a stream of no host", "open", said(open(undefined), mechanisms(...ordinary)), protocol(/itself|address/)],
  ["another host, and a stream error that says why", "open", said(open("elsewhere.example"), streamError("host-unknown", "who is that?")), { code: "stream", text: /host-unknown.*who is that/ }],
  ["XMPP 0.9", "open", said(open("localhost", { version: "0.9" }), mechanisms(...ordinary)), protocol(/version/)],
  ["a stream over TCP", "open", said(`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${ns.stream}' from='localhost' id='1' version='1.0'>`), protocol(/./)],
  ["an open of another namespace", "open", said("<open xmlns='jabber:client' from='localhost'/>", mechanisms(...ordinary)), protocol(/open/)],
  ["no open after the login", "reopen", said(granted()), protocol(/features/)],
  ["the features for an unauthenticated stream after the login", "reopen", opened(...ordinary), protocol(/binding/)],
  ["features without bind", "reopen", said(open(), granted({ bind: false })), protocol(/binding/)],
  ["features of another host after the login", "reopen", said(open("elsewhere.example"), granted()), protocol(/elsewhere/)],
  ["bound to another account", "bind", bound("mallory@localhost/r"), protocol(/mallory/)],
  ["bound to a bare JID", "bind", (c, e) => bound(c.account.jid)(c, e), protocol(/full JID/)],
  ["bound to an invalid JID", "bind", bound("@@/"), protocol(/bound/)],
  ["bound to nothing", "bind", bound(undefined), protocol(/bound/)],
  ["bind refused: not-allowed", "bind", (c, e) => c.write(iqError(e, undefined, "not-allowed")), { code: "stream", text: /not-allowed/ }],
  ["bind refused: resource-constraint, wait", "bind", (c, e) => c.write(iqError(e, undefined, "resource-constraint", "wait"))],
  ["bind refused: conflict", "bind", (c, e) => c.write(iqError(e, undefined, "conflict")), { code: "conflict", text: /conflict/ }, { refused: true }],
  ["bind answered under another id, and then not", "bind", (c, e, honest) => { c.write(el("iq", { xmlns: ns.client, type: "result", id: "other" })); honest(); }],
];

function* loginScenarios() {
  for (const [name, step, act, first, { after, refused } = {}] of faults) {
    const setup = (account) => {
      account.rule(step, act);
      if (after) account.rule(...after);
    };
    // If the first login does not end with this error, the client may also retry and succeed.
    yield { name: `first login: ${name}`, class: "login", first: true, setup, rules: after ? 2 : 1, final: first };
    yield {
      name: `reconnection: ${name}`, class: "login", rules: after ? 2 : 1, final: refused ? first : undefined,
      run: ({ account }) => {
        setup(account);
        account.lose(account.session); // else the client would resume the session instead of binding
        account.cut();
      },
    };
  }
}

/** The server offers weaker mechanisms than before, by the mechanism used before. */
const downgrade = (name, offered, first = undefined) => ({
  name: `reconnection: ${name}`, class: "login", rules: 3,
  setup: (account) => { if (first) account.offered = first; },
  run: ({ account }) => {
    account.rule("open", opened(...offered), 3);
    account.cut();
  },
});

export const login = [
  { name: "PLAIN alone, from the start", class: "login", first: true, setup: (account) => Object.assign(account, { offered: ["PLAIN"], plainAllowed: true }) },
  ...loginScenarios(),
  downgrade("only PLAIN after SCRAM", ["PLAIN"]),
  downgrade("only SCRAM-SHA-1 after SCRAM-SHA-512", ["SCRAM-SHA-1"]),
  downgrade("PLAIN and unknown ones after SCRAM-SHA-1", ["X-NEW", "PLAIN"], ["SCRAM-SHA-1"]),
];
