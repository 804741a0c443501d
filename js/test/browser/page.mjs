// Shared set-up of the browser tests: the in-memory server, an origin that serves the package, and Chromium.

import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname } from "node:path";

export { startChromium } from "./lib/chromium.mjs";
export { startServer } from "./lib/server.mjs";

const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".map": "application/json", ".json": "application/json" };
const policy = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'self' ws://127.0.0.1:*; worker-src 'self'";

/** Serves dist/ below /pkg/ and an empty page at every other path, with a strict Content-Security-Policy or the one in ?csp=. */
export async function startOrigin() {
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, "http://localhost");
    const csp = searchParams.get("csp") ?? policy;
    const file = new URL(`../../dist/${pathname.slice(5)}`, import.meta.url);
    if (pathname.startsWith("/pkg/") && !pathname.includes("..") && existsSync(file)) {
      return res.writeHead(200, { "content-type": types[extname(pathname)] ?? "text/plain", "content-security-policy": csp }).end(readFileSync(file));
    }
    if (pathname === "/favicon.ico") return res.writeHead(204).end();
    if (pathname.startsWith("/pkg/")) return res.writeHead(404).end();
    res.writeHead(200, { "content-type": "text/html", "content-security-policy": csp }).end("<!doctype html><title>test</title>");
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}`;
  return { url, stop: () => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }) };
}
