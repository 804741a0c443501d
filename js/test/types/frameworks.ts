// What users of the frameworks write. It is compiled and never run.

import { createElement, type ReactElement } from "react";
import { get, type Readable } from "svelte/store";
import { createApp, effectScope, reactive } from "vue";
import type { InboxState, PamClient, PubsubEvent, SubscriptionList, SyncState } from "xmpp-pam";
import * as react from "xmpp-pam/react";
import { pamStores, type PamStores } from "xmpp-pam/svelte";
import * as vue from "xmpp-pam/vue";

export function inReact(client: PamClient): ReactElement {
  function Shown(): ReactElement {
    const list: SubscriptionList = react.useSubscriptions();
    const { phase }: SyncState = react.useSync();
    const { unseen }: InboxState = react.useInbox();
    const events: readonly PubsubEvent[] = react.useEvents();
    const same: PamClient = react.useClient();
    // @ts-expect-error: what a hook returns is not changed by the page
    list.push(list[0]!);
    // @ts-expect-error: likewise
    events.push(events[0]!);
    return createElement("p", null, same.account, list.ver, phase, unseen, events[0]?.entry?.title);
  }
  // @ts-expect-error: a provider needs a client
  createElement(react.PamProvider, {});
  return createElement(react.PamProvider, { client }, createElement(Shown), createElement(Shown));
}

export function inVue(client: PamClient): string | null {
  const app = createApp({}).provide(vue.pamClient, reactive({ client }).client);
  // @ts-expect-error: not a client
  app.provide(vue.pamClient, {});
  const list = effectScope().run(() => vue.useSubscriptions());
  const sync = vue.useSync();
  const phase: SyncState["phase"] = sync.value.phase;
  // @ts-expect-error: only the client changes it
  sync.value = client.sync.getSnapshot();
  const { unseen }: InboxState = vue.useInbox().value;
  const [newest] = vue.useEvents().value;
  return list?.value.ver ?? `${phase} ${unseen} ${newest?.id} ${vue.useClient().account}`;
}

export function inSvelte(client: PamClient): number {
  const { subscriptions, sync, inbox, events }: PamStores = pamStores(client);
  const readable: Readable<SubscriptionList> = subscriptions;
  const state: SyncState = get(sync);
  return get(readable).length + get(inbox).unseen + get(events).length + state.attempt;
}
