import { createClient } from "xmpp-pam";

globalThis.times = {};
const { service, where } = globalThis.given;
const client = createClient({ account: "alice@localhost", credentials: { password: "secret" }, service, ...(where && { runtime: { where } }) });
client.subscriptions.subscribe(({ source }) => {
  if (source === "cache") times.stored ??= performance.now();
});
await client.connect();
times.live = performance.now();
globalThis.client = client;
globalThis.leave = () => client.close();
