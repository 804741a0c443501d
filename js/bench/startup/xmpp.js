import XMPP from "@xmpp/client";

globalThis.times = {};
const { client, xml } = XMPP;
const connection = client({ service: globalThis.given.service, domain: "localhost", username: "alice", password: "secret" });
connection.on("error", (e) => console.error(e));
connection.on("online", async () => {
  const list = await connection.iqCaller.get(xml("subscriptions", "urn:xmpp:pam:0"), "alice@localhost");
  globalThis.list = list.getChildren("subscription").map((e) => [e.attrs.service, e.attrs.node, e.attrs.subscription]);
  times.live = performance.now();
});
await connection.start();
globalThis.leave = () => connection.stop();
