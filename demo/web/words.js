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
  "closed-node": (t) => `“${t.node}” is closed: only members that its owner has added may subscribe.`,
  "presence-subscription-required": (t) => `Only contacts of its owner may subscribe to “${t.node}”.`,
  "not-in-roster-group": (t) => `Only some groups of its owner’s contacts may subscribe to “${t.node}”.`,
  "pending-subscription": (t) => `The owner of “${t.node}” has not approved the request yet.`,
  "too-many-subscriptions": (t) => `${t.service} allows no more subscriptions.`,
  "payment-required": (t) => `A subscription to “${t.node}” must be paid for.`,
  "item-not-found": (t) => `There is no node “${t.node}” at ${t.service}.`,
  "node-not-found": (t) => `There is no node “${t.node}” at ${t.service}.`,
  "remote-server-not-found": (t) => `There is no server ${t.service}.`,
  "remote-server-timeout": (t) => `${t.service} does not answer. Try again later.`,
  forbidden: (t) => `This account may not subscribe to “${t.node}”.`,
  "not-allowed": (t) => `“${t.node}” at ${t.service} is not for this account to subscribe to.`,
  "not-authorized": (t) => `“${t.node}” at ${t.service} is not for this account to subscribe to.`,
  "service-unavailable": (t) => `${t.service} is not a publish-subscribe service.`,
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
  unsupported: () => "This server does not manage subscriptions for the account (XEP-0376).",
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
  if (storage.kind === "indexeddb") return "Stored in IndexedDB";
  if (storage.fellBackFrom) return "Memory only: IndexedDB is not available, so a reload starts with an empty list";
  return storage.kind === "memory" ? "Memory only: a reload starts with an empty list" : `Stored in ${storage.kind}`;
}

export const clock = (date) => date.toLocaleTimeString([], { hour12: false });
