// One device: a page with its own origin, which uses the package as any page would.
// The page shows text from the network only through textContent.

import { createClient } from "/pkg/index.js";
import { element } from "./elements.js";
import { EntryList } from "./entries.js";
import { FeedList, keyOf } from "./feeds.js";
import { tap } from "./finger.js";
import { answerShell } from "./requests.js";
import { now, ShellLink } from "./shell-link.js";
import { awayWords, clock, completenessWords, errorFacts, errorWords, feedName, phases, seenWords, storageWords } from "./words.js";

const $ = (id) => document.getElementById(id);
const config = await (await fetch("/config.json")).json();
const query = new URLSearchParams(location.search);
const shell = new ShellLink(config.shell);
const own = query.has("own"); // an account of the user's own server, which the enclosing page asks for
document.documentElement.classList.toggle("enclosed", shell.enclosed);
document.title = $("name").textContent = config.name;

/** The account: {account, password, service}. It is kept in this page's memory only. */
const login = own ? await askLogin() : demoAccount(query.get("account"));
const offered = own ? [] : config.nodes;
const titles = new Map(offered.filter((n) => n.title).map((n) => [n.name, n.title]));

function askLogin() {
  shell.post({ type: "login" });
  return new Promise((resolve) => shell.on("login", resolve));
}

function demoAccount(wanted) {
  const { name, password } = config.accounts.find((a) => a.name === wanted) ?? config.accounts[0];
  return { account: `${name}@${config.domain}`, password, service: `ws://${location.host}${config.service}` };
}

// The page's Trusted Types policy allows only this worker.
const workerURL = `/web/device-worker.js${own ? "?own" : ""}`;
const policy = globalThis.trustedTypes?.createPolicy("pam-demo", {
  createScriptURL: (url) => {
    if (url !== workerURL) throw new TypeError(`not a worker of this page: ${url}`);
    return url;
  },
});
let worker;

const client = createClient({
  account: login.account,
  credentials: () => ({ password: login.password }),
  ...(login.service && { service: login.service }),
  ...(login.followTo?.length > 0 && { followTo: login.followTo }),
  storage: "indexeddb",
  tabs: "independent", // a device is one page, and its policy lets only the page start the worker
  runtime: { worker: () => (worker = new Worker(policy?.createScriptURL(workerURL) ?? workerURL, { type: "module" })) },
  inspector: true,
});

// The client of this page, for tests and for the browser's console.
window.pamDemo = { client };

// --- State ----------------------------------------------------------------

let wantOnline = sessionStorage.getItem("online") !== "no"; // kept across a reload
let countdown;
let live = false;

/** Sends the state of the device to the enclosing page, which shows that of all devices. */
function postState() {
  const { phase, resumed, missing, error } = client.sync.getSnapshot();
  const list = client.subscriptions.getSnapshot();
  const { unseen, catchUp } = client.inbox.getSnapshot();
  shell.post({
    type: "state", at: now(), phase, resumed, missing, unseen, ver: list.ver, error: error?.message,
    rows: list.map(({ key, service, node, state, local }) => ({ key, service, node, state, local })),
    catchUp: { phase: catchUp.phase, received: catchUp.received, seenElsewhere: catchUp.likelySeenElsewhere, completeness: catchUp.completeness },
  });
}

function renderState() {
  const sync = client.sync.getSnapshot();
  clearTimeout(countdown);
  let [words, tone] = phases[sync.phase] ?? [sync.phase, ""];
  if (sync.phase === "waiting" && sync.nextAttemptAt && !shell.enclosed) {
    const seconds = Math.ceil((sync.nextAttemptAt - Date.now()) / 1000);
    words = seconds > 0 ? `Disconnected, next try in ${seconds} s` : "Disconnected, trying again";
    countdown = setTimeout(renderState, 500);
  }
  const badge = $("state");
  if (badge.textContent !== words) badge.textContent = words;
  badge.title = words;
  badge.className = `badge ${tone}`;
  badge.dataset.phase = sync.phase;
  $("online").setAttribute("aria-checked", String(wantOnline));
  $("device").classList.toggle("offline", sync.phase !== "live");
  $("storage").textContent = storageWords(sync.storage);
  $("storage").dataset.kind = sync.storage.kind;
  renderStale(sync);
  if (live && !["live", "syncing"].includes(sync.phase)) looked();
  if (!live && sync.phase === "live") shell.post({ type: "live", ms: Math.round(performance.now()), resumed: sync.resumed, at: now() });
  live = sync.phase === "live";
  if (sync.phase === "live" && $("error").dataset.about === "connection") hideError();
  if (sync.missing.includes("pam")) showError({ code: "unsupported", origin: "local-server" });
  else if (sync.phase === "failed" && sync.error) showError(sync.error);
  postState();
}

