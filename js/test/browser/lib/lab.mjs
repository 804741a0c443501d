// An origin for tests: it serves the package, an empty page, and the scripts in lib/worker, which wrap the package's worker
// to inject faults.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import { readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { dist } from "./need.mjs";
import { canary } from "./secrets.mjs";

const own = fileURLToPath(new URL("./worker/", import.meta.url));
const types = { ".js": "text/javascript", ".wasm": "application/wasm", ".map": "application/json" };

const files = new Map();

/** The version of the package in the folder `next`: the built one under another number. */
export const nextVersion = "9.9.9";
const { version, wasmSha256 } = JSON.parse(readFileSync(join(dist, "build-info.json"), "utf8"));

/** Returns a file of that version. The program contains its version as a string of the same length. */
function readNext(name) {
  const renumber = (bytes) => Buffer.from(bytes.toString("latin1").replaceAll(version, nextVersion), "latin1");
  const change = {
    "pam.wasm": renumber,
    "index.js": (bytes) => Buffer.from(renumber(bytes).toString("latin1").replaceAll(wasmSha256, hashOf(change["pam.wasm"](readFileSync(join(dist, "pam.wasm"))))), "latin1"),
  };
  change["worker.js"] = change["index.js"];
  return change[name]?.(readFileSync(join(dist, name)));
}
const hashOf = (bytes) => createHash("sha256").update(bytes).digest("hex");

/** Returns a file, compressed, so that pages load the program in half the time; undefined if it does not exist. */
function read(folder, name = "") {
  const path = join(folder ?? "", /^[\w.-]+$/.test(name) ? name : "");
  try {
    if (!files.has(path)) files.set(path, gzipSync(readFileSync(path)));
  } catch {
    return undefined;
  }
  return files.get(path);
}

/** Starts the origin. `onHang(query)` is called when a worker blocks; its request is never answered. */
export async function startLab(onHang = () => undefined) {
  const server = createServer((req, res) => {
    const { pathname, searchParams } = new URL(req.url, "http://localhost");
    const [, folder, name] = pathname.split("/");
    if (folder === "hang") return void onHang(searchParams);
    if (pathname === "/") return void res.writeHead(200, { "content-type": "text/html" }).end("<!doctype html><title>lab</title>");
    if (pathname === "/favicon.ico") return void res.writeHead(204).end();
    const next = folder === "next" ? readNext(name) : undefined;
    const body = next ? gzipSync(next, { level: 1 }) : read({ pkg: dist, lab: own }[folder], name);
    if (!body) return void res.writeHead(404).end();
    res.writeHead(200, { "content-type": types[extname(name)] ?? "text/plain", "content-encoding": "gzip", "cache-control": "no-store" }).end(body);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://localhost:${server.address().port}`,
    stop: () => new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    }),
  };
}

/**
 * Makes a client as globalThis.client of a page of this origin. `worker` names a script in lib/worker. The password is
 * globalThis.password, or the value of that promise, so that a test can change it.
 */
export async function makeClient(page, service, { worker, password = canary, account = "alice@localhost", ...options } = {}) {
  await page.evaluate(async ([service, worker, password, account, options]) => {
    const { createClient, PamError } = await import("/pkg/index.js");
    globalThis.password = password;
    globalThis.PamError = PamError;
    const runtime = { ...options.runtime, ...(worker && { worker: `/lab/${worker}` }) };
    globalThis.client = createClient({ account, credentials: async () => ({ password: await globalThis.password }), service, inspector: true, tabs: "independent", ...options, runtime });
    globalThis.events = [];
    for (const type of ["crash", "warning"]) client.on(type, (e) => events.push([type, e.code]));
    globalThis.facts = (e) => ({ code: e.code, origin: e.origin, retryable: e.retryable, message: e.message, isPamError: e instanceof PamError });
    globalThis.outcome = (promise) => promise.then((value) => ({ value: value ?? null }), (e) => facts(e));
    globalThis.rows = () => client.subscriptions.getSnapshot().filter((r) => !r.local).map((r) => [r.service, r.node, r.subid ?? "", r.jid, r.state].join(" ")).sort();
    globalThis.state = () => ({ ver: client.subscriptions.getSnapshot().ver, rows: rows(), source: client.subscriptions.getSnapshot().source });
  }, [service, worker, password, account, options]);
}

/** Returns the WebSocket endpoint of a device of the demo. */
export const socketOf = (device) => `ws${device.url.slice(4)}xmpp-websocket`;
