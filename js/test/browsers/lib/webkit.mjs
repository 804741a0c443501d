// Controls WebKitGTK's MiniBrowser with WebDriver: https://w3c.github.io/webdriver/

import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { startProcess, startUntil } from "./process.mjs";
import { View } from "./view.mjs";

/** Starts the browser on a display of its own, with an empty storage. */
export async function startWebKit({ driver, display: displayProgram, browser: program }) {
  const home = mkdtempSync(join(tmpdir(), "xmpp-pam-webkit-"));
  const started = [];
  const stop = async () => {
    for (const { end } of [...started].reverse()) await end();
    rmSync(home, { recursive: true, force: true, maxRetries: 20 });
  };
  try {
    const args = ["-displayfd", "1", "-screen", "0", "1280x1500x24", "-nolisten", "tcp"];
    const display = await startUntil(/^(\d+)$/, displayProgram, args);
    started.push(display);
    const folders = { HOME: home, XDG_DATA_HOME: home, XDG_CACHE_HOME: home, XDG_CONFIG_HOME: home };
    const env = { ...folders, DISPLAY: `:${display.match[1]}`, WEBKIT_DISABLE_COMPOSITING_MODE: "1", NO_AT_BRIDGE: "1" };
    const port = await freePort();
    started.push(startProcess(driver, [`--port=${port}`], { env }));
    const driverURL = `http://127.0.0.1:${port}`;
    await answers(driverURL);
    const session = await makeSession(driverURL);
    let first = await session.call("GET", "window");
    const pages = [];
    return {
      version: session.version,
      async newPage() {
        const open = pages.find(({ closed }) => !closed)?.handle ?? null;
        const handle = first ?? (await session.within(open, null, () => session.call("POST", "window/new", { type: "tab" }))).handle;
        first = undefined;
        const page = new Page(session, handle);
        pages.push(page);
        return page;
      },
      /** Returns the errors of all pages so far. */
      async problems() {
        for (const page of pages) await page.collect();
        return pages.flatMap(({ problems }) => problems);
      },
      /** Opens a page without a driver for some time, in which `during` is called, and returns the errors on its console. */
      async consoleOf(url, during) {
        const errors = [];
        const args = ["-oL", program, "--enable-write-console-messages-to-stdout=true", url]; // else lines come late
        const onLine = (line) => /\bCONSOLE\b.*\bERROR\b/.test(line) && errors.push(line);
        const browser = startProcess("stdbuf", args, { env, onLine });
        try {
          await during();
        } finally {
          await browser.end();
        }
        return errors;
      },
      stop,
    };
  } catch (e) {
    await stop();
    throw e;
  }
}

class Page extends View {
  problems = [];

  constructor(session, handle, frame = null) {
    super((script, text) => session.within(handle, frame, () => session.call("POST", "execute/async", {
      script: `(${script})(arguments[0]).then(arguments[1])`, args: [text],
    })));
    Object.assign(this, { session, handle });
    this.command = (method, path, body) => session.within(handle, null, () => session.call(method, path, body));
  }

  async goto(url) {
    await this.collect();
    await this.command("POST", "url", { url });
    await this.evaluate(watch);
  }
  async reload() {
    await this.collect();
    await this.command("POST", "refresh", {});
    await this.evaluate(watch);
  }
  async close() {
    await this.collect();
    this.closed = true;
    await this.command("DELETE", "window");
  }

  /** Fetches the errors of the page. */
  async collect() {
    if (!this.closed) this.problems.push(...await this.evaluate(() => globalThis.problems?.splice(0) ?? []));
  }

  /** Returns the frames of the page. */
  async frames() {
    const count = await this.evaluate(() => frames.length);
    return Array.from({ length: count }, (_, i) => new Page(this.session, this.handle, i));
  }

  /** Returns a picture of the visible part of the page, in PNG. */
  async screenshot() { return Buffer.from(await this.command("GET", "screenshot"), "base64"); }
}

/** Collects the errors of a page from now on: the driver does not report them. */
function watch() {
  globalThis.problems = [];
  addEventListener("error", ({ message }) => problems.push(message));
  addEventListener("unhandledrejection", ({ reason }) => problems.push(String(reason)));
  const { error } = console;
  console.error = (...args) => {
    problems.push(args.join(" "));
    error(...args);
  };
}

async function makeSession(driverURL) {
  const { sessionId, capabilities } = await call(driverURL, "POST", "session", { capabilities: { alwaysMatch: {} } });
  let turn = Promise.resolve();
  const session = {
    version: `${capabilities.browserName} ${capabilities.browserVersion}`,
    call: (method, path, body) => call(driverURL, method, `session/${sessionId}/${path}`, body),
    /** Runs a command for a window and a frame. The session has one current window, so that commands wait for each other. */
    within(handle, frame, command) {
      const result = turn.then(async () => {
        await session.call("POST", "window", { handle });
        await session.call("POST", "frame", { id: null });
        if (frame !== null) await session.call("POST", "frame", { id: frame });
        return command();
      });
      turn = result.catch(() => undefined);
      return result;
    },
  };
  return session;
}

async function call(driverURL, method, path, body) {
  const response = await fetch(`${driverURL}/${path}`, { method, body: body && JSON.stringify(body) });
  const { value } = await response.json();
  if (!response.ok) throw new Error(`WebKit: ${method} ${path}: ${value.error}: ${value.message}`);
  return value;
}

async function answers(driverURL) {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(20)) {
    if (await call(driverURL, "GET", "status").then(() => true, () => false)) return;
  }
  throw new Error("WebKitWebDriver does not answer");
}

async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}
