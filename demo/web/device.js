// One device: a page with its own origin, which uses the package as any page would.
// The page shows text from the network only through textContent.

import { createClient } from "/pkg/index.js";
import { element } from "./elements.js";
import { EntryList } from "./entries.js";
import { SubscriptionRows } from "./rows.js";
import { awayWords, clock, completenessWords, errorFacts, errorWords, feedName, phases, storageWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const config = await (await fetch("/config.json")).json();
const query = new URLSearchParams(location.search);
const account = config.accounts.find((a) => a.name === query.get("account")) ?? config.accounts[0];

const titles = new Map(config.nodes.filter((n) => n.title).map((n) => [n.name, n.title]));

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
  tabs: "independent", // a device is one page, and its policy lets only the page start the worker
  runtime: { worker: () => new Worker(workerURL, { type: "module" }) },
  inspector: true,
});

// The client of this page, for tests and for the browser's console.
window.pamDemo = { client };

// --- Messages to the enclosing page -------------------------------------

/** Sends a message to the enclosing page, if there is one. That page shows the messages of all devices. */
function postToShell(message) {
  if (window.parent !== window) window.parent.postMessage(message, config.shell);
}

let lastSeq = -1;
function postFrames() {
  const fresh = client.inspector.getSnapshot().filter((f) => f.seq > lastSeq);
  if (fresh.length === 0) return;
  lastSeq = fresh.at(-1).seq;
  postToShell({
    type: "frames",
    frames: fresh.map((f) => ({
      at: new Date(f.at).getTime(), dir: f.dir, kind: f.kind, layer: f.layer ?? "", xml: f.xml, bytes: f.bytes, rttMs: f.rttMs,
    })),
  });
}
client.inspector.subscribe(postFrames);
new ResizeObserver(() => postToShell({ type: "size", height: Math.ceil($("device").getBoundingClientRect().height) })).observe($("device"));

// --- State ----------------------------------------------------------------

let wantOnline = sessionStorage.getItem("online") !== "no"; // kept across a reload
let countdown;
let live = false;

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
  postToShell({ type: "state", phase: sync.phase });
  if (live && !["live", "syncing"].includes(sync.phase)) looked();
  live = sync.phase === "live";
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
  if (runtime.phase === "running" && !renderRuntime.posted) {
    renderRuntime.posted = true;
    postToShell({ type: "ready", ms: Math.round(performance.now() - started), where: runtime.where });
  }
  if (runtime.phase === "crashed") showError(runtime.error ?? { code: "crashed", origin: "runtime" });
}

// --- The list -----------------------------------------------------------

const rows = new SubscriptionRows($("list"), $("node"), titles, unsubscribe);

function renderList() {
  const list = client.subscriptions.getSnapshot();
  $("version").textContent = list.ver ?? "none yet";
  rows.show(list, (s) => client.inbox.get(s)?.unseen ?? 0);
  $("empty").hidden = list.length > 0;
  $("empty").textContent = list.source === "unread"
    ? "Reading the stored list…"
    : list.source === "empty"
    ? "Nothing is stored on this device yet. It loads the list when it connects."
    : "This account follows no feed yet. Follow one below: every device then shows it.";
  renderStale(client.sync.getSnapshot());
}

/** Creates a button that fills in the form with a feed of the server. */
function newChip({ name, access, title = name }) {
  const chip = element("button", "chip", access === "open" ? title : `${title} (closed)`);
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
  postToShell({ type: "changed", origin: delta.origin, keys: [...touched, ...delta.removed].map(keyOf), at: now() });
  if (delta.origin === "this-device" || delta.fromVer === null) return; // made here, or the first list
  renderList();
  for (const s of touched) rows.flash(s.key);
  const how = delta.origin === "other-device" ? "on another device" : "while this device was offline";
  const said = [["followed", delta.added], ["changed", delta.changed.map((c) => c.after)], ["unfollowed", delta.removed]]
    .filter(([, list]) => list.length > 0)
    .map(([verb, list]) => `${namesOf(list)} ${list.length === 1 ? "was" : "were"} ${verb} ${how}.`);
  notice(said.join(" "));
});

/** Returns the first few names as text for a sentence. */
function namesOf(list) {
  const names = list.slice(0, 3).map((s) => feedName(s, titles));
  return list.length > 3 ? `${names.join(", ")} and ${list.length - 3} more` : names.join(", ");
}

// --- Entries --------------------------------------------------------------

const entries = new EntryList($("entries"), titles, (event) => {
  if (event.seen.state === "unseen") mark([event.id]);
});
let older = []; // those after the newest ones, which the client keeps up to date
let cursor; // of the page after them

