// The README's example of the inbox. It is compiled and never run.

import type { PamClient } from "xmpp-pam";

export async function show(client: PamClient): Promise<unknown> {
// From the README
  client.inbox.subscribe(({ unseen, catchUp }) => badge(unseen, catchUp.phase === "running"));
  client.inbox.newest.subscribe((events) => {
    feed(events.map((e) => ({ title: e.entry?.title ?? e.itemId, at: e.occurredAt, unread: e.seen.state === "unseen" })));
  });
  client.on("event", (e) => { if (e.delivery === "live") announce(e.entry?.title ?? e.node); });

  const { items, cursor } = await client.inbox.list({ target: { service: "pubsub.example.org", node: "news" }, unseenOnly: true });
  await client.inbox.markSeen(items.map((e) => e.id)); // or { upTo: id }
  const older = cursor ? await client.inbox.list({ before: cursor }) : undefined;
// End
  return older;
}

// What the example leaves to the page.
declare function badge(unseen: number, more: boolean): void;
declare function feed(list: readonly { title: string | undefined; at: Date; unread: boolean }[]): void;
declare function announce(text: string): void;
