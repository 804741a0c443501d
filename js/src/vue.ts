// Vue composables over the stores of a client. Of the client only types are imported: the page decides how to load it.

import { inject, onScopeDispose, shallowRef, type InjectionKey, type ShallowRef } from "vue";
import type { ExternalStore, InboxState, PamClient, PubsubEvent, SubscriptionList, SyncState } from "./index.js";

/** The key of the client for the composables: `app.provide(pamClient, client)`, or `provide(pamClient, client)`. */
export const pamClient: InjectionKey<PamClient> = Symbol("xmpp-pam");

/** Returns the client that was provided. */
export function useClient(): PamClient {
  const client = inject(pamClient, null);
  if (!client) throw new Error("xmpp-pam/vue: there is no client. Call app.provide(pamClient, client) first.");
  return client;
}

/** Returns the subscriptions of the account. */
export function useSubscriptions(): Readonly<ShallowRef<SubscriptionList>> {
  return useStore(useClient().subscriptions);
}

/** Returns the state of the connection. */
export function useSync(): Readonly<ShallowRef<SyncState>> {
  return useStore(useClient().sync);
}

/** Returns the counts of the inbox, and the progress of the catch-up. */
export function useInbox(): Readonly<ShallowRef<InboxState>> {
  return useStore(useClient().inbox);
}

/** Returns the newest 50 events, newest first. To react to each event once, use `client.on("event", …)`. */
export function useEvents(): Readonly<ShallowRef<readonly PubsubEvent[]>> {
  return useStore(useClient().inbox.newest);
}

/** Follows a store until the current scope ends. Scopes on a server never end, so that no listener is added there. */
function useStore<T>({ getServerSnapshot, subscribe }: ExternalStore<T>): Readonly<ShallowRef<T>> {
  const ref = shallowRef(getServerSnapshot());
  if (typeof document !== "undefined") onScopeDispose(subscribe((value) => { ref.value = value; }));
  return ref;
}
