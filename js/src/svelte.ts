// The stores of a client under the names for Svelte's `$store`. They follow Svelte's contract, so that nothing of Svelte is
// imported. Of the client only types are.

import type { ExternalStore, InboxState, PamClient, PubsubEvent, SubscriptionList, SyncState } from "./index.js";

/** Stores of Svelte's contract: `subscribe` calls the function at once with the value, and returns how to unsubscribe. */
export interface PamStores {
  /** The subscriptions of the account. */
  readonly subscriptions: ExternalStore<SubscriptionList>;
  /** The state of the connection. */
  readonly sync: ExternalStore<SyncState>;
  /** The counts of the inbox, and the progress of the catch-up. */
  readonly inbox: ExternalStore<InboxState>;
  /** The newest 50 events, newest first. To react to each event once, use `client.on("event", …)`. */
  readonly events: ExternalStore<readonly PubsubEvent[]>;
}

/** Returns the stores of a client: `const { subscriptions, sync, inbox, events } = pamStores(client)`. */
export function pamStores({ subscriptions, sync, inbox }: PamClient): PamStores {
  return { subscriptions, sync, inbox, events: inbox.newest };
}
