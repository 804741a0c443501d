// One socket of a client, and a correct server at the other end. The rules of the account are applied before it answers.

import { parse } from "ltx";
import { Scram } from "./scram.mjs";
import { close, el, esc, failure, granted, iqError, iqResult, mechanisms, ns, open, row, streamError, success, challenge } from "./xml.mjs";

export class Connection {
  constructor(account, ws, socket) {
    Object.assign(this, { account, ws, socket, session: undefined, authenticated: false, scram: undefined, ended: false });
    account.connection = this;
    account.connections++;
    ws.on("message", (data, isBinary) => this.receive(data.toString(), isBinary));
    ws.on("error", () => undefined);
    ws.on("close", () => this.lost(false));
    account.ruleAt("connected")?.(this);
  }

  /** Writes WebSocket messages with any content. */
  write(...texts) {
    for (const text of texts) if (!this.ended) this.ws.send(text);
  }

  binary(bytes) { this.ws.send(bytes, { binary: true }); }

  /** Writes bytes without WebSocket framing. */
  bytes(...list) { this.socket.write(Buffer.from(list.flat())); }

  /** Sends all that `fn` writes in one TCP segment. */
  batch(fn) {
    this.socket.cork();
    fn();
    this.socket.uncork();
    return true;
  }

  reset() {
    this.lost(false);
    this.socket.resetAndDestroy?.() ?? this.socket.destroy();
  }

  /** Ends the WebSocket without a code and without <close/>. */
  closeSocket(code = undefined, reason = undefined) {
    this.lost(false);
    this.ws.close(code, reason);
  }

  /** Ends the stream, so that the session cannot be resumed. */
  endStream(...texts) {
    this.write(...texts);
    this.lost(true);
    this.ws.close();
  }

  lost(orderly) {
    if (this.ended) return;
    this.ended = true;
    if (this.session?.connection === this) this.session.detach(orderly);
  }

  receive(text, isBinary) {
    if (this.ended) return;
    if (isBinary) this.account.faults.push("the client sent a binary message");
    let e;
    try {
      e = parse(text);
    } catch (error) {
      this.account.faults.push(`the client sent what is no element: ${error.message}: ${text.slice(0, 200)}`);
      return;
    }
    const step = this.stepOf(e);
    if (step === "auth" || step === "response") this.account.secrets.add(e.getText());
    if (step === "auth" && e.attrs.mechanism === "PLAIN") this.account.plain = true;
    const rule = this.account.ruleAt(step);
    const counted = this.session?.counting && /^(iq|message|presence)$/.test(e.name);
    if (rule) rule(this, e, () => this.answer(step, e));
    else this.answer(step, e);
    if (counted && !this.ended) this.session.received++; // else it was lost with the socket
  }

  stepOf(e) {
    const space = e.getNS();
    const payload = e.children.find((child) => typeof child !== "string");
    switch (`${space} ${e.name}`) {
      case `${ns.framing} open`: return this.authenticated ? "reopen" : "open";
      case `${ns.framing} close`: return "close";
      case `${ns.client} presence`: return "presence";
      case `${ns.client} message`: return "message";
      case `${ns.client} iq`: break;
      default: return e.name;
    }
    if (e.attrs.type === "result" || e.attrs.type === "error") return "answer";
    switch (payload && `${payload.getNS()} ${payload.name}`) {
      case `${ns.bind} bind`: return "bind";
      case `${ns.info} query`: return e.attrs.to === this.account.jid ? "info" : e.attrs.to === "localhost" ? "info-domain" : "other";
      case `${ns.pam} subscriptions`: return "list";
      case `${ns.pam} pam`: return payload.children.find((child) => typeof child !== "string")?.name ?? "other";
      case `${ns.ping} ping`: return "ping";
      case `${ns.mam} query`: return "archive";
      case `${ns.items} query`: return "nodes";
      case `${ns.pubsub} pubsub`: return payload.children.find((child) => typeof child !== "string")?.name === "items" ? "items" : "other";
      default: return "other";
    }
  }

  // The correct server -----------------------------------------------------------------

