// Controls Firefox with WebDriver BiDi: https://w3c.github.io/webdriver-bidi/

import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { WebSocket } from "ws";
import { startUntil } from "./process.mjs";
import { View } from "./view.mjs";

// Firefox may reach nothing but this machine: everything else goes to a proxy that does not exist.
const preferences = {
  "network.proxy.type": 1,
  "network.proxy.http": "127.0.0.1",
  "network.proxy.http_port": 1,
  "network.proxy.ssl": "127.0.0.1",
  "network.proxy.ssl_port": 1,
  "network.proxy.no_proxies_on": "",
  "network.captive-portal-service.enabled": false,
  "network.connectivity-service.enabled": false,
  "browser.shell.checkDefaultBrowser": false,
  "datareporting.policy.dataSubmissionEnabled": false,
  "toolkit.telemetry.server": "",
};

/** Starts Firefox with a new profile. */
export async function startFirefox(program) {
  const profile = mkdtempSync(join(tmpdir(), "xmpp-pam-firefox-"));
  const lines = Object.entries(preferences).map(([name, value]) => `user_pref(${JSON.stringify(name)}, ${JSON.stringify(value)});\n`);
  writeFileSync(join(profile, "user.js"), lines.join(""));
  const args = ["--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0", "about:blank"];
  const remove = () => rmSync(profile, { recursive: true, force: true, maxRetries: 20 });
  let firefox, bidi;
  try {
    firefox = await startUntil(/^WebDriver BiDi listening on (ws:\S+)/, program, args, { env: { MOZ_HEADLESS: "1", MOZ_CRASHREPORTER_DISABLE: "1", HOME: profile } });
    bidi = await connect(`${firefox.match[1]}/session`);
    const { capabilities } = await bidi.call("session.new", { capabilities: {} });
    const problems = [];
    bidi.on("log.entryAdded", ({ level, text }) => level === "error" && problems.push(text));
    await bidi.call("session.subscribe", { events: ["log.entryAdded"] });
    return {
      version: `Firefox ${capabilities.browserVersion}`,
      /** Returns the errors of all pages and workers so far. */
      async problems() {
        await bidi.call("session.status", {}); // after all events
        return problems;
      },
      async newPage() {
        const { context } = await bidi.call("browsingContext.create", { type: "tab" });
        return new Page(bidi, context);
      },
      async stop() {
        bidi.close();
        await firefox.end();
        remove();
      },
    };
  } catch (e) {
    bidi?.close();
    await firefox?.end();
    remove();
    throw e;
  }
}

class Page extends View {
  constructor(bidi, context) {
    super(async (functionDeclaration, value) => {
      const answer = await bidi.call("script.callFunction", {
        functionDeclaration, arguments: [{ type: "string", value }], target: { context }, awaitPromise: true,
      });
      if (answer.type !== "success") throw new Error(`in the page: ${answer.exceptionDetails.text}`);
      return answer.result.value;
    });
    Object.assign(this, { bidi, context });
  }

  goto(url) { return this.bidi.call("browsingContext.navigate", { context: this.context, url, wait: "complete" }); }
  reload() { return this.bidi.call("browsingContext.reload", { context: this.context, wait: "complete" }); }
  close() { return this.bidi.call("browsingContext.close", { context: this.context }); }

  /** Returns the frames of the page. */
  async frames() {
    const { contexts: [{ children }] } = await this.bidi.call("browsingContext.getTree", { root: this.context });
    return children.map(({ context }) => new Page(this.bidi, context));
  }

  /** Returns a picture of the page, in PNG. */
  async screenshot() {
    return Buffer.from((await this.bidi.call("browsingContext.captureScreenshot", { context: this.context, origin: "document" })).data, "base64");
  }
}

/** Connects to the endpoint. */
async function connect(url) {
  const socket = new WebSocket(url);
  await once(socket, "open");
  const pending = new Map();
  const listeners = new Map();
  let last = 0;
  socket.on("message", (data) => {
    const { id, type, method, params, result, error, message } = JSON.parse(data);
    if (type === "event") return void listeners.get(method)?.(params);
    const { resolve, reject } = pending.get(id);
    pending.delete(id);
    if (type === "success") resolve(result);
    else reject(new Error(`Firefox: ${error}: ${message}`));
  });
  socket.on("close", () => {
    for (const { reject } of pending.values()) reject(new Error("Firefox has ended"));
    pending.clear();
  });
  return {
    call: (method, params) => new Promise((resolve, reject) => {
      pending.set(++last, { resolve, reject });
      socket.send(JSON.stringify({ id: last, method, params }));
    }),
    on: (method, listener) => listeners.set(method, listener),
    close: () => socket.terminate(),
  };
}
