import { $iq, Strophe } from "strophe.js";

globalThis.times = {};
const connection = new Strophe.Connection(globalThis.given.service);
connection.connect("alice@localhost", "secret", (status) => {
  if (status !== Strophe.Status.CONNECTED) return;
  connection.sendIQ($iq({ type: "get", to: "alice@localhost" }).c("subscriptions", { xmlns: "urn:xmpp:pam:0" }), (iq) => {
    globalThis.list = [...iq.querySelectorAll("subscription")].map((e) => [e.getAttribute("service"), e.getAttribute("node"), e.getAttribute("subscription")]);
    times.live = performance.now();
  });
});
globalThis.leave = () => connection.disconnect("");
