// The page of every row of the matrix. The address gives the server, the account, and options of `runtime`.

import { createClient } from "xmpp-pam";

const given = new URLSearchParams(location.search);
const show = (id, text) => { document.getElementById(id).textContent = text; };

const client = createClient({
  account: given.get("account"),
  credentials: { password: "secret" },
  service: given.get("service"),
  runtime: Object.fromEntries([...given].filter(([name]) => ["wasm", "worker", "where"].includes(name))),
});
client.subscriptions.subscribe((list) => show("list", list.map((row) => `${row.node}: ${row.state}`).join()));
client.connect().then(() => client.subscribe({ service: "pubsub.localhost", node: "news" })).then(
  () => show("state", `live, ${client.runtime.getSnapshot().where}`),
  (e) => show("state", `${e.code}: ${e.message}`),
);