/** Shows how old the list is while it may be out of date. */
function renderStale(sync) {
  const list = client.subscriptions.getSnapshot();
  const when = sync.lastSyncedAt ?? (list.asOf && new Date(list.asOf));
  const stale = sync.phase !== "live" && list.source !== "empty" && list.source !== "unread";
  $("stale").hidden = !stale;
  $("stale").textContent = !stale ? "" : `Not connected. The list is ${when ? `that of ${clock(when)}` : "the one that this device stored"}; other devices may have changed it since.`;
  $("stale").title = $("stale").textContent;
}

function renderRuntime() {
  const runtime = client.runtime.getSnapshot();
  if (runtime.phase === "running") shell.post({ type: "ready", ms: Math.round(performance.now()), where: runtime.where, at: now() });
  if (runtime.phase === "crashed") showError(runtime.error ?? { code: "crashed", origin: "runtime" });
}

client.on("crash", () => wantOnline && setOnline(true)); // a crash is announced, and a new program starts when the page connects

// --- The list -----------------------------------------------------------

const feeds = new FeedList({ list: $("list"), further: $("further"), service: config.pubsub, nodes: offered, titles, press: ({ service, node, subscription }) => (
  subscription ? unsubscribe(subscription) : subscribe({ service, node })
) });
let listed; // the source of the list that was reported

function renderList() {
  const list = client.subscriptions.getSnapshot();
  $("version").textContent = list.ver ?? "none yet";
  feeds.show(list, (s) => client.inbox.get(s)?.unseen ?? 0);
  $("empty").hidden = list.length > 0 || offered.length > 0;
  $("empty").textContent = list.source === "unread"
    ? "Reading the stored list…"
    : list.source === "empty"
    ? "Nothing is stored on this device yet. It loads the list when it connects."
    : "This account follows no feed yet. Follow one below: every device then shows it.";
  renderStale(client.sync.getSnapshot());
  if (listed !== list.source && (list.source === "cache" || list.source === "server")) {
    listed = list.source;
    shell.post({ type: "listed", source: list.source, ms: Math.round(performance.now()), rows: list.length, at: now() });
  }
  shell.post({ type: "ran", line: "list" });
  postState();
}

client.on("subscriptions", (delta) => {
  const touched = [...delta.added, ...delta.changed.map((c) => c.after)];
  shell.post({ type: "changed", origin: delta.origin, added: delta.added.map(keyOf), removed: delta.removed.map(keyOf), at: now() });
  if (delta.origin === "this-device" || delta.fromVer === null) return; // made here, or the first list
  renderList();
  for (const s of [...touched, ...delta.removed]) feeds.flash(s);
  const how = delta.origin === "other-device" ? "on another device" : "while this device was offline";
  const said = [["followed", delta.added], ["changed", delta.changed.map((c) => c.after)], ["unfollowed", delta.removed]]
    .filter(([, list]) => list.length > 0)
    .map(([verb, list]) => `${namesOf(list)} ${list.length === 1 ? "was" : "were"} ${verb} ${how}.`);
  notice(said.join(" "));
});

const nameOf = (target) => feedName(target, titles);

/** Returns the first few names as text for a sentence. */
function namesOf(list) {
  const names = list.slice(0, 3).map(nameOf);
  return list.length > 3 ? `${names.join(", ")} and ${list.length - 3} more` : names.join(", ");
}

// --- Entries --------------------------------------------------------------

const entries = new EntryList($("entries"), titles, (event) => {
  if (event.seen.state === "unseen") mark([event.id], event);
});
let older = []; // those after the newest ones, which the client keeps up to date
let cursor; // of the page after them
const arrived = new Map(); // id → time of the event, until it is on the page

