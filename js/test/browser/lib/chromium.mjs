// Starts Chromium in two ways: one process with many temporary profiles, or one with a profile on disk, which a test may
// kill.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { chromium } from "playwright-core";
import { chromiumPath } from "./need.mjs";
import { guard } from "./secrets.mjs";

const args = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

/** Starts a browser in which every context is a new profile. Its pages are searched for secrets, unless `guarded` is false. */
export async function startChromium({ guarded = true } = {}) {
  const browser = await chromium.launch({ executablePath: chromiumPath, args });
  if (!guarded) return browser;
  const newContext = browser.newContext.bind(browser);
  browser.newContext = async (...args) => guard(await newContext(...args));
  const close = browser.close.bind(browser);
  browser.close = async (...args) => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    return close(...args);
  };
  return browser;
}

/** Starts a browser with the profile in the folder `profile`. It has one context; kill() sends SIGKILL to the process. */
export async function openProfile(profile) {
  const portFile = join(profile, "DevToolsActivePort");
  rmSync(portFile, { force: true });
  const child = spawn(chromiumPath, [...args, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`, "about:blank"], { stdio: "ignore" });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  const exited = once(child, "exit");
  const endpoint = await devtools(portFile, child);
  // By default, playwright makes every page visible and focused.
  const browser = await chromium.connectOverCDP(endpoint, { noDefaults: true });
  const over = async () => {
    await exited;
    process.removeListener("exit", kill);
    await browser.close().catch(() => undefined); // releases the connection
  };
  return {
    context: guard(browser.contexts()[0]),
    async kill() {
      kill();
      await over();
    },
    /** Closes the browser normally. */
    async stop() {
      const session = await browser.newBrowserCDPSession();
      await session.send("Browser.close").catch(() => undefined);
      const timer = setTimeout(kill, 5000);
      await over();
      clearTimeout(timer);
    },
  };
}

async function devtools(portFile, child) {
  for (const deadline = Date.now() + 30_000; Date.now() < deadline; await sleep(20)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`Chromium ended before it was ready (${child.exitCode ?? child.signalCode})`);
    let port, path;
    try {
      [port, path] = readFileSync(portFile, "utf8").split("\n");
    } catch {
      continue;
    }
    if (path) return `ws://127.0.0.1:${port}${path}`;
  }
  child.kill("SIGKILL");
  throw new Error("Chromium did not open its debugging port within 30 s");
}

/** Removes a profile's folder. Chromium's other processes may still write for a moment after the kill. */
export async function removeProfile(folder) {
  for (const deadline = Date.now() + 10_000; existsSync(folder) && Date.now() < deadline; await sleep(100)) {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch (e) {
      if (e.code !== "ENOTEMPTY" && e.code !== "EBUSY") throw e;
    }
  }
}
