// The scripts of docs/offline.md that compress and serve files, as printed.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { brotliDecompressSync } from "node:zlib";
import { readRecipe } from "./recipes.mjs";

const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-hosting-"));
const script = "export const answer = 42;\n".repeat(500);
const files = { "index.html": "<!doctype html>", "app.js": script, "pam.wasm": Buffer.from("\0asm"), "secret.txt": "x" };
let server, url;
before(async () => {
  for (const [name, text] of readRecipe("offline", ["sh", "html"])) writeFileSync(join(folder, name), text);
  mkdirSync(join(folder, "site"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, "site", name), text);
  execFileSync(process.execPath, ["compress.mjs", "site/app.js"], { cwd: folder });
  server = spawn(process.execPath, ["serve.mjs", "site", "0"], { cwd: folder, stdio: ["ignore", "pipe", "inherit"] });
  url = (await new Promise((resolve) => server.stdout.once("data", resolve))).toString().trim();
});
after(() => {
  server?.kill();
  rmSync(folder, { recursive: true, force: true });
});

const get = (path, headers = {}) => new Promise((resolve, reject) => {
  request(new URL(url).origin, { path, headers, agent: false }, (response) => {
    const parts = [];
    response.on("data", (part) => parts.push(part)).on("end", () => resolve({ status: response.statusCode, headers: response.headers, body: Buffer.concat(parts) }));
  }).on("error", reject).end();
});

test("each file has its type, and is compared with its ETag each time", async () => {
  for (const [path, type] of [["/", "text/html; charset=utf-8"], ["/app.js", "text/javascript"], ["/pam.wasm", "application/wasm"]]) {
    const { status, headers, body } = await get(path);
    assert.deepEqual([status, headers["content-type"], headers["cache-control"], headers["content-encoding"]], [200, type, "no-cache", undefined], path);
    assert.equal(body.compare(Buffer.from(files[path.slice(1) || "index.html"])), 0);
    const again = await get(path, { "if-none-match": headers.etag });
    assert.deepEqual([again.status, again.body.length], [304, 0]);
  }
});

test("a browser that accepts Brotli gets the compressed file, until the file is newer", async () => {
  const packed = await get("/app.js", { "accept-encoding": "gzip, br" });
  assert.deepEqual([packed.headers["content-encoding"], packed.headers.vary, packed.headers["content-type"]], ["br", "accept-encoding", "text/javascript"]);
  assert.ok(packed.body.length < script.length / 20);
  assert.equal(brotliDecompressSync(packed.body).toString(), script);
  assert.notEqual(packed.headers.etag, (await get("/app.js")).headers.etag);
  const later = new Date(Date.now() + 10_000);
  utimesSync(join(folder, "site/app.js"), later, later);
  assert.equal((await get("/app.js", { "accept-encoding": "br" })).headers["content-encoding"], undefined);
});

test("other files, and files outside the folder, are not served", async () => {
  for (const path of ["/secret.txt", "/app.js.br", "/missing.js", "/../serve.mjs", "/%2e%2e/serve.mjs", "/..%2fserve.js", "//x:y/", "/%"]) {
    assert.equal((await get(path)).status, 404, path);
  }
  assert.ok(readFileSync(join(folder, "serve.mjs")).length > 0);
});

test("the table of headers names what the server sends", async () => {
  const page = readFileSync(new URL("../docs/offline.md", import.meta.url), "utf8");
  const { headers } = await get("/pam.wasm");
  assert.ok(page.includes(`\`Content-Type: ${headers["content-type"]}\``) && page.includes(`\`Cache-Control: ${headers["cache-control"]}\`, \`ETag\``));
});
