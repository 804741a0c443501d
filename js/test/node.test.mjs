// The entry for Node.js: with files, against the in-memory server, in processes of their own.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { createClient, PamError, preload } from "../dist/node.js";

const js = dirname(dirname(fileURLToPath(import.meta.url)));
const news = { service: "pubsub.localhost", node: "news" };
const folder = mkdtempSync(join(tmpdir(), "xmpp-pam-"));
let server;
let service;
let silent; // accepts connections, and never replies
let silentService;

before(async () => {
  const args = ["run", "./sdk/server/mem/memserver", "-account", "alice:secret", "-account", "bob:secret", "-node", "news", "-node", "songs"];
  server = spawn("go", args, { cwd: dirname(js), stdio: ["pipe", "pipe", "inherit"] });
  const [line] = await once(createInterface({ input: server.stdout }), "line");
  service = line.replace("listening ", "");
  silent = createServer(() => undefined).listen(0, "127.0.0.1");
  await once(silent, "listening");
  silentService = `ws://127.0.0.1:${silent.address().port}/`;
});

const opened = []; // a client that a failed test leaves open would keep the process running
after(async () => {
  await Promise.all(opened.map((client) => client.close()));
  server.stdin.end(); // the server then exits
  silent.close();
  await once(server, "exit");
  rmSync(folder, { recursive: true, force: true });
});

function make(directory, more = {}) {
  const client = createClient({ account: "bob@localhost", credentials: { password: "secret" }, service, storage: { directory }, ...more });
  opened.push(client);
  return client;
}
const nodes = (list) => list.map((row) => row.node).sort().join(" ");

test("a relative directory is that of the call, also if the process changes its own afterwards", async () => {
  const [first, second] = ["first", "second"].map((name) => join(folder, name));
  for (const dir of [first, second]) mkdirSync(dir);
  const before = process.cwd();
  try {
    process.chdir(first);
    const client = make("data");
    process.chdir(second);
    await client.connect();
    await client.close();
  } finally {
    process.chdir(before);
  }
  assert.deepEqual([readdirSync(first), readdirSync(second)], [["data"], []]);
});

/** Makes a project that has the package, and the script of docs/node.md. Without `ws`, it has a copy of the package. */
function project(name, ws) {
  const dir = join(folder, name);
  const modules = join(dir, "node_modules");
  mkdirSync(modules, { recursive: true });
  if (ws) {
    symlinkSync(js, join(modules, "xmpp-pam"));
  } else {
    for (const part of ["dist", "package.json"]) cpSync(join(js, part), join(modules, "xmpp-pam", part), { recursive: true });
  }
  const code = /```js\n(.*?)```/s.exec(readFileSync(join(js, "docs/node.md"), "utf8"))[1];
  writeFileSync(join(dir, "follow.mjs"), code);
  return dir;
}

/** Runs follow.mjs until it ends by itself, or until it has printed `last`: then it is killed. */
async function run(dir, { flags = [], args = [], env = {}, last } = {}) {
  const child = spawn(process.execPath, [...flags, "follow.mjs", ...args], { cwd: dir, env: { ...process.env, SERVICE: service, ...env } });
  const timer = setTimeout(() => child.kill("SIGKILL"), 60_000);
  let out = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (data) => {
      out += data;
      if (last && out.includes(last)) child.kill("SIGKILL");
    });
  }
  const [code] = await once(child, "close");
  clearTimeout(timer);
  return { code, out };
}

test("the script of the documentation finds in its second run what the first has stored, and ends by itself", async () => {
  const dir = project("example", true);
  assert.deepEqual(await run(dir), { code: 0, out: "Nothing is stored.\nFollowing news\n" });
  const [name] = readdirSync(join(dir, "data"));
  assert.match(name, /^xmpp-pam-alice@localhost/);
  assert.equal(statSync(join(dir, "data", name)).mode & 0o77, 0);
  const killed = await run(dir, { args: ["--stay"], last: "Following" });
  assert.equal(killed.code, null);
  assert.match(killed.out, /^Stored: news\nFollowing news\n/);
  assert.deepEqual(await run(dir), { code: 0, out: "Stored: news\nFollowing news\n" });
  const refused = await run(dir, { env: { PASSWORD: "wrong" } });
  assert.equal(refused.code, 1);
  assert.match(refused.out, /^Stored: news\nauth: /);
});

test("without WebSocket and without ws, the error says what to install; with WebSocket, ws is not needed", async () => {
  const dir = project("bare", false);
  if (typeof WebSocket === "undefined") {
    const { code, out } = await run(dir);
    assert.equal(code, 1);
    assert.match(out, /unsupported/);
    assert.match(out, /npm install ws/);
  }
  const flags = typeof WebSocket === "undefined" ? ["--experimental-websocket", "--no-warnings"] : [];
  assert.deepEqual(await run(dir, { flags }), { code: 0, out: "Nothing is stored.\nFollowing news\n" });
});

