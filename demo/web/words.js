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
  subscribed: "subscribed",
  pending: "waiting for the owner’s approval",
  unconfigured: "needs configuring",
};

/** Returns the text below a subscription. */
export function stateWords(row) {
  if (row.local === "subscribing") return "subscribing…";
  if (row.local === "unsubscribing") return "unsubscribing…";
  return own(states, row.state) ?? row.state;
}

const conditions = {
  "closed-node": (t) => `“${t.node}” is closed: only members whom its owner has named may subscribe.`,
  "presence-subscription-required": (t) => `“${t.node}” is only for contacts of its owner.`,
  "not-in-roster-group": (t) => `“${t.node}” is only for some groups of its owner’s contacts.`,
  "pending-subscription": (t) => `The request for “${t.node}” still waits for its owner’s approval.`,
  "too-many-subscriptions": (t) => `${t.service} allows no more subscriptions.`,
  "payment-required": (t) => `“${t.node}” must be paid for.`,
  "item-not-found": (t) => `There is no node “${t.node}” at ${t.service}.`,
  "node-not-found": (t) => `There is no node “${t.node}” at ${t.service}.`,
  "remote-server-not-found": (t) => `There is no server ${t.service}.`,
  "remote-server-timeout": (t) => `${t.service} does not answer. Try again later.`,
  forbidden: (t) => `“${t.node}” is not open to this account.`,
  "not-allowed": (t) => `“${t.node}” at ${t.service} is not for this account to subscribe to.`,
  "not-authorized": (t) => `“${t.node}” at ${t.service} is not for this account to subscribe to.`,
  "service-unavailable": (t) => `${t.service} is no publish-subscribe service.`,
  "feature-not-implemented": (t) => `${t.service} cannot do this.`,
};

const codes = {
  offline: () => "This device is not connected, so nothing was sent. Try again when it is live.",
  timeout: () => "The server did not answer in time. Try again.",
  transport: () => "The connection was lost before there was an answer.",
  "outcome-unknown": () => "Sent, but the connection was lost before the answer came. The list will tell how it ended.",
  auth: () => "The server refused the account or its password.",
  "weaker-login": () => "The server offers only a weaker log-in than before, so the password was not sent.",
  conflict: () => "Another session took this one’s place. Go online again to take it back.",
  unsupported: () => "This server does not keep subscriptions for the account (XEP-0376).",
  "bad-jid": (t) => `“${t.service}” is not an address.`,
  "wasm-load": () => "The client’s WebAssembly module could not be loaded.",
  crashed: () => "The client’s runtime has crashed. Go online again to start a new one.",
};

const refusals = new Set(["forbidden", "not-allowed", "not-authorized", "service-unavailable"]);

/** Returns one sentence for the user; target is the target of the request, if there was one. */
export function errorWords(error, target) {
  if (target && error.origin === "local-server" && refusals.has(error.condition)) return `The account’s own server refuses this. It may not talk to ${target.service}.`;
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

/** Returns the facts of an error as [name, value] pairs. */
export function errorFacts(error) {
  return [
    ["code", error.code],
    ["from", error.origin && `${error.origin} (${own(origins, error.origin) ?? "?"})`],
    ["by", error.by],
    ["says", !error.condition && error.origin !== "client" && error.message],
    ["condition", [error.condition, error.pubsubCondition].filter(Boolean).join(" / ")],
  ].filter(([, value]) => value);
}

/** Returns the text that describes where the list is stored. */
export function storageWords(storage) {
  if (storage.kind === "indexeddb") return "Kept in IndexedDB";
  if (storage.fellBackFrom) return "Memory only: this browser gives the page no IndexedDB, so a reload starts empty";
  return storage.kind === "memory" ? "Memory only: a reload starts empty" : `Kept in ${storage.kind}`;
}

export const clock = (date) => date.toLocaleTimeString([], { hour12: false });