function renderEntries() {
  const newest = client.inbox.newest.getSnapshot();
  const known = new Set(newest.map((e) => e.id));
  const all = [...newest, ...older.filter((e) => !known.has(e.id))];
  for (const { node, itemId } of entries.show(all)) shell.post({ type: "seen-elsewhere", node, itemId, at: now() });
  for (const { id, node, itemId, entry, delivery } of newest) {
    if (arrived.delete(id)) shell.post({ type: "entry", id: itemId, node, title: entry?.title, delivery, at: now() });
  }
  $("no-entries").hidden = all.length > 0;
  $("older").hidden = older.length > 0 ? cursor === undefined : newest.length < 50;
  shell.post({ type: "ran", line: "entries" });
}

function renderInbox() {
  const { unseen, catchUp } = client.inbox.getSnapshot();
  $("unread").textContent = `${unseen} new`;
  $("unread").hidden = unseen === 0;
  $("read-all").classList.toggle("idle", unseen === 0);
  $("progress").hidden = catchUp.phase !== "running";
  $("progress-bar").max = Math.max(catchUp.nodes, 1);
  $("progress-bar").value = catchUp.nodesDone;
  $("progress-found").textContent = catchUp.received > 0 ? `${catchUp.received} found` : "";
  $("completeness").textContent = completenessWords(catchUp, titles);
  if (catchUp.phase === "running") returning = true;
  else if (returning) showAway();
  renderList(); // its rows show the counts
}

let returning = false; // the summary of what has happened must be shown, as soon as it is complete

/** Shows what has happened while the device was away, until the user has read it. */
function showAway() {
  returning = false;
  const { away } = client.inbox.getSnapshot();
  const said = away ? awayWords(away, titles) : [];
  $("away").hidden = said.length === 0;
  $("away-list").replaceChildren(...said.map((text) => element("li", "", text)));
  if (said.length > 0) shell.post({ type: "away", at: now(), added: away.subscriptions.added.map(nameOf), removed: away.subscriptions.removed.map(nameOf) });
}

/** Returns the entries that this device did not receive as they were published, since a time in epoch ms. */
async function missed(since) {
  const { items } = await client.inbox.list({ limit: 50 });
  return items.filter((e) => e.delivery !== "live" && e.receivedAt >= since)
    .map((e) => ({ title: e.entry?.title ?? e.type, feed: nameOf(e), at: e.occurredAt.getTime(), elsewhere: seenWords(e.seen) }));
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

async function mark(what, { node, itemId }) {
  shell.post({ type: "asked", what: "seen", node, key: itemId, at: now() });
  shell.post({ type: "ran", line: "seen" });
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
    if (newest) await mark({ upTo: newest.id }, newest);
  }
}

client.on("events", ({ added }) => {
  if (added.some((e) => e.delivery !== "live")) returning = true; // the state follows
  for (const e of added) arrived.set(e.id, true);
  for (const id of [...arrived.keys()].slice(0, -100)) arrived.delete(id);
});

// --- User actions ----------------------------------------------------------

const asking = new Set(); // keys of pending subscribe requests

async function subscribe(target) {
  const key = keyOf(target);
  if (asking.has(key)) return;
  asking.add(key);
  shell.post({ type: "asked", what: "subscribe", node: target.node, key, at: now() });
  shell.post({ type: "ran", line: "subscribe" });
  const done = await attempt(() => client.subscribe(target), `You follow ${nameOf(target)}.`, target);
  asking.delete(key);
  if (done && $("node").value.trim() === target.node) $("node").value = "";
}

async function unsubscribe(subscription) {
  const { service, node, subid } = subscription;
  shell.post({ type: "asked", what: "unsubscribe", node, key: keyOf(subscription), at: now() });
  shell.post({ type: "ran", line: "unsubscribe" });
  await attempt(() => client.unsubscribe(subid ? { service, node, subid } : { service, node }), `You no longer follow ${nameOf(subscription)}.`, subscription);
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
  if (on) shell.post({ type: "ran", line: "connect" });
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
  $("scroller").focus();
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
  $("notice").title = text;
}

// --- Start -----------------------------------------------------------------

$("account").textContent = client.account;
$("service").value = own ? "" : config.pubsub;
$("more").open = !shell.enclosed || own;
answerShell(shell, {
  client,
  press: (target) => tap($("finger"), feeds.button({ service: config.pubsub, ...target })),
  open: () => entries.newestUnread() && tap($("finger"), entries.newestUnread()),
  readAll: () => tap($("finger"), $("read-all")),
  close: () => tap($("finger"), $("away-close")),
  setOnline,
  missed,
  fail: () => worker?.postMessage("fail"),
});
renderList();
$("device").hidden = false; // all is in its place
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
