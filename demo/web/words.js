// The texts for phases, states and errors on the page.

/** Returns the table's own entry for a name. A server may choose the name, such as `__proto__` or `constructor`. */
const own = (table, name) => (Object.hasOwn(table, name) ? table[name] : undefined);

/** phase → [words, tone of the badge]. The words do not depend on the tone. */
export const phases = {
  offline: ["Offline", ""],
  loading: ["Loading…", "wait"],
  connecting: ["Connecting…", "wait"],
  authenticating: ["Logging in…", "wait"],
  syncing: ["Syncing…", "wait"],
  live: ["Live", "ok"],
  waiting: ["Disconnected", "bad"],
  failed: ["Stopped", "bad"],
};

const states = {
  subscribed: "",
  pending: "waiting for the owner’s approval",
  unconfigured: "needs its settings to be confirmed",
};

/** Returns the text below a feed that the account follows, or an empty one. */
export function stateWords(row) {
  if (row.local === "subscribing") return "being followed…";
  if (row.local === "unsubscribing") return "being removed…";
  return own(states, row.state) ?? row.state;
}

/** Returns the name of a feed: its title, if it has one. */
export const feedName = ({ node }, titles) => titles.get(node) || node || "the whole service";

/** Returns a sentence that describes a change of a feed. */
export function eventWords(event, titles) {
  const name = feedName(event, titles);
  switch (event.type) {
    case "retracted": return `An entry of ${name} was withdrawn.`;
    case "purged": return `All entries of ${name} were withdrawn.`;
    case "deleted": return `${name} was closed.${event.redirect ? ` It moved to ${event.redirect}` : ""}`;
    case "configured": return `The settings of ${name} were changed.`;
    default: return name;
  }
}

/** Returns where an entry was read, if not here. */
export function seenWords({ state, basis }) {
  if (state !== "likely-seen-elsewhere") return "";
  return basis === "displayed-sync" ? "read on another device" : "probably seen on another device";
}

/** Returns a time of today as a time, any other as a date and a time. */
export function when(date, now = new Date()) {
  const today = date.toDateString() === now.toDateString();
  return today ? clock(date)
    : date.toLocaleString([], { day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false });
}

const gaps = {
  "not-archived": "the server does not keep what was published there",
  "archive-truncated": "the server no longer keeps all of it",
  "node-keeps-fewer": "the feed keeps only its newest entries",
  "deletions-unknown": "withdrawn entries cannot be told",
  forbidden: "the server refused",
  error: "the server did not answer",
};

/** Returns how complete the entries are that were found after an absence. */
export function completenessWords({ phase, completeness, gaps: list }, titles) {
  if (phase === "idle") return "not looked yet";
  if (phase === "running") return "looking…";
  if (phase === "failed") return "could not look";
  if (completeness === "complete") return "everything";
  if (list.length === 0) return "what the servers have; they do not say whether that is all";
  const names = list.slice(0, 3).map((gap) => `${feedName({ node: gap.node ?? gap.service }, titles)} (${own(gaps, gap.reason) ?? gap.reason})`);
  return `not everything: ${names.join(", ")}${list.length > 3 ? `, and ${list.length - 3} more` : ""}`;
}

/** Returns the sentences of what has happened since the device was last used. */
export function awayWords({ since, events, subscriptions: { added, removed, changed } }, titles) {
  const names = (list) => {
    const some = list.slice(0, 3).map((s) => feedName(s, titles)).join(", ");
    return list.length > 3 ? `${some} and ${list.length - 3} more` : some;
  };
  return [
    events > 0 && `${events === 1 ? "1 entry was" : `${events} entries were`} published since ${when(since)}.`,
    added.length > 0 && `Followed on another device: ${names(added)}.`,
    removed.length > 0 && `No longer followed: ${names(removed)}.`,
    changed.length > 0 && `Changed: ${names(changed.map((c) => c.after))}.`,
  ].filter(Boolean);
}

