// Runs a row of the matrix: builds or serves its project, and opens the page in Chromium.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { chromiumPath } from "../browser/lib/need.mjs";
import { startServer } from "../browser/lib/server.mjs";
import { problemsOf, serveFolder } from "../browser/lib/site.mjs";
import { measure, run, startScript } from "./project.mjs";

const most = 60; // accounts, one for each row

/** Starts what all rows share: the server and Chromium. */
export async function startShared() {
  const names = Array.from({ length: most }, (_, i) => `a${i}`);
  const accounts = names.flatMap((name) => ["-account", `${name}:secret`]);
  const [server, browser] = await Promise.all([
    startServer(...accounts, "-node", "news"),
    chromium.launch({ executablePath: chromiumPath, args: ["--no-sandbox", "--disable-gpu"] }),
  ]);
  return {
    browser, service: server.url, account: () => `${names.pop()}@localhost`,
    stop: () => Promise.all([browser.close(), server.stop()]),
  };
}

/** Runs a row in its project. Returns what the page shows, what is on its console, and the size of the output. */
export async function runRow(row, dir, shared) {
  if (row.node) {
    return { state: run(dir, "npm", "start", "--silent", "--", shared.service, shared.account()).trim(), problems: [] };
  }
  const { script = "build", serve, host, output = "dist" } = row;
  if (script !== "dev") {
    rmSync(join(dir, output), { recursive: true, force: true });
    run(dir, "npm", "run", script);
  }
  const site = await (script === "dev" || serve ? startScript(dir, serve ?? "dev", host) : startSite(dir, row));
  try {
    const shown = await visit(site.url, row, shared);
    return { ...shown, ...(script !== "dev" && !row.cdn && measure(join(dir, output))) };
  } finally {
    await site.stop();
  }
}

/** Serves the output. With `cdn`, the page loads the package from another origin, which allows that. */
async function startSite(dir, { cdn }) {
  const site = await serveFolder(join(dir, "dist"), () => ({}));
  if (!cdn) return site;
  const other = await serveFolder(join(dir, "node_modules/xmpp-pam/dist"), () => ({ "access-control-allow-origin": "*" }));
  const page = join(dir, "dist/index.html");
  writeFileSync(page, readFileSync(page, "utf8").replace("./xmpp-pam/", other.url));
  return { url: site.url, stop: () => Promise.all([site.stop(), other.stop()]) };
}

async function visit(url, { runtime = {}, html }, { browser, service, account }) {
  const context = await browser.newContext();
  try {
    const page = await context.newPage();
    const problems = problemsOf(page);
    const query = `?${new URLSearchParams({ service, account: account(), ...runtime })}`;
    if (html) {
      const text = await (await fetch(url)).text();
      if (!html.test(text)) problems.push(`the server renders: ${text.slice(0, 2000)}`);
    }
    await page.goto(url + query);
    const ended = () => Boolean(document.getElementById("state")?.textContent);
    await page.waitForFunction(ended, null, { timeout: 60_000 }).catch(() => problems.push("the page shows nothing within 60 s"));
    const [state, list] = await page.evaluate(() => ["state", "list"].map((id) => document.getElementById(id)?.textContent ?? ""));
    return { state: list ? `${state}: ${list}` : state, problems };
  } finally {
    await context.close();
  }
}
