// Plays one scenario, in which the server misbehaves and then behaves correctly again, and checks the page's state.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { cpus, loadavg } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { canary, search } from "../secrets.mjs";
import { token } from "./server.mjs";

const bounds = {
  gap: 2000, // ms for which page or program may be unresponsive, on an idle machine
  again: 20_000, // ms until the client is live with the correct list, once the server behaves correctly
  call: 50_000, // ms until a call settles
  memory: 256 << 20, // bytes of the program
  heap: 400 << 20, // bytes of the page's objects
  text: 4096, // characters of an error
};

/** How much longer everything takes because the machine is busy. */
const busy = () => Math.max(1, loadavg()[0] / cpus().length);

/**
 * A scenario has a name, a class, and any of
 *   first     the server misbehaves from the client's first login on
 *   setup     (account) called before the client starts
 *   run       (context) the attack; the client is live, unless `first` is set
 *   rules     number of rules to apply before the server behaves correctly again
 *   final     {code, text} the only error with which the client may have stopped
 *   must      the client must have stopped with that error
 *   stranger  any sender could send this: it must not end the session
 *   check     (context) an additional check at the end
 *   inbox     the page uses the inbox
 *   limits    limits that differ from the defaults
 */
export async function play(scenario, { server, tab, name, where, inspector }) {
  const account = server.account(name, canary);
  const limits = { ...bounds, ...scenario.limits };
  await scenario.setup?.(account);
  const options = { runtime: { where }, inspector, reconnect: { baseMs: 50, maxMs: 400, jitter: "none" } };
  await tab.begin(account, options, scenario.inbox);
  const context = new Context(account, tab, scenario, limits, options);
  let report, last;
  try {
    await tab.call("connect");
    if (!scenario.first) await context.live("before the attack");
    const { connections } = account;
    if (!scenario.first) account.push(account.friendMessage());
    await scenario.run?.(context);
    await context.fired(scenario.rules ?? 0);
    account.honest();
    account.push(account.friendMessage());
    account.change("meanwhile", "subscribed");
    const end = await context.settled();
    if (end.phase === "failed") { // The server behaves correctly: one call is enough.
      await tab.call("connect");
      await context.live("after connect() was called again");
    }
    account.push(account.friendMessage());
    await context.heard();
    await context.answered();
    if (scenario.stranger) assert.equal(account.connections, connections, `the session ended: ${(await tab.status()).error?.message}`);
    await scenario.check?.(context, end);
    report = { name: scenario.name, ...await context.judge(end) };
  } finally {
    account.honest();
    last = await tab.end().catch((e) => ({ failed: e.message }));
  }
  judgeEnd(account, last, tab);
  return report;
}

class Context {
  constructor(account, tab, scenario, limits, options) {
    Object.assign(this, { account, tab, scenario, limits, options, had: {} });
  }

  get connection() { return this.account.connection; }
  get session() { return this.account.session; }

  /** Delivers stanzas between messages of the friend, in one turn of the event loop. */
  around(...stanzas) {
    const { account } = this;
    account.push(account.friendMessage(), ...stanzas, account.friendMessage());
  }

  /** The same for WebSocket messages that are not stanzas, which are not counted. */
  amid(...texts) {
    const { account, session } = this;
    const [before, after] = [account.friendMessage(), account.friendMessage()];
    this.connection.batch(() => {
      session.stanza(before);
      this.connection.write(...texts);
      session.stanza(after);
      session.ask();
    });
  }

  /** Ends the page. The server may deliver to the next page again what this page had not stored. */
  async leavePage() {
    await this.heard();
    this.had = (await this.tab.status()).messages;
    await this.tab.page.goto("about:blank");
    for (const number of this.session?.numbers() ?? []) this.account.sent.set(number, this.account.sent.get(number) + 1);
  }

  /** Reloads the page. */
  async enterPage() {
    await this.tab.page.goto(this.tab.lab.url);
    await this.tab.begin(this.account, this.options, this.scenario.inbox);
    await this.tab.call("connect");
  }

  /** Returns how often each message of the friend arrived, on any page. */
  came({ messages }) {
    return Object.fromEntries([...this.account.sent.keys()].map((n) => [n, (messages[n] ?? 0) + (this.had[n] ?? 0)]));
  }

  want() {
    const rows = this.account.list();
    return { ver: this.account.ver, length: rows.length, digest: createHash("sha256").update(rows.join("\n")).digest("hex") };
  }

  /** Waits until `ready(status)`; the status is `late` if it takes too long. */
  async wait(limit, ready) {
    for (const deadline = Date.now() + limit; ; await sleep(60)) {
      if (this.tab.crashed) assert.fail("the renderer crashed");
      const now = await this.tab.status(this.want());
      if (now.crash) assert.fail(`the program crashed: ${now.crash.message}`);
      if (ready(now)) return now;
      if (Date.now() > deadline) return { late: true, ...now };
    }
  }

  async live(when) {
    const now = await this.wait(30_000, (s) => s.equal);
    if (now.late) assert.fail(`not live ${when}: ${describe(now)}; server: ${this.account.steps.slice(-20).join(" ")}`);
  }

