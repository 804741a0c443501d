// One device: a page with its own origin, which uses the package as any page would.
// The page shows text from the network only through textContent.

import { createClient } from "/pkg/index.js";
import { element } from "./elements.js";
import { SubscriptionRows } from "./rows.js";
import { clock, errorFacts, errorWords, phases, storageWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const config = await (await fetch("/config.json")).json();
const query = new URLSearchParams(location.search);
const account = config.accounts.find((a) => a.name === query.get("account")) ?? config.accounts[0];

// The page's Trusted Types policy allows only this worker.
const policy = globalThis.trustedTypes?.createPolicy("pam-demo", {
  createScriptURL: (url) => {
    if (url !== "/pkg/worker.js") throw new TypeError(`not a worker of this page: ${url}`);
    return url;
  },
});
const workerURL = policy?.createScriptURL("/pkg/worker.js") ?? "/pkg/worker.js";

const started = performance.now();
const client = createClient({
  account: `${account.name}@${config.domain}`,
  credentials: () => ({ password: account.password }),
  service: `ws://${location.host}${config.service}`,
  storage: "indexeddb",
  runtime: { worker: () => new Worker(workerURL, { type: "module" }) },
  inspector: true,
});

// The client of this page, for tests and for the browser's console.
window.pamDemo = { client };

// --- Messages to the enclosing page -------------------------------------

/** Sends a message to the enclosing page, if there is one. That page shows the messages of all devices. */
function tell(message) {
  if (window.parent !== window) window.parent.postMessage(message, config.shell);
}

let lastSeq = -1;
function tellFrames() {
  const fresh = client.inspector.getSnapshot().filter((f) => f.seq > lastSeq);
  if (fresh.length === 0) return;
  lastSeq = fresh.at(-1).seq;
  tell({
    type: "frames",
    frames: fresh.map((f) => ({
      at: new Date(f.at).getTime(), dir: f.dir, kind: f.kind, layer: f.layer ?? "", xml: f.xml, bytes: f.bytes, rttMs: f.rttMs,
    })),
  });
}
client.inspector.subscribe(tellFrames);
new ResizeObserver(() => tell({ type: "size", height: Math.ceil($("device").getBoundingClientRect().height) })).observe($("device"));

// --- State ----------------------------------------------------------------

let wantOnline = sessionStorage.getItem("online") !== "no"; // kept across a reload
let countdown;

function renderState() {
  const sync = client.sync.getSnapshot();
  clearTimeout(countdown);
  let [words, tone] = phases[sync.phase] ?? [sync.phase, ""];
  if (sync.phase === "waiting" && sync.nextAttemptAt) {
    const seconds = Math.ceil((sync.nextAttemptAt - Date.now()) / 1000);
    words = seconds > 0 ? `Disconnected, next try in ${seconds} s` : "Disconnected, trying again";
    countdown = setTimeout(renderState, 500);
  }
  const badge = $("state");
  if (badge.textContent !== words) badge.textContent = words;
  badge.className = `badge ${tone}`;
  badge.dataset.phase = sync.phase;
  $("online").setAttribute("aria-checked", String(wantOnline));
  $("device").classList.toggle("offline", sync.phase !== "live");
  $("storage").textContent = storageWords(sync.storage);
  $("storage").dataset.kind = sync.storage.kind;
  renderStale(sync);
  tell({ type: "state", phase: sync.phase });
  if (sync.phase === "live" && $("error").dataset.about === "connection") hideError();
  if (sync.missing.includes("pam")) showError({ code: "unsupported", origin: "local-server" });
  else if (sync.phase === "failed" && sync.error) showError(sync.error);
}

/** Shows how old the list is while it may be out of date. */
function renderStale(sync) {
  const list = client.subscriptions.getSnapshot();
  const when = sync.lastSyncedAt ?? (list.asOf && new Date(list.asOf));
  const stale = sync.phase !== "live" && list.source !== "empty" && list.source !== "unread";
  $("stale").hidden = !stale;
  $("stale").textContent = !stale ? "" : `Not connected. The list is ${when ? `that of ${clock(when)}` : "the one that this device stored"}; other devices may have changed it since.`;
}

function renderRuntime() {
  const runtime = client.runtime.getSnapshot();
  if (runtime.phase === "running" && !renderRuntime.told) {
    renderRuntime.told = true;
    tell({ type: "ready", ms: Math.round(performance.now() - started), where: runtime.where });
  }
  if (runtime.phase === "crashed") showError(runtime.error ?? { code: "crashed", origin: "runtime" });
}

// --- The list -----------------------------------------------------------

const rows = new SubscriptionRows($("list"), $("node"), unsubscribe);

function renderList() {
  const list = client.subscriptions.getSnapshot();
  $("version").textContent = list.ver ?? "none yet";
  rows.show(list);
  $("empty").hidden = list.length > 0;
  $("empty").textContent = list.source === "unread"
    ? "Reading the stored list…"
    : list.source === "empty"
    ? "No list is stored on this device yet. The device loads it when it connects."
    : "This account has no subscriptions. Subscribe to a node below: every device then shows it.";
  renderStale(client.sync.getSnapshot());
}

/** Creates a button that fills in the form with a node of the server. */
function newChip({ name, access }) {
  const chip = element("button", "chip", access === "open" ? name : `${name} (closed)`);
  chip.type = "button";
  chip.dataset.testid = "node-chip";
  chip.addEventListener("click", () => {
    $("node").value = name;
    $("service").value = config.pubsub;
    $("subscribe").focus();
  });
  return chip;
}

client.on("subscriptions", (delta) => {
  const touched = [...delta.added, ...delta.changed.map((c) => c.after)];
  tell({ type: "changed", origin: delta.origin, keys: [...touched, ...delta.removed].map(keyOf), at: now() });
  if (delta.origin === "this-device" || delta.fromVer === null) return; // made here, or the first list
  renderList();
  for (const s of touched) rows.flash(s.key);
  const how = delta.origin === "other-device" ? "by another device" : "while this device was offline";
  const said = [["added", delta.added], ["changed", delta.changed.map((c) => c.after)], ["removed", delta.removed]]
    .filter(([, list]) => list.length > 0)
    .map(([verb, list]) => `${namesOf(list)} ${list.length === 1 ? "was" : "were"} ${verb} ${how}.`);
  notice(said.join(" "));
});

/** Returns the first few names as text for a sentence. */
function namesOf(list) {
  const names = list.slice(0, 3).map((s) => `“${s.node}”`);
  return list.length > 3 ? `${names.join(", ")} and ${list.length - 3} more` : names.join(", ");
}

// --- User actions ----------------------------------------------------------

const asking = new Set(); // keys of pending subscribe requests

async function subscribe(target) {
  const key = keyOf(target);
  if (asking.has(key)) return;
  asking.add(key);
  tell({ type: "asked", what: "subscribe", node: target.node, key, at: now() });
  const done = await attempt(() => client.subscribe(target), `Subscribed to “${target.node}”.`, target);
  asking.delete(key);
  if (done && $("node").value.trim() === target.node) $("node").value = "";
}

async function unsubscribe(subscription) {
  const { service, node, subid } = subscription;
  tell({ type: "asked", what: "unsubscribe", node, key: keyOf(subscription), at: now() });
  await attempt(() => client.unsubscribe(subid ? { service, node, subid } : { service, node }), `Unsubscribed from “${node}”.`, subscription);
}

/** Runs an action, shows its outcome, and returns whether it succeeded. */
async function attempt(action, done, target) {
  hideError();
  try {
    await action();
    notice(done);
    return true;
  } catch (error) {
    showError(error, target);
    return false;
  }
}

async function setOnline(on) {
  wantOnline = on;
  sessionStorage.setItem("online", on ? "yes" : "no");
  hideError();
  notice("");
  renderState();
  try {
    await (on ? client.connect() : client.disconnect());
  } catch (error) {
    if (on === wantOnline) showError(error); // else the user has changed the switch meanwhile
  }
}

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const target = { service: $("service").value.trim(), node: $("node").value.trim() };
  if (target.service && target.node) subscribe(target);
});
$("online").addEventListener("click", () => setOnline(!wantOnline));
$("reload").addEventListener("click", () => location.reload());
$("error-close").addEventListener("click", () => {
  hideError();
  $("node").focus();
});

