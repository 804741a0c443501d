import { fromWire, type PamError } from "./errors.js";
import type { Config } from "./options.js";
import { writableStore } from "./store.js";
import type { ExternalStore, SyncState } from "./types.js";
import type { RawState } from "./wire.js";

type Phase = SyncState["phase"];

/** The state of a client that has no program. */
const offline: RawState = {
  phase: "offline", missing: [], resumed: false, lastSynced: null,
  attempt: 0, nextAttempt: null, pending: 0, degraded: false,
};

/** The store `sync`, and how it changes. */
export interface SyncStore {
  readonly store: ExternalStore<SyncState>;
  /** The state that the program posted, as the page sees it. It is not shown yet. */
  read(raw: RawState): SyncState;
  /** Shows a state that was read. */
  set(state: SyncState): void;
  /** Shows another phase, and no error. */
  setPhase(phase: Phase): void;
  /** Shows the end of the program: nothing of its connection is left. */
  reset(phase: Phase, error: PamError | undefined): void;
  /** Says why the program of now stores nothing, or that it does: undefined. */
  setUnstored(why: string | undefined): void;
  /** Reports whether the program stores nothing although that was asked for. */
  unstored(): boolean;
  flush(): void;
}

/** `changed` is called when what is shown has changed. */
export function syncStore(wanted: Config["storage"], changed: (before: SyncState, now: SyncState) => void): SyncStore {
  let unstored: string | undefined; // why nothing is stored
  const state = writableStore(read(offline));
  const { getSnapshot } = state.store;

  function read(raw: RawState): SyncState {
    return Object.freeze({
      phase: raw.phase,
      missing: Object.freeze(raw.missing),
      resumed: raw.resumed,
      lastSyncedAt: raw.lastSynced === null ? null : new Date(raw.lastSynced),
      attempt: raw.attempt,
      nextAttemptAt: raw.nextAttempt === null ? null : new Date(raw.nextAttempt),
      pendingWrites: raw.pending,
      storage: storageState(wanted, raw.degraded ? raw.why ?? "" : unstored),
      ...(raw.error && { error: fromWire(raw.error) }),
    });
  }

  function show(next: SyncState, error?: PamError): void {
    const { error: _, storage: kept, ...rest } = next;
    const storage = unstored !== undefined && kept.persistent ? storageState(wanted, unstored) : kept;
    const before = getSnapshot();
    const now: SyncState = Object.freeze({ ...rest, storage, ...(error && { error }) });
    if (state.set(now)) changed(before, now);
  }

  return {
    store: state.store,
    read,
    set: (next) => show(next, next.error),
    setPhase: (phase) => show({ ...getSnapshot(), phase }),
    reset(phase, error) {
      const { lastSyncedAt, storage } = getSnapshot();
      show({ ...read(offline), phase, lastSyncedAt, storage }, error);
    },
    setUnstored(why) { unstored = why; },
    unstored: () => unstored !== undefined,
    flush: state.flush,
  };
}

/** Where the list is. `why` says why it is not where it was asked for. */
function storageState(wanted: Config["storage"], why: string | undefined): SyncState["storage"] {
  return Object.freeze(why === undefined || wanted === "memory"
    ? { kind: wanted, persistent: wanted !== "memory" }
    : { kind: "memory", persistent: false, fellBackFrom: wanted, why });
}