  answer(step, e) {
    const { account, session } = this;
    if (!session && /^(enable|r|a|presence|info|info-domain|list|subscribe|unsubscribe|ping)$/.test(step)) return this.endStream(streamError("not-authorized"), close());
    switch (step) {
      case "open": return this.write(open(), mechanisms(...account.offered));
      case "auth": return this.login(e);
      case "response": return this.proof(e);
      case "reopen": return this.write(open(), granted());
      case "resume": return this.resume(e);
      case "bind": return this.bind(e);
      case "enable": return this.write(session.enable());
      case "r": return this.write(el("a", { xmlns: ns.sm, h: session.received }));
      case "a": return session.acknowledge(Number(e.attrs.h));
      case "presence": return this.present(e);
      case "info": case "info-domain":
        return session.stanza(iqResult(e, e.attrs.to, el("query", { xmlns: ns.info }, step === "info" && account.personal ? el("identity", { category: "pubsub", type: "pep" }) : undefined,
          [ns.info, ns.ping, ...(step === "info" ? account.features : [])].map((v) => el("feature", { var: v })))));
      case "items": {
        const { node } = e.getChild("pubsub").getChild("items").attrs;
        return session.stanza(iqResult(e, e.attrs.to, el("pubsub", { xmlns: ns.pubsub }, el("items", { node }))));
      }
      case "list": return this.list(e);
      case "subscribe": case "unsubscribe": return this.change(step, e);
      case "ping": return session.stanza(iqResult(e, e.attrs.to));
      case "close":
        this.write(close());
        this.lost(true);
        return this.ws.close();
      case "answer": case "message": return undefined;
      case "abort": return this.write(failure("aborted"));
      default:
        if (e.name === "iq") session?.stanza(iqError(e, e.attrs.to, "service-unavailable"));
        else if (e.name.endsWith("error")) this.lost(true);
    }
  }

  login(e) {
    const { mechanism } = e.attrs;
    const first = Buffer.from(e.getText(), "base64").toString();
    if (mechanism === "PLAIN") return first === `\0${this.account.name}\0${this.account.password}` ? this.grant() : this.write(failure("not-authorized"));
    this.scram = new Scram(mechanism, first);
    this.secret(this.scram.challenge);
    return this.write(challenge(this.scram.challenge));
  }

  proof(e) {
    const final = this.scram?.finish(Buffer.from(e.getText(), "base64").toString(), this.account.password);
    if (!final) return this.write(failure("not-authorized"));
    return this.grant(final);
  }

  grant(final = "") {
    this.authenticated = true;
    this.secret(final);
    this.write(success(final));
  }

  /** Records a secret that no output may contain. */
  secret(text) {
    if (text.length > 8) this.account.secrets.add(Buffer.from(text).toString("base64"));
  }

  resume(e, answer = undefined) {
    const known = this.account.sessions.get(e.attrs.previd);
    if (!known) return this.write(el("failed", { xmlns: ns.sm }, el("item-not-found", { xmlns: ns.stanzas })));
    if (known.connection) known.connection.ended = true;
    this.session = this.account.session = known;
    return known.resume(this, Number(e.attrs.h), answer);
  }

  bind(e) {
    this.session = this.account.begin(this);
    this.write(iqResult(e, undefined, el("bind", { xmlns: ns.bind }, el("jid", {}, esc(this.session.full)))));
  }

  present(e) {
    if (e.attrs.to !== undefined || e.attrs.type === "unavailable") return;
    this.session.available = true;
    const waiting = this.account.offline;
    this.account.offline = [];
    if (waiting.length > 0) this.account.push(...waiting);
  }

  list(e) {
    const { account, session } = this;
    session.listening = session.available;
    const delta = account.since(e.getChild("subscriptions", ns.pam).attrs.ver);
    for (const text of delta ?? []) session.stanza(text);
    session.stanza(iqResult(e, account.jid, delta ? undefined : fullList(account)));
  }

  change(step, e) {
    const { account, session } = this;
    const pam = e.getChild("pam", ns.pam);
    const { node, subid } = pam.getChild(step).attrs;
    const known = [...account.rows.values()].find((r) => r.service === pam.attrs.jid && r.node === node && (subid === undefined || subid === r.subid));
    if (step === "subscribe" && !known) account.change(node, "subscribed", { at: pam.attrs.jid });
    if (step === "unsubscribe" && known) account.change(node, "none", { at: pam.attrs.jid, subid: known.subid });
    session.stanza(iqResult(e, account.jid));
  }
}

/** Returns the whole list. */
export const fullList = (account, more = "") => el("subscriptions", { xmlns: ns.pam, ver: account.ver }, [...account.rows.values()].map((r) => row(r, account.jid, true)), more);
