// The network of a device: online, a tunnel of ten seconds, or a week away. The page's server cuts the device's sockets and
// refuses new ones; after "a week" the XMPP server has also ended the session, so that the device must catch up.

import { now, request, sleep } from "./stage.js";
import { bytesText, msText } from "./traffic.js";

const tunnel = 10; // s

/**
 * Dispatches "position" with {pane, position, left} and, when a device is back, "back" with a report:
 * {pane, position, since, at, ms, resumed, traffic}. Positions: "online", "tunnel", "week".
 */
export class Network extends EventTarget {
  /** Whether the devices use another server than the page's: only they themselves can then leave it. */
  foreign = false;
  #stage;
  #traffic;
  #positions = new Map(); // pane → {position, since}

  constructor(stage, traffic) {
    super();
    this.#stage = stage;
    this.#traffic = traffic;
  }

  position(pane) { return this.#positions.get(pane)?.position ?? "online"; }

  /** Puts a device into a position. Resolves with the report if it comes back, at once or at the end of the tunnel. */
  async set(pane, position) {
    if (position === this.position(pane)) return undefined;
    if (position === "online") return this.#return(pane);
    const mine = { position, since: now() };
    this.#positions.set(pane, mine);
    this.#announce(pane, position);
    if (this.foreign) await pane.do("disconnect");
    else await request("POST", `/devices/${pane.id}/unplug`, position === "week" ? { session: "end" } : {});
    if (position === "week") return undefined;
    for (let left = tunnel; left > 0; left--) {
      this.#announce(pane, position, left);
      await sleep(1000);
      if (this.#positions.get(pane) !== mine) return undefined; // the visitor has moved the switch
    }
    return this.#return(pane);
  }

  async #return(pane) {
    const { position, since } = this.#positions.get(pane);
    this.#positions.delete(pane);
    if (!this.foreign) await request("POST", `/devices/${pane.id}/plug`);
    const at = now();
    this.#announce(pane, "online");
    const [live] = await Promise.all([
      this.#stage.next(pane, "live"),
      pane.do(this.foreign ? "connect" : "wake"), // as the browser does when the network is back: no attempt need be awaited
    ]);
    // A catch-up begins with the session; it is over, or there is none.
    await this.#stage.until(() => pane.state?.catchUp.phase !== "running", 20_000, `Catching up on ${pane.name}`);
    await sleep(150); // the last messages of the wire are reported in batches
    const report = { pane, position, since, at, ms: live.at - at, resumed: live.resumed, traffic: this.#traffic.since(pane, at) };
    this.dispatchEvent(new CustomEvent("back", { detail: report }));
    return report;
  }

  #announce(pane, position, left) {
    this.dispatchEvent(new CustomEvent("position", { detail: { pane, position, left } }));
  }
}

/** Connects a group of radio buttons with the network of a device. `report` is called with an error. */
export function connectSwitch(group, pane, network, report) {
  const labels = new Map([...group.querySelectorAll("input")].map((input) => [input.value, input]));
  group.addEventListener("change", ({ target }) => network.set(pane, target.value).catch(report));
  network.addEventListener("position", ({ detail }) => {
    if (detail.pane !== pane) return;
    labels.get(detail.position).checked = true;
    group.querySelector(".left").textContent = `${detail.left ?? tunnel} s`;
    group.dataset.position = detail.position;
  });
}

/** Returns sentences about a return. */
export function returnWords({ pane, position, ms, resumed, traffic }) {
  const back = `${pane.name} was back after ${msText(ms)}`;
  if (resumed) {
    const received = traffic.received === 1 ? "1 message was" : `${traffic.received} messages were`;
    return `${back}: the server had kept the session, ${received} delivered late, and ${traffic.requests === 0 ? "nothing was fetched" : `${traffic.requests} requests were made`}.`;
  }
  return `${back}: its session was lost${position === "week" ? ", as after a week" : ""}. ${bytesText(traffic.list)} brought the list up to date, and ${bytesText(traffic.entries)} the entries.`;
}
