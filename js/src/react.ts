"use client";
// React hooks over the stores of a client. Of the client only types are imported: the page decides how to load it.

import { createContext, createElement, useContext, useSyncExternalStore, type ReactElement, type ReactNode } from "react";
import type { ExternalStore, InboxState, PamClient, PubsubEvent, SubscriptionList, SyncState } from "./index.js";

const ClientContext = /* @__PURE__ */ createContext<PamClient | null>(null);

/** Provides a client to the hooks below it. It neither connects nor closes the client. */
export function PamProvider({ client, children }: {
  readonly client: PamClient; readonly children?: ReactNode;
}): ReactElement {
  return createElement(ClientContext.Provider, { value: client }, children);
}

/** Returns the client of the nearest `PamProvider`. */
export function useClient(): PamClient {
  const client = useContext(ClientContext);
  if (!client) throw new Error("xmpp-pam/react: there is no client. Render this inside <PamProvider client={client}>.");
  return client;
}

/** Returns the subscriptions of the account. */
export function useSubscriptions(): SubscriptionList {
  return useStore(useClient().subscriptions);
}

/** Returns the state of the connection. */
export function useSync(): SyncState {
  return useStore(useClient().sync);
}

/** Returns the counts of the inbox, and the progress of the catch-up. */
export function useInbox(): InboxState {
  return useStore(useClient().inbox);
}

/** Returns the newest 50 events, newest first. To react to each event once, use `client.on("event", …)` in an effect. */
export function useEvents(): readonly PubsubEvent[] {
  return useStore(useClient().inbox.newest);
}

function useStore<T>({ subscribe, getSnapshot, getServerSnapshot }: ExternalStore<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot);
}