function renderEntries() {
  const newest = client.inbox.newest.getSnapshot();
  const known = new Set(newest.map((e) => e.id));
  const all = [...newest, ...older.filter((e) => !known.has(e.id))];
  entries.show(all);
  $("no-entries").hidden = all.length > 0;
  $("older").hidden = older.length > 0 ? cursor === undefined : newest.length < 50;
}

function renderInbox() {
  const { unseen, catchUp } = client.inbox.getSnapshot();
  $("unread").textContent = `${unseen} new`;
  $("unread").hidden = $("read-all").hidden = unseen === 0;
  $("progress").hidden = catchUp.phase !== "running";
  $("progress-bar").max = Math.max(catchUp.nodes, 1);
  $("progress-bar").value = catchUp.nodesDone;
  $("progress-found").textContent = catchUp.received > 0 ? `${catchUp.received} found` : "";
  $("completeness").textContent = completenessWords(catchUp, titles);
  if (catchUp.phase === "running") returning = true;
  else if (returning) showAway();
  renderList(); // its rows show the counts
  postToShell({ type: "inbox", unseen });
}

let returning = false; // the summary of what has happened must be shown, as soon as it is complete

/** Shows what has happened while the device was away, until the user has read it. */
function showAway() {
  returning = false;
  const { away } = client.inbox.getSnapshot();
  const said = away ? awayWords(away, titles) : [];
  $("away").hidden = said.length === 0;
  $("away-list").replaceChildren(...said.map((text) => element("li", "", text)));
}

/** Notes that the user has seen all that has happened until now, unless a summary is still shown. */
const looked = async () => {
  if ($("away").hidden) await client.inbox.looked().catch(() => undefined);
};

/** Reads the older entries that are shown, and, if wanted, more of them. */
async function showOlder(more) {
  const newest = client.inbox.newest.getSnapshot().length;
  const page = await client.inbox.list({ limit: Math.min(newest + older.length + (more ? 50 : 0), 500) });
  older = page.items.slice(newest);
  cursor = page.cursor;
  renderEntries();
}

async function mark(what) {
  try {
    await client.inbox.markSeen(what);
    if (older.length > 0) await showOlder(false);
  } catch (error) {
    showError(error);
  }
}

async function markAll() {
  for (const { service, node, unseen } of client.inbox.getSnapshot().nodes) {
    if (unseen === 0) continue;
    const { items: [newest] } = await client.inbox.list({ target: { service, node }, limit: 1 });
    if (newest) await mark({ upTo: newest.id });
  }
}

client.on("events", ({ added }) => {
  if (added.some((e) => e.delivery !== "live")) returning = true; // the state follows
});
client.on("event", (event) => {
  renderEntries();
  entries.flash(event.id);
  postToShell({ type: "entry", node: event.node, at: now() });
});

// --- User actions ----------------------------------------------------------

const asking = new Set(); // keys of pending subscribe requests

async function subscribe(target) {
  const key = keyOf(target);
  if (asking.has(key)) return;
  asking.add(key);
  postToShell({ type: "asked", what: "subscribe", node: target.node, key, at: now() });
  const done = await attempt(() => client.subscribe(target), `You follow ${feedName(target, titles)}.`, target);
  asking.delete(key);
  if (done && $("node").value.trim() === target.node) $("node").value = "";
}

async function unsubscribe(subscription) {
  const { service, node, subid } = subscription;
  postToShell({ type: "asked", what: "unsubscribe", node, key: keyOf(subscription), at: now() });
  await attempt(() => client.unsubscribe(subid ? { service, node, subid } : { service, node }), `You no longer follow ${feedName(subscription, titles)}.`, subscription);
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
  if (!on) await looked();
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
$("read-all").addEventListener("click", () => markAll().catch(showError));
$("older").addEventListener("click", () => showOlder(true).catch(showError));
$("away-close").addEventListener("click", () => {
  $("away").hidden = true;
  looked();
});
document.addEventListener("visibilitychange", () => document.hidden && looked());
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
$("nodes").append(...config.nodes.map(newChip));
client.sync.subscribe(renderState);
client.runtime.subscribe(renderRuntime);
client.inbox.newest.subscribe(renderEntries);
client.inbox.subscribe(renderInbox);
client.on("warning", (error) => $("error").hidden && notice(error.message));
const showList = () => client.subscriptions.subscribe(renderList);
client.subscriptions.ready.then(showList, (error) => {
  showList();
  $("empty").textContent = "The stored list could not be read.";
  showError(error);
});
if (wantOnline) setOnline(true);