test("two clients keep the same list in files, and show it again without a server; nothing stays after close()", async () => {
  const held = () => process.getActiveResourcesInfo().filter((name) => /Port|Worker|Timeout|FS/.test(name)).sort();
  const before = held();
  const [phone, laptop] = [make(join(folder, "phone")), make(join(folder, "laptop"))];
  await Promise.all([phone.connect(), laptop.connect()]);
  const seen = new Promise((resolve) => laptop.subscriptions.subscribe((list) => { if (nodes(list) === "news songs") resolve(); }));
  await phone.subscribe(news);
  await phone.subscribe({ ...news, node: "songs" });
  await seen;
  const published = laptop.once("event", { timeoutMs: 20_000 });
  server.stdin.write("publish news Hello\n");
  assert.equal((await published).entry.title, "Hello");
  assert.deepEqual(laptop.sync.getSnapshot().storage, { kind: "files", persistent: true });
  assert.equal(laptop.runtime.getSnapshot().where, "worker");
  await Promise.all([phone.close(), laptop.close()]);

  const later = make(join(folder, "laptop"), { service: silentService });
  const list = await later.subscriptions.ready;
  assert.equal(nodes(list), "news songs");
  assert.equal(list.source, "cache");
  const crashed = [];
  later.on("crash", (error) => crashed.push(error));
  const canceled = assert.rejects(later.connect(), (e) => PamError.is(e));
  while (later.sync.getSnapshot().phase !== "connecting") await new Promise((resolve) => setTimeout(resolve, 5));
  await new Promise((resolve) => setTimeout(resolve, 100)); // until the WebSocket waits for the reply
  await Promise.all([canceled, later.disconnect()]);
  const connecting = later.connect();
  const { items } = await later.inbox.list();
  assert.deepEqual(items.map((e) => e.entry.title), ["Hello"]);
  assert.deepEqual(crashed, []);
  assert.notEqual(later.sync.getSnapshot().phase, "live");
  await Promise.all([assert.rejects(connecting, (e) => PamError.is(e, "closed")), later.close()]);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(held(), before);
});

test("two clients in one directory do not undo each other's changes", async () => {
  const directory = join(folder, "both");
  const account = "alice@localhost";
  const clients = [make(directory, { account }), make(directory, { account })];
  await Promise.all(clients.map((client) => client.connect()));
  await Promise.all([clients[0].subscribe(news), clients[1].subscribe({ ...news, node: "songs" })]);
  await Promise.all(clients.map((client) => client.close()));
  const later = make(directory, { account, service: silentService });
  assert.equal(nodes(await later.subscriptions.ready), "news songs");
  await later.close();
});

test("forget() deletes the files", async () => {
  const directory = join(folder, "forgotten");
  const client = make(directory);
  await client.connect();
  assert.equal(readdirSync(directory).length, 1);
  await client.forget();
  await client.close();
  assert.deepEqual(readdirSync(directory), []);
});

test("files that cannot be used are reported, and left as they are", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const directory = join(folder, "damaged");
  const first = make(directory);
  await first.connect();
  await first.close();
  const [log] = readdirSync(directory, { recursive: true }).filter((name) => statSync(join(directory, name)).isFile());
  truncateSync(join(directory, log), 30);
  for (const [where, why] of [[file, /not a directory/i], [directory, /damaged/]]) {
    const client = make(where);
    const warned = client.once("warning", { timeoutMs: 20_000 });
    await client.connect();
    const { storage } = client.sync.getSnapshot();
    assert.equal(storage.fellBackFrom, "files");
    assert.match(storage.why, why);
    const warning = await warned;
    assert.equal(warning.code, "storage");
    assert.match(warning.message, why);
    await assert.rejects(client.forget(), (e) => PamError.is(e, "storage") && e.message.includes(where));
    await client.close();
  }
  assert.ok(existsSync(join(directory, log)));
});

test("options are checked, and nothing is created before the client stores something", async () => {
  const options = { account: "bob@localhost", credentials: { password: "secret" } };
  for (const [more, words] of [
    [{ storage: "indexeddb" }, /options\.storage must be "memory"/], [{ storage: {} }, /options\.storage\.directory/],
    [{ storage: { directory: "" } }, /path of a directory/], [{ storage: { directory: "a", mode: 1 } }, /options\.storage\.mode is not an option/],
    [{ tabs: "shared" }, /options\.tabs is not an option/], [{ runtime: {} }, /options\.runtime is not an option/], [{ storage: null }, /options\.storage/],
  ]) {
    assert.throws(() => createClient({ ...options, ...more }), (e) => PamError.is(e, "bad-options") && words.test(e.message), JSON.stringify(more));
  }
  const directory = join(folder, "untouched");
  const client = make(directory);
  assert.equal((await client.subscriptions.ready).source, "empty");
  await client.close();
  assert.ok(!existsSync(directory));
  const memory = createClient({ ...options, service });
  await memory.connect();
  assert.deepEqual(memory.sync.getSnapshot().storage, { kind: "memory", persistent: false });
  await memory.close();
  assert.equal((await preload()).version, JSON.parse(readFileSync(join(js, "package.json"), "utf8")).version);
});