  /** Waits until the rules were applied n times, or the client has stopped. */
  async fired(n, limit = 40_000) {
    for (const deadline = Date.now() + limit; this.account.fired < n; await sleep(50)) {
      const now = await this.tab.status(this.want());
      if (now.phase === "failed") return;
      if (Date.now() > deadline) assert.fail(`the client came only ${this.account.fired} of ${n} times: ${describe(now)}; server: ${this.account.steps.slice(-20).join(" ")}`);
    }
  }

  /** Waits until the client is live with the server's list, or has stopped. */
  async settled() {
    const now = await this.wait(this.limits.again, (s) => s.equal || s.phase === "failed");
    if (now.late) assert.fail(`neither live with the server's list nor failed ${this.limits.again / 1000} s after the attack: ${describe(now)}, the server has ${this.account.ver} (${this.account.rows.size}); server: ${this.account.steps.slice(-20).join(" ")}`);
    const { final, must } = this.scenario;
    if (now.phase !== "failed") {
      if (must) assert.fail(`live, where it had to fail with ${must.code}`);
      return now;
    }
    const expected = must ?? final;
    if (!expected) assert.fail(`gave up: ${describe(now)}`);
    assert.equal(now.error?.code, expected.code, `gave up: ${describe(now)}`);
    assert.match(now.error.message, expected.text, "the text does not name the cause");
    return now;
  }

  /** Checks that the friend's messages have arrived and were acknowledged. */
  async heard() {
    const { account } = this;
    const missing = (s) => Object.entries(this.came(s)).filter(([, n]) => n === 0).map(([id]) => id);
    const now = await this.wait(10_000, (s) => missing(s).length === 0);
    assert.deepEqual(missing(now), [], "messages of the friend that never came");
    const often = Object.entries(this.came(now)).filter(([id, n]) => n > account.sent.get(Number(id)));
    assert.deepEqual(often, [], "messages of the friend that came more than once");
    for (const deadline = Date.now() + 5000; account.session?.unacknowledged.length > 0; await sleep(100)) {
      account.session.ask();
      if (Date.now() > deadline) assert.fail(`${account.session.unacknowledged.length} stanzas are never acknowledged, first: ${account.session.unacknowledged[0].slice(0, 200)}`);
    }
  }

  /** Checks that all calls have settled, in time and with an allowed outcome. */
  async answered() {
    const now = await this.wait(this.limits.call, (s) => s.calls.every((c) => c.settled));
    for (const call of now.calls) {
      assert.ok(call.settled, `${call.method}() has not ended after ${call.ms} ms`);
      assert.ok(call.ms <= this.limits.call, `${call.method}() took ${call.ms} ms`);
      if (call.code !== "") assert.ok(call.isPamError, `${call.method}() failed with what is no PamError: ${call.message}`);
    }
  }

  async judge(end) {
    const now = await this.tab.status();
    const { limits } = this;
    const heap = await this.tab.heap();
    const gap = limits.gap * busy();
    assert.ok(now.gap <= gap, `the page stood still for ${now.gap} ms`);
    assert.ok(now.trip <= gap, `the program did not answer for ${now.trip} ms`);
    assert.ok(now.memory <= limits.memory, `the program takes ${now.memory >> 20} MiB`);
    assert.ok(heap <= limits.heap, `the page takes ${heap >> 20} MiB`);
    assert.ok(now.longest <= limits.text, `an error of ${now.longest} characters`);
    assert.ok(now.text <= 2 * this.account.largest + 1024, `a text of ${now.text} characters for the page; the largest stanza had ${this.account.largest}`);
    assert.deepEqual(now.forged, [], "forged rows were shown");
    return { phase: end.phase, code: end.error?.code, gap: now.gap, trip: now.trip, memory: now.memory >> 20, heap: heap >> 20, ignored: now.ignored, connections: this.account.connections };
  }
}

function judgeEnd(account, { failed, said, frames, ms }, tab) {
  assert.equal(failed, undefined, "close()");
  assert.ok(ms < 5000, `close() took ${ms} ms`);
  assert.deepEqual(tab.problems, [], "errors of the page");
  assert.deepEqual(account.faults, [], "what no client may send");
  assert.ok(!account.plain || account.plainAllowed, "the password was sent with PLAIN after a stronger login");
  assert.ok(!/^(garbled|probe):/m.test(said), /^(garbled|probe):.*/m.exec(said)?.[0].slice(0, 300));
  for (const [place, text] of Object.entries({ errors: said, inspector: frames })) {
    const found = search(text);
    for (const secret of account.secrets) if (secret.length > 11 && text.includes(secret)) found.push(`a part of the authentication (${secret.slice(0, 12)}…)`);
    if (text.includes(token)) found.push("the token of the address");
    assert.deepEqual(found, [], `secrets in the ${place}`);
  }
}

const describe = ({ phase, error, ver, length, attempt, missing }) =>
  `${phase}${error ? ` (${error.code}: ${error.message.slice(0, 300)})` : ""}, list ${ver} (${length}), attempt ${attempt}${missing.length ? `, missing ${missing}` : ""}`;
