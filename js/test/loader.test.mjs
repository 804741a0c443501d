import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { PamError, createClient, preload } from "../build/src/index.js";
import { loadModule } from "../build/src/loader.js";
import { build } from "esbuild";
import { base, info as distInfo } from "./host.mjs";
import { emptyModule, tiny, tinyInfo } from "./module.mjs";

const module = Buffer.from(tiny);
const changed = Buffer.from(tiny); // one bit, where it still compiles
changed[changed.length - 1] ^= 1;
const counts = {};
let origin;
const server = createServer((req, res) => {
  counts[req.url] = (counts[req.url] ?? 0) + 1;
  const send = (status, type, body) => res.writeHead(status, { "content-type": type }).end(body);
  if (req.url === "/wasm") return send(200, "application/wasm", module);
  if (req.url === "/octets") return send(200, "application/octet-stream", module);
  if (req.url.endsWith("/html")) return send(200, "text/html", "<!doctype html>");
  if (req.url === "/empty") return send(200, "application/octet-stream", "");
  if (req.url === "/changed") return send(200, "application/wasm", changed);
  if (req.url === "/changed-octets") return send(200, "application/octet-stream", changed);
  if (req.url === "/longer") return send(200, "application/wasm", Buffer.concat([module, Buffer.from([0, 2, 1, 120])]));
  if (req.url === "/broken") return send(200, "application/wasm", Buffer.concat([module, Buffer.from([99, 99])]));
  if (req.url === "/cut") {
    res.writeHead(200, { "content-type": "application/wasm", "content-length": module.length }).write(module.subarray(0, 20));
    return setTimeout(() => res.destroy(), 20);
  }
  if (req.url === "/slow") {
    res.writeHead(200, { "content-type": "application/wasm" });
    const parts = [0, 10, 20, 30, module.length].map((end, i, all) => module.subarray(i && all[i - 1], end));
    const next = () => (parts.length === 0 ? res.end() : res.write(parts.shift(), () => setTimeout(next, 20)));
    return next();
  }
  if (req.url === "/flaky") return counts[req.url] === 1 ? send(503, "text/plain", "busy") : send(200, "application/wasm; charset=x", module);
  send(404, "text/html", "<!doctype html>");
});
before(() => new Promise((resolve) => server.listen(0, "127.0.0.1", () => {
  origin = `http://127.0.0.1:${server.address().port}`;
  resolve();
})));
after(() => new Promise((resolve) => { server.close(resolve); server.closeAllConnections(); }));

const cases = [
  ["/missing", "wasm-load", /status 404/],
  ["/html", "wasm-mime", /not a WebAssembly module, sent as text\/html/],
  ["/empty", "wasm-mime", /not a WebAssembly module/],
  ["/.vite/deps/html", "wasm-mime", /optimizeDeps: \{ exclude: \["xmpp-pam"\] \}/],
  ["/.vite/deps/missing", "wasm-load", /optimizeDeps/],
  ["/@fs/home/pam.wasm", "wasm-load", /--install-links.* server\.fs\.allow/],
  ["/changed", "wasm-version", /not the program that this script was built with.*cache/],
  ["/changed-octets", "wasm-version", /not the program/],
  ["/longer", "wasm-version", /not the program/],
  ["/broken", "wasm-version", /not the program/],
  ["/cut", "wasm-load", /download of .* failed/],
];
for (const [path, code, text] of cases) {
  test(`${path} gives ${code}, names the URL`, async () => {
    await assert.rejects(preload(origin + path), (e) => {
      assert.ok(PamError.is(e, code), `${e.code}: ${e.message}`);
      assert.match(e.message, text);
      assert.ok(e.message.includes(origin + path));
      assert.equal(e.origin, "runtime");
      return true;
    });
  });
}

test("a module is fetched only once", async () => {
  for (const path of ["/wasm", "/octets"]) {
    const [a] = await Promise.all([preload(origin + path), preload(new URL(origin + path)), preload(origin + path)]);
    assert.deepEqual(a, tinyInfo);
    assert.equal(counts[path], 1);
  }
});

