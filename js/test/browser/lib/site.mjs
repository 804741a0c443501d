// The site of docs/plain-html.md, in a temporary folder, and servers for it.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { extname, join } from "node:path";
import { readRecipe } from "../../recipes.mjs";
import { root } from "./need.mjs";

const page = readFileSync(join(root, "js/docs/plain-html.md"), "utf8");
const [, prepare] = /^```sh\nmake js\n(.*?)^```$/ms.exec(page);
export const [, serverArguments] = /^go run \.\/sdk\/server\/mem\/memserver -addr localhost:5290 (.+) -dir site$/m.exec(page);

/** Makes the site as the page says. `change` may change its files, which are a map of names and texts. */
export function makeSite(change = () => undefined) {
  const temporary = mkdtempSync(join(tmpdir(), "xmpp-pam-site-"));
  const folder = join(temporary, "site");
  execFileSync("sh", ["-ec", prepare.replaceAll(/\bsite\b/g, folder)], { cwd: root });
  const files = readRecipe("plain-html", ["sh"]);
  change(files);
  for (const [name, text] of files) writeFileSync(join(folder, name), text);
  return { folder, remove: () => rmSync(temporary, { recursive: true, force: true }) };
}

/** Logs in on the page, and waits until it is live. */
export async function logIn(page) {
  await page.fill("[name=password]", "secret");
  await page.click("form button");
  await shows(page, "state", "live");
}

/** Waits until an element has a text. */
export const shows = (page, id, text) => page.waitForFunction(([id, text]) => document.getElementById(id).textContent === text, [id, text], { timeout: 20_000 });

/** Collects what goes wrong in a page. */
export function problemsOf(page) {
  const problems = [];
  page.on("pageerror", (e) => problems.push(String(e)));
  page.on("console", (m) => ["error", "warning"].includes(m.type()) && problems.push(m.text()));
  page.on("response", (r) => r.status() >= 400 && problems.push(`${r.url()}: ${r.status()}`));
  return problems;
}

const types = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };

/** Serves a folder. `headersOf` returns more headers for a path. Reports of violated policies are collected in `reports`. */
export async function serveFolder(folder, headersOf) {
  const reports = [];
  const server = createServer((req, res) => {
    const { pathname } = new URL(req.url, "http://localhost");
    const path = pathname === "/" ? "/index.html" : pathname;
    if (req.method === "POST") {
      req.on("data", (text) => reports.push(JSON.parse(text)["csp-report"])).on("end", () => res.writeHead(204).end());
      return;
    }
    let body;
    try {
      body = readFileSync(join(folder, path));
    } catch {
      return void res.writeHead(404).end();
    }
    res.writeHead(200, { "content-type": types[extname(path)], ...headersOf(path) }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const stop = () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); });
  return { url: `http://127.0.0.1:${server.address().port}/`, reports, stop };
}