const conditions = {
  "closed-node": (t) => `“${t.node}” is closed: only members that its owner has added may follow it.`,
  "presence-subscription-required": (t) => `Only contacts of its owner may follow “${t.node}”.`,
  "not-in-roster-group": (t) => `Only some groups of its owner’s contacts may follow “${t.node}”.`,
  "pending-subscription": (t) => `The owner of “${t.node}” has not approved the request yet.`,
  "too-many-subscriptions": (t) => `${t.service} does not let this account follow more feeds.`,
  "payment-required": (t) => `“${t.node}” must be paid for.`,
  "item-not-found": (t) => `There is no feed “${t.node}” on ${t.service}.`,
  "node-not-found": (t) => `There is no feed “${t.node}” on ${t.service}.`,
  "remote-server-not-found": (t) => `There is no server ${t.service}.`,
  "remote-server-timeout": (t) => `${t.service} does not answer. Try again later.`,
  forbidden: (t) => `This account may not follow “${t.node}”.`,
  "not-allowed": (t) => `This account may not follow “${t.node}” on ${t.service}.`,
  "not-authorized": (t) => `This account may not follow “${t.node}” on ${t.service}.`,
  "service-unavailable": (t) => `There are no feeds on ${t.service}.`,
  "feature-not-implemented": (t) => `${t.service} does not support this.`,
};

const codes = {
  offline: () => "This device is not connected, so nothing was sent. Try again when it is live.",
  timeout: () => "The server did not answer in time. Try again.",
  transport: () => "The connection was lost before the server answered. Try again.",
  "outcome-unknown": () => "The request was sent, but the connection was lost before the server answered. The list shows the outcome after the next sync.",
  auth: () => "The server refused the account or its password.",
  "weaker-login": () => "The server offers only weaker login methods than before, so the password was not sent.",
  conflict: () => "Another session replaced this one. Go online again to replace the other session.",
  unsupported: () => "This server does not keep the list of feeds for the account (XEP-0376).",
  "bad-jid": (t) => `“${t.service}” is not a valid address.`,
  "wasm-load": () => "The client’s WebAssembly module could not be loaded.",
  crashed: () => "The client has crashed. Go online again to start a new one.",
};

const refusals = new Set(["forbidden", "not-allowed", "not-authorized", "service-unavailable"]);

/** Returns one sentence for the user; target is the target of the request, if there was one. */
export function errorWords(error, target) {
  if (target && error.origin === "local-server" && refusals.has(error.condition)) return `The account’s server refused the request. It may not communicate with ${target.service}.`;
  const words = target
    ? own(conditions, error.pubsubCondition) ?? own(conditions, error.condition) ?? own(codes, error.code)
    : own(codes, error.code);
  return words ? words(target ?? {}) : String(error.message || error);
}

const origins = {
  client: "this page",
  network: "the network",
  "local-server": "the account’s server",
  "remote-service": "the service",
  storage: "this device’s storage",
  runtime: "the client’s runtime",
};

/** Returns the fields of an error as [name, value] pairs. */
export function errorFacts(error) {
  return [
    ["code", error.code],
    ["from", error.origin && `${error.origin} (${own(origins, error.origin) ?? "?"})`],
    ["by", error.by],
    ["text", !error.condition && error.origin !== "client" && error.message],
    ["condition", [error.condition, error.pubsubCondition].filter(Boolean).join(" / ")],
  ].filter(([, value]) => value);
}

/** Returns the text that describes where the list is stored. */
export function storageWords(storage) {
  if (storage.kind === "indexeddb") return "on this device (IndexedDB)";
  if (storage.fellBackFrom) return "in memory only, because IndexedDB is not available: a reload starts empty";
  return storage.kind === "memory" ? "in memory only: a reload starts empty" : storage.kind;
}

export const clock = (date) => date.toLocaleTimeString([], { hour12: false });
