import { fromWire, type PamError } from "./errors.js";
import type { Config } from "./options.js";
import { writableStore } from "./store.js";
import type { ExternalStore, SyncState } from "./types.js";
import type { RawState } from "./wire.js";

type Phase = SyncState["phase"];

/** The state of a client whose program is not running. */
const offline: RawState = {
  phase: "offline", missing: [], resumed: false, lastSynced: null,
  attempt: 0, nextAttempt: null, pending: 0, degraded: false,
};

/** The store `sync`, and how it changes. */
export interface SyncStore {
  readonly store: ExternalStore<SyncState>;
  /** Converts a state that the program posted to the public form, without publishing it. */
  read(raw: RawState): SyncState;
  /** Publishes a state that `read` returned. */
  set(state: SyncState): void;
  /** Publishes another phase, without an error. */
  setPhase(phase: Phase): void;
  /** Publishes the end of the program: resets all fields but `lastSyncedAt` and `storage`. */
  reset(phase: Phase, error: PamError | undefined): void;
  /** Sets why the current program stores nothing; undefined if it stores the list. */
  setUnstored(why: string | undefined): void;
  /** Reports whether the program stores nothing although the options request storage. */
  unstored(): boolean;
  flush(): void;
}

/** Creates the store. `changed` is called when the published state has changed. */
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

/** Describes where the list is stored. `why` is the reason if that is not the requested storage. */
function storageState(wanted: Config["storage"], why: string | undefined): SyncState["storage"] {
  return Object.freeze(why === undefined || wanted === "memory"
    ? { kind: wanted, persistent: wanted !== "memory" }
    : { kind: "memory", persistent: false, fellBackFrom: wanted, why });
}
