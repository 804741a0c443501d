// One device: a page with its own origin, which uses the package as any page would.
// The page shows text from the network only through textContent.

import { createClient } from "/pkg/index.js";
import { FeedList, keyOf } from "./feeds.js";
import { tap } from "./finger.js";
import { InboxView } from "./inbox-view.js";
import { hideError, notice, showError } from "./notices.js";
import { answerShell } from "./requests.js";
import { ShellLink } from "./shell-link.js";
import { now } from "./time.js";
import { clock, feedName, phases, storageWords } from "./words.js";

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

/** Returns the client, or reports to the enclosing page why there is none. */
function makeClient(options) {
  try {
    return createClient(options);
  } catch (error) {
    shell.post({ type: "state", phase: "failed", error: error.message, missing: [], rows: [], unseen: 0, ver: null, catchUp: { phase: "idle" } });
    throw error;
  }
}

const client = makeClient({
  account: login.account,
  credentials: () => ({ password: login.password }),
  ...(login.service && { service: login.service }),
  ...(login.followTo?.length > 0 && { followTo: login.followTo }),
  storage: own ? "memory" : "indexeddb",
  reconnect: { maxMs: 2000 }, // a visitor breaks the connection more often than a network does
  tabs: "independent", // a device is one page, and its policy lets only the page start the worker
  runtime: { worker: () => (worker = new Worker(policy?.createScriptURL(workerURL) ?? workerURL, { type: "module" })) },
  inspector: true,
});

if (own) addEventListener("pagehide", () => sessionStorage.clear()); // nothing of the account stays

// The client of this page, for tests and for the browser's console.
window.pamDemo = { client };

// --- State ----------------------------------------------------------------

// Kept across a reload; within the page of the demo its switch decides.
let wantOnline = shell.enclosed || sessionStorage.getItem("online") !== "no";
let countdown;
let live = false;

/** Returns the time now, and the milliseconds since the page was opened. */
const moment = () => ({ at: now(), ms: Math.round(performance.now()) });

/** Sends the state of the device to the enclosing page, which shows that of all devices. */
function postState() {
  const { phase, resumed, missing, error } = client.sync.getSnapshot();
  const list = client.subscriptions.getSnapshot();
  const { unseen, catchUp } = client.inbox.getSnapshot();
  shell.post({
    type: "state", at: now(), phase, resumed, missing, unseen, ver: list.ver, error: error?.message,
    rows: list.map(({ key, service, node, state, local }) => ({ key, service, node, state, local })),
    catchUp: { phase: catchUp.phase, received: catchUp.received },
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
  if (live && !["live", "syncing"].includes(sync.phase)) inbox.acknowledge();
  if (!live && sync.phase === "live") shell.post({ type: "live", ...moment(), resumed: sync.resumed });
  if (!live && sync.phase === "live" && !sync.resumed) inbox.returned();
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
  const whose = when ? `that of ${clock(when)}` : "the one that this device stored";
  $("stale").textContent = stale ? `Not connected. The list is ${whose}; other devices may have changed it since.` : "";
  $("stale").title = $("stale").textContent;
}

function renderRuntime() {
  const runtime = client.runtime.getSnapshot();
  if (runtime.phase === "crashed") showError(runtime.error ?? { code: "crashed", origin: "runtime" });
}

client.on("crash", () => wantOnline && setOnline(true)); // which starts a new program

// --- The list -----------------------------------------------------------

const feeds = new FeedList({
  list: $("list"), further: $("further"), service: config.pubsub, nodes: offered, titles,
  press: ({ service, node, subscription }) => (subscription ? unsubscribe(subscription) : subscribe({ service, node })),
});
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
    shell.post({ type: "listed", ...moment(), source: list.source, rows: list.length });
  }
  postState();
}

client.on("subscriptions", (delta) => {
  const touched = [...delta.added, ...delta.changed.map((c) => c.after)];
  shell.post({ type: "changed", at: now(), added: delta.added.map(keyOf), removed: delta.removed.map(keyOf) });
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

const inbox = new InboxView(client, shell, titles, renderList);

// --- User actions ----------------------------------------------------------

const asking = new Set(); // keys of pending subscribe requests

async function subscribe(target) {
  const key = keyOf(target);
  if (asking.has(key)) return;
  asking.add(key);
  inbox.acknowledge();
  shell.post({ type: "asked", what: "subscribe", node: target.node, key, at: now() });
  shell.post({ type: "ran", line: "subscribe" });
  const done = await attempt(() => client.subscribe(target), `You follow ${nameOf(target)}.`, target);
  asking.delete(key);
  if (done && $("node").value.trim() === target.node) $("node").value = "";
}

async function unsubscribe(subscription) {
  inbox.acknowledge();
  const { service, node, subid } = subscription;
  shell.post({ type: "asked", what: "unsubscribe", node, key: keyOf(subscription), at: now() });
  shell.post({ type: "ran", line: "unsubscribe" });
  const target = subid ? { service, node, subid } : { service, node };
  await attempt(() => client.unsubscribe(target), `You no longer follow ${nameOf(subscription)}.`, subscription);
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
  if (!on) await inbox.acknowledge();
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
document.addEventListener("visibilitychange", () => document.hidden && inbox.looked());
$("reload").addEventListener("click", () => location.reload());

// --- Start -----------------------------------------------------------------

$("account").textContent = client.account;
$("service").value = own ? "" : config.pubsub;
$("more").open = !shell.enclosed || own;
answerShell(shell, {
  client,
  press: (target) => tap($("finger"), feeds.button({ service: config.pubsub, ...target })),
  open: () => inbox.newestUnread && tap($("finger"), inbox.newestUnread),
  readAll: () => tap($("finger"), $("read-all")),
  close: () => tap($("finger"), $("away-close")),
  setOnline,
  setQuiet: (quiet) => $("notice").setAttribute("aria-live", quiet ? "off" : "polite"),
  missed: (since) => inbox.missed(since),
  fail: () => worker?.postMessage("fail"),
});
renderList();
$("device").hidden = false; // all is in its place
client.sync.subscribe(renderState);
client.runtime.subscribe(renderRuntime);
inbox.start(); // after the list, whose rows show the counts
const showList = () => client.subscriptions.subscribe(() => {
  shell.post({ type: "ran", line: "list" });
  renderList();
});
client.subscriptions.ready.then(showList, (error) => {
  showList();
  $("empty").textContent = "The stored list could not be read.";
  showError(error);
});
if (wantOnline) setOnline(true);
