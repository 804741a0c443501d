// What users write. It is compiled against the package's own types and never run.

import { createClient, PamError, preload, type EventPage, type ExternalStore, type InboxState, type PamClient, type Subscription, type SubscriptionList, type SyncState } from "xmpp-pam";

// As React, Svelte and Solid declare them.
declare function get<T>(store: { subscribe(this: void, run: (value: T) => void, invalidate?: () => void): () => void }): T;
declare function from<T>(producer: { subscribe: (fn: (v: T) => void) => (() => void) | { unsubscribe: () => void } }): () => T | undefined;
declare function useSyncExternalStore<T>(subscribe: (fn: () => void) => () => void, get: () => T, server?: () => T): T;

export async function use(signal: AbortSignal): Promise<void> {
  await preload("/pam.wasm");
  await using client = createClient({
    account: "francisco@denmark.lit",
    credentials: async ({ reason, mechanisms, signal }) => {
      signal.throwIfAborted();
      return { password: `${reason}${mechanisms.length}` };
    },
    service: "wss://denmark.lit/xmpp-websocket",
    storage: "memory",
    mechanisms: ["SCRAM-SHA-256"],
    runtime: { where: "worker", wasm: new URL("https://denmark.lit/pam.wasm"), worker: () => new Worker("/worker.js") },
    reconnect: { baseMs: 100, jitter: "none" },
    inspector: { frames: 10 },
    interests: [{ payload: "urn:example:song" }],
    codecs: { "urn:example:song": (xml) => ({ title: xml }) },
    logger: (entry) => console.log(entry.level, entry.at.getTime(), entry.message),
  });
  const stop = client.on("subscriptions", (delta) => {
    for (const { before, after } of delta.changed) console.log(before.state, after.state, delta.origin);
  }, { signal });
  stop();
  const state: SyncState = await client.connect({ signal, timeoutMs: 10_000 });
  if (state.phase === "waiting") console.log(state.nextAttemptAt?.getTime(), state.error?.retryable);
  const row: Subscription = await client.subscribe({ service: "pubsub.shakespeare.lit", node: "princely_musings" }, { signal });
  await client.unsubscribe(row);
  const list: SubscriptionList = useSyncExternalStore(client.subscriptions.subscribe, client.subscriptions.getSnapshot, client.subscriptions.getServerSnapshot);
  const phase: SyncState["phase"] | undefined = [get(client.sync).phase, from(client.sync)()?.phase][0];
  console.log(phase, get(client.subscriptions).ver, get(client.inspector).length, get(client.runtime).info?.build);
  const names: string[] = list.map((r) => r.node);
  console.log(names, list.ver, list.source, (await client.subscriptions.ready).asOf);
  for await (const sync of client.events("sync", { signal, buffer: 10 })) if (sync.phase === "live") break;
  const crash: PamError = await client.once("crash");
  const delta = await client.subscriptions.refresh({ ignoreVersion: true });
  console.log(crash.docs, delta.added[0]?.local, client.inspector.stats().framesIn);
  const inbox: InboxState = await client.inbox.ready;
  const songs = client.inbox.newest.getSnapshot().map((e) => e.payload as { title: string } | null);
  console.log(songs[0]?.title, get(client.inbox).unseen, get(client.inbox.newest)[0]?.seen.at, inbox.away?.subscriptions.added[0]?.node);
  const page: EventPage = await client.inbox.list({ limit: 10, signal, timeoutMs: 100 });
  await client.inbox.markSeen(page.items.map((e) => e.id), { signal });
  await client.inbox.markSeen({ upTo: page.items[0]?.id ?? "" });
  await client.inbox.looked();
  await client.setInterests([{ node: "news", prefix: true }, { payload: "urn:x" }, { service: "pubsub.shakespeare.lit" }]);
  await client.setInterests(null, { signal });
  for await (const event of client.events("event", { signal })) if (event.type === "published") break;
  client.on("events", ({ added, removed, updated, reset }) => console.log(added[0]?.occurredAt.getTime(), removed, updated, reset));
  client.on("catchup", ({ gaps, completeness }) => console.log(gaps[0]?.reason, completeness));
  console.log(client.inbox.get({ service: "pubsub.shakespeare.lit", node: "news" })?.newest?.getTime());
  try {
    await client.connect();
  } catch (e) {
    if (PamError.is(e, "auth")) console.log(e.by, e.condition, e.pubsubCondition, e.retryAfterMs, e.toJSON().message);
  }
}

export const store = (client: PamClient): ExternalStore<SyncState> => client.sync;

// @ts-expect-error account is required
createClient({ credentials: { password: "x" } });
// @ts-expect-error there is no such storage
createClient({ account: "a@b", credentials: { password: "x" }, storage: "cookies" });
// @ts-expect-error a codec is a function
createClient({ account: "a@b", credentials: { password: "x" }, codecs: { "urn:x": "text" } });
// @ts-expect-error there is no such event
export const wrong = (client: PamClient) => client.on("nothing", () => undefined);
// @ts-expect-error snapshots are not to be changed
export const change = (client: PamClient) => { client.subscriptions.getSnapshot()[0] = undefined; };