// --- Helpers ----------------------------------------------------------------

function showError(error, target) {
  const text = errorWords(error, target);
  $("error-text").textContent = text;
  $("error-facts").replaceChildren(...errorFacts(error).filter(([, value]) => value !== text).map(([name, value]) => {
    const pair = element("div", "");
    pair.append(element("dt", "", name), element("dd", "", value));
    return pair;
  }));
  Object.assign($("error").dataset, { about: target && error.code !== "offline" ? "request" : "connection", code: error.code ?? "", condition: error.condition ?? "", pubsub: error.pubsubCondition ?? "" });
  $("error").hidden = false;
  notice("");
}

function hideError() {
  $("error").hidden = true;
}

function notice(text) {
  $("notice").textContent = text;
}

const now = () => performance.timeOrigin + performance.now();
const keyOf = (t) => `${t.service}\0${t.node}`; // the server assigns the subid

// --- Start -----------------------------------------------------------------

document.title = config.name;
$("name").textContent = config.name;
$("account").textContent = client.account;
$("service").value = config.pubsub;
$("nodes-title").textContent = `Nodes of ${config.pubsub}:`;
$("nodes").append(...config.nodes.map(newChip));
client.sync.subscribe(renderState);
client.runtime.subscribe(renderRuntime);
client.on("warning", (error) => $("error").hidden && notice(error.message));
const showList = () => client.subscriptions.subscribe(renderList);
client.subscriptions.ready.then(showList, (error) => {
  showList();
  $("empty").textContent = "The stored list could not be read.";
  showError(error);
});
if (wantOnline) setOnline(true);
