import { fromWire } from "./errors.js";
import type { SyncState } from "./types.js";
import type { RawState } from "./wire.js";

/** The state of a client that has no program. */
export const offline: RawState = {
  phase: "offline", missing: [], resumed: false, lastSynced: null, attempt: 0, nextAttempt: null, pending: 0, degraded: false,
};

/** What the program says of its state, as the page sees it. `fellBack` is why nothing is stored although that was asked for. */
export function readState(raw: RawState, wanted: "indexeddb" | "memory", fellBack: string | undefined): SyncState {
  return Object.freeze({
    phase: raw.phase,
    missing: Object.freeze(raw.missing),
    resumed: raw.resumed,
    lastSyncedAt: raw.lastSynced === null ? null : new Date(raw.lastSynced),
    attempt: raw.attempt,
    nextAttemptAt: raw.nextAttempt === null ? null : new Date(raw.nextAttempt),
    pendingWrites: raw.pending,
    storage: storageState(wanted, raw.degraded ? raw.why ?? "" : fellBack),
    ...(raw.error && { error: fromWire(raw.error) }),
  });
}

/** Where the list is. `why` says why it is not where it was asked for. */
export function storageState(wanted: "indexeddb" | "memory", why: string | undefined): SyncState["storage"] {
  return Object.freeze(why === undefined || wanted === "memory"
    ? { kind: wanted, persistent: wanted !== "memory" }
    : { kind: "memory", persistent: false, fellBackFrom: wanted, why });
}
