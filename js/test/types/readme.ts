import { createClient, PamError } from "xmpp-pam";

const client = createClient({
  account: "alice@example.org",
  credentials: async () => ({ password: await ask() }),
  service: "wss://example.org/xmpp-websocket",
});
client.subscriptions.subscribe((list) => render(list)); // now, and whenever it changes
client.on("subscriptions", (delta) => { if (delta.origin === "other-device") flash(delta.added); });

try {
  await client.connect();
  await client.subscribe({ service: "pubsub.example.org", node: "princely_musings" });
} catch (e) {
  if (PamError.is(e, "auth")) complain(e.message);
  else throw e;
}
await client.close(); // when you are done

// What the example of the README leaves to the page. The example itself is above, word for word.
declare function ask(): Promise<string>;
declare function render(list: readonly { readonly node: string }[]): void;
declare function flash(list: readonly { readonly node: string }[]): void;
declare function complain(text: string): void;
