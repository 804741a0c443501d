// The page of app.mjs, with React. A server renders it too.

"use client";

import { useEffect, useState } from "react";
import { createClient } from "xmpp-pam";
import { PamProvider, useSubscriptions } from "xmpp-pam/react";

const given = () => new URLSearchParams(typeof location === "undefined" ? "" : location.search);

function List() {
  const list = useSubscriptions();
  return <p id="list" data-source={list.source}>{list.map((row) => `${row.node}: ${row.state}`).join()}</p>;
}

export default function Page() {
  const [state, setState] = useState("");
  const [client] = useState(() => createClient({
    account: given().get("account") ?? "server@localhost",
    credentials: { password: "secret" },
    service: given().get("service") ?? undefined,
  }));
  useEffect(() => {
    client.connect().then(() => client.subscribe({ service: "pubsub.localhost", node: "news" })).then(
      () => setState(`live, ${client.runtime.getSnapshot().where}`),
      (e) => { if (e.code !== "aborted") setState(`${e.code}: ${e.message}`); }, // StrictMode overtakes the first call
    );
    return () => void client.disconnect();
  }, [client]);
  return <PamProvider client={client}><p id="state">{state}</p><List /></PamProvider>;
}
