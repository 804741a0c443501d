// The page, with one client at a time. It records how long page and program were unresponsive, which events arrived, what was
// shown, and how calls settled.

import { startLab } from "../lab.mjs";

export { startLab };

/** A page and its errors. If it has crashed, a new one is opened. */
export class Tab {
  constructor(browser, lab) {
    Object.assign(this, { browser, lab });
  }

  async open() {
    this.context = await this.browser.newContext();
    this.page = await this.context.newPage();
    this.problems = [];
    this.crashed = false;
    this.page.on("pageerror", (e) => this.problems.push(`uncaught: ${e}`));
    this.page.on("console", (m) => m.type() === "error" && !/^WebSocket connection to '[^']*' failed/.test(m.text()) && this.problems.push(`console: ${m.text().slice(0, 500)}`));
    this.page.on("crash", () => { this.crashed = true; });
    await this.page.goto(this.lab.url);
    this.cdp = await this.context.newCDPSession(this.page);
    await this.cdp.send("Performance.enable");
  }

  async close() {
    await this.context?.close().catch(() => undefined);
    this.context = undefined;
  }

  /** Calls a function in the page; fails if the page does not answer in time. */
  async ask(fn, argument, limit = 20_000) {
    let timer;
    const late = new Promise((_, reject) => { timer = setTimeout(reject, limit, new Error(`the page did not answer for ${limit / 1000} s`)); });
    try {
      return await Promise.race([this.page.evaluate(fn, argument), late]);
    } finally {
      clearTimeout(timer);
    }
  }

  begin(account, options, inbox = false) {
    return this.ask(begin, [account.url, account.jid, account.password, options, inbox]);
  }

  status(want) { return this.ask(status, want); }

  /** Starts a call of the client. status() returns its outcome. */
  call(method, ...args) {
    return this.ask(([method, args]) => { life.call(method, args); }, [method, args]);
  }

  /** Emits the event `online`, after which the client checks its connection immediately. */
  wake() {
    return this.ask(() => { dispatchEvent(new Event("online")); });
  }

  end() { return this.ask(end); }

  async heap() {
    const { metrics } = await this.cdp.send("Performance.getMetrics");
    return metrics.find((m) => m.name === "JSHeapUsedSize").value;
  }
}

async function begin([service, account, password, options, inbox]) {
  const { createClient, PamError } = await import("/pkg/index.js");
  const client = createClient({ account, credentials: async () => ({ password }), service, tabs: "independent", ...options });
  const life = { gap: 0, trip: 0, said: [], longest: 0, text: 0, messages: {}, strange: 0, calls: [], events: [], nodes: new Set(), over: false };
  Object.assign(globalThis, { client, life });
  const note = (e) => {
    const text = [e?.message, e?.stack, e?.cause?.message, JSON.stringify(e)].join("\n");
    life.longest = Math.max(life.longest, e?.message?.length ?? 0);
    if (life.said.length < 2000) life.said.push(text.slice(0, 100_000));
    return { code: e?.code ?? null, message: String(e?.message).slice(0, 500), isPamError: e instanceof PamError };
  };
  client.on("warning", note);
  client.on("crash", (e) => { life.crash = note(e); });
  client.on("sync", ({ error }) => error && error !== life.error && note(life.error = error));
  client.on("message", ({ from, xml: text }) => {
    const xml = text ?? ""; // omitted if it is too long or unreadable
    life.text = Math.max(life.text, xml.length);
    const number = / id=['"]m(\d+)['"]/.exec(xml.slice(0, 500))?.[1];
    if (number && from === "friend@elsewhere.example/home") {
      life.messages[number] = (life.messages[number] ?? 0) + 1;
      if (!xml.includes(`friend ${number} &amp; `)) life.said.push(`garbled: ${xml}`);
    } else {
      life.strange++;
    }
  });
  client.subscriptions.subscribe(() => {
    const list = client.subscriptions.getSnapshot();
    if (list.length < 1000) for (const r of list) life.nodes.add(r.node);
  });
  const told = (e) => {
    if (life.events.length < 5000 || e.node === "feed") life.events.push([e.service, e.node, e.type, e.itemId].join(" ").slice(0, 200));
  };
  if (inbox) client.on("event", told);
  life.call = (method, args) => {
    const call = { method, began: performance.now() };
    life.calls.push(call);
    const of = method === "refresh" ? client.subscriptions : client;
    of[method](...args).then(() => { call.code = ""; }, (e) => { Object.assign(call, note(e)); }).finally(() => { call.ms = performance.now() - call.began; });
  };

  let last = performance.now();
  const beat = setInterval(() => {
    const now = performance.now();
    life.gap = Math.max(life.gap, now - last);
    last = now;
  }, 20);
  // The service is not a JID: the program rejects the call without side effects.
  const probe = async () => {
    while (!life.over) {
      life.asked = performance.now();
      const code = await client.subscribe({ service: "@", node: "probe" }).then(() => "none", (e) => e.code);
      life.trip = Math.max(life.trip, performance.now() - life.asked);
      life.asked = undefined;
      if (!["bad-jid", "offline", "closed", "unsupported"].includes(code)) life.said.push(`probe: ${code}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  };
  void probe();
  life.end = () => {
    life.over = true;
    clearInterval(beat);
  };
}

/** Returns the state of the client, and with `want`, whether it is live with that list. */
async function status(want) {
  const { phase, error, resumed, attempt, missing } = client.sync.getSnapshot();
  const list = client.subscriptions.getSnapshot();
  let equal = false;
  const committed = list.filter((r) => !r.local);
  if (want && phase === "live" && list.ver === want.ver && committed.length === want.length) {
    const rows = committed.map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state].join(" ")).sort();
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(rows.join("\n")));
    equal = want.digest === [...new Uint8Array(digest)].map((b) => b.toString(16).padStart(2, "0")).join("");
  }
  return {
    phase, resumed, attempt, missing, equal, ver: list.ver, length: committed.length,
    error: error && { code: error.code, message: error.message, retryable: error.retryable },
    gap: Math.round(life.gap), trip: Math.round(Math.max(life.trip, life.asked === undefined ? 0 : performance.now() - life.asked)),
    crash: life.crash, messages: life.messages, strange: life.strange, longest: life.longest, text: life.text,
    calls: life.calls.map(({ method, ms, began, code, isPamError, message }) => ({ method, ms: Math.round(ms ?? performance.now() - began), settled: ms !== undefined, code, isPamError, message })),
    forged: [...life.nodes].filter((node) => node.includes("forged")),
    memory: client.inspector.stats().goHeapBytes, ignored: client.inspector.stats().ignored,
  };
}

/** Closes the client. Resolves with all that it has logged and shown, and the time that closing took. */
async function end() {
  const frames = client.inspector.enabled ? await client.inspector.export("xml").text() : "";
  const began = performance.now();
  await client.close();
  life.end();
  return { said: life.said.join("\n"), frames: frames.slice(0, 64 << 20), ms: Math.round(performance.now() - began) };
}
