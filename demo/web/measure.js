// A client that measures what a whole list costs, and what a catch-up costs: in a hidden frame, at the request of the
// enclosing page. It keeps its list in memory, so that each measurement begins without one.

import { createClient } from "/pkg/index.js";

const config = await (await fetch("/config.json")).json();
const workerURL = "/web/device-worker.js";
const policy = globalThis.trustedTypes?.createPolicy("pam-demo", {
  createScriptURL: (url) => {
    if (url !== workerURL) throw new TypeError(`not a worker of this page: ${url}`);
    return url;
  },
});

/** Resolves with the next message of a type from the enclosing page. */
const next = (type) => new Promise((resolve) => {
  addEventListener("message", function receive({ source, origin, data }) {
    if (source !== parent || origin !== config.shell || data?.type !== type) return;
    removeEventListener("message", receive);
    resolve(data);
  });
});
const post = (message) => parent.postMessage(message, config.shell);

/** Returns the bytes of all messages about the list, of both directions, that come while `action` runs. */
async function measure(client, action) {
  const last = client.inspector.getSnapshot().at(-1)?.seq ?? -1;
  await action();
  const frames = client.inspector.getSnapshot().filter((f) => f.seq > last && f.layer === "pam");
  const first = frames.find((f) => f.dir === "out");
  return { bytes: frames.reduce((sum, f) => sum + f.bytes, 0), ms: frames.at(-1).at - first.at, rows: client.subscriptions.getSnapshot().length };
}

async function run() {
  const asked = next("measure");
  post({ type: "started" });
  const { account, password } = await asked;
  const client = createClient({
    account: `${account}@${config.domain}`,
    credentials: { password },
    service: `ws://${location.host}${config.service}`,
    storage: "memory",
    tabs: "independent",
    interests: [], // the events are not what is measured
    runtime: { worker: () => new Worker(policy?.createScriptURL(workerURL) ?? workerURL, { type: "module" }) },
    inspector: true,
  });
  const whole = await measure(client, () => client.connect());
  await client.disconnect();
  const back = next("return");
  post({ type: "away" });
  await back;
  const catchUp = await measure(client, () => client.connect());
  await client.close();
  post({ type: "measured", whole, catchUp });
}

run().catch((error) => post({ type: "failed", message: error.message }));