test("the bytes that have arrived are reported", async () => {
  const reported = [];
  await loadModule(`${origin}/slow`, (loaded) => reported.push(loaded));
  assert.deepEqual([reported.length > 1, reported.at(-1)], [true, module.length]);
  assert.deepEqual(reported, [...new Set(reported)].sort((a, b) => a - b));
  const large = [];
  const body = new ReadableStream({
    start(controller) {
      for (const byte of module) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });
  await loadModule(new Response(body, { headers: { "content-type": "application/wasm" } }), (loaded) => large.push(loaded));
  assert.ok(large.length <= 20 && large.length > 15 && large.at(-1) === module.length, String(large));
  const ends = [];
  const parts = new ReadableStream({
    start(controller) {
      for (const part of [module.subarray(0, -1), module.subarray(-1)]) controller.enqueue(part);
      controller.close();
    },
  });
  await loadModule(new Response(parts, { headers: { "content-type": "application/wasm" } }), (loaded) => ends.push(loaded));
  assert.deepEqual(ends, [module.length - 1, module.length], "the end is always reported");
});

test("a failed load is retried by the next call", async () => {
  await assert.rejects(preload(`${origin}/flaky`), (e) => PamError.is(e, "wasm-load") && e.retryable);
  await preload(`${origin}/flaky`);
  assert.equal(counts["/flaky"], 2);
});

test("only a failure that may pass is one that a repeated call may end", async (t) => {
  const response = (status) => new Response("x", { status });
  for (const [source, retryable] of [
    [response(500), true], [response(503), true], [response(599), true], [response(499), false], [response(404), false], [response(403), false], [response(300), false],
    [`${origin}/cut`, true], ["http://127.0.0.1:1/again", true], [`${origin}/again/html`, false], [Buffer.from(changed), false],
  ]) {
    await assert.rejects(preload(source), (e) => PamError.is(e) && e.retryable === retryable || assert.fail(`${e.message} ${e.retryable}`));
  }
  const asked = [];
  t.mock.method(globalThis, "fetch", (url, options) => {
    asked.push([url, options]);
    return Promise.resolve(new Response(module));
  });
  await preload("https://example.org/pam.wasm");
  assert.deepEqual(asked, [["https://example.org/pam.wasm", { credentials: "same-origin" }]]);
});

test("of a view only its own bytes are used", async () => {
  const wide = new Uint8Array(module.length + 20);
  wide.set(module, 10);
  await preload(wide.subarray(10, 10 + module.length));
  await preload(new DataView(wide.buffer, 10, module.length));
  await assert.rejects(preload(wide.subarray(10, 9 + module.length)), (e) => PamError.is(e, "wasm-version"));
});

test("other sources", async () => {
  await preload(module.buffer.slice(module.byteOffset, module.byteOffset + module.length));
  await preload(module);
  await preload(new WebAssembly.Module(module));
  await preload(fetch(`${origin}/octets`));
  await preload(new Response(module, { headers: { "content-type": "application/wasm" } }));
  await assert.rejects(preload(Buffer.from("nothing")), (e) => PamError.is(e, "wasm-mime"));
  await assert.rejects(preload({}), (e) => PamError.is(e, "bad-options"));
  await assert.rejects(preload("relative.wasm"), (e) => PamError.is(e, "bad-options"));
  await assert.rejects(preload("http://127.0.0.1:1/"), (e) => PamError.is(e, "wasm-load") && /could not be fetched/.test(e.message));
});

test("bytes of another program are rejected from every source", async () => {
  const refused = (source, what) => assert.rejects(preload(source), (e) => PamError.is(e, "wasm-version") && e.message.startsWith(what) || assert.fail(e.message));
  const types = { "content-type": "application/wasm" };
  for (let at = 8; at < module.length; at++) { // a changed header is a different error
    for (const bit of [1, 128]) {
      const bytes = new Uint8Array(module);
      bytes[at] ^= bit;
      await refused(bytes, "options.runtime.wasm is not");
      await refused(new Response(bytes, { headers: types }), "options.runtime.wasm is not");
    }
  }
  await refused(new WebAssembly.Module(emptyModule("01".repeat(32))), "The module in options.runtime.wasm is not");
  await refused(new WebAssembly.Module(new Uint8Array(module.subarray(0, 8))), "The module in options.runtime.wasm is not");
});

test("without SubtleCrypto, only the length is compared", async (t) => {
  const { crypto } = globalThis;
  Object.defineProperty(globalThis, "crypto", { configurable: true, value: {} });
  t.after(() => Object.defineProperty(globalThis, "crypto", { configurable: true, value: crypto }));
  await preload(new Uint8Array(module));
  await preload(new Uint8Array(changed));
  await assert.rejects(preload(`${origin}/longer`), (e) => PamError.is(e, "wasm-version"));
});

test("the correct program that the browser cannot compile is a load error", async (t) => {
  const { compile } = WebAssembly;
  t.after(() => Object.assign(WebAssembly, { compile }));
  for (const [text, code] of [
    ["out of memory", "wasm-load"], ["Refused by the Content Security Policy", "wasm-csp"], ["'unsafe-eval' is not allowed", "wasm-csp"], ["call to WebAssembly.compile() blocked by CSP", "wasm-csp"],
  ]) {
    WebAssembly.compile = () => Promise.reject(new Error(text));
    await assert.rejects(preload(new Uint8Array(module)), (e) => PamError.is(e, code) && /cannot be compiled|may not be compiled/.test(e.message));
  }
});

test("in a bundle that is not an ES module, the error names the required options", async () => {
  const { outputFiles } = await build({
    stdin: { contents: 'export { createClient } from "./dist/index.js"', resolveDir: new URL("..", import.meta.url).pathname },
    bundle: true, format: "iife", globalName: "bundle", write: false, logLevel: "silent",
  });
  const { createClient } = new Function(`${outputFiles[0].text}; return bundle;`)();
  for (const [runtime, option] of [
    [{ where: "worker" }, "wasm"],
    [{ where: "worker", wasm: new WebAssembly.Module(emptyModule(distInfo.build)) }, "worker"],
  ]) {
    globalThis.Worker ??= class {};
    await assert.rejects(createClient({ ...base, runtime }).connect(), (e) => e.code === "wasm-load" && e.message.includes(`options.runtime.${option}`) || assert.fail(e.message));
  }
  delete globalThis.Worker;
});

test("runtime and sync show a failed load, and connect() retries it", async () => {
  const client = createClient({ ...base, runtime: { where: "main", wasm: `${origin}/missing` } });
  for (let i = 1; i <= 2; i++) {
    await assert.rejects(client.connect(), (e) => PamError.is(e, "wasm-load"));
    assert.deepEqual([client.runtime.getSnapshot().phase, client.runtime.getSnapshot().error.code, client.sync.getSnapshot().phase], ["idle", "wasm-load", "failed"]);
  }
  await client.close();
});

test("importing the package has no side effects", () => {
  const script = `
    const touched = [];
    const before = new Set(Reflect.ownKeys(globalThis));
    for (const name of ["fetch", "WebAssembly", "MessageChannel", "Response", "setTimeout", "addEventListener", "crypto", "performance"]) {
      Object.defineProperty(globalThis, name, { configurable: true, get() { touched.push(name); } });
    }
    const { createClient } = await import(${JSON.stringify(new URL("../dist/index.js", import.meta.url).href)});
    createClient(${JSON.stringify(base)});
    const added = Reflect.ownKeys(globalThis).filter((k) => !before.has(k) && k !== "addEventListener");
    process.stdout.write(JSON.stringify({ touched, added }));
  `;
  const out = execFileSync(process.execPath, ["--input-type=module", "-e", script], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(out), { touched: [], added: [] });
});
