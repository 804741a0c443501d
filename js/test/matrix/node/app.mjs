import { createClient } from "xmpp-pam/node";

const [service, account] = process.argv.slice(2);
const client = createClient({ account, service, credentials: { password: "secret" } });
await client.connect();
await client.subscribe({ service: "pubsub.localhost", node: "news" });
console.log(`live, node: ${client.subscriptions.getSnapshot().map((row) => `${row.node}: ${row.state}`).join()}`);
await client.close();
