// The network of a device: online, a tunnel of ten seconds, or a week away. The page's server cuts the device's sockets and
// refuses new ones; after "a week" the XMPP server has also ended the session, so that the device must catch up.

import { request } from "./stage.js";
import { now, sleep } from "./time.js";
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
  #states = new Map(); // pane → {position, since, cut: whether the device was cut off}
  #turns = new Map(); // pane → a promise: what changes a device's network is done in order

  constructor(stage, traffic) {
    super();
    this.#stage = stage;
    this.#traffic = traffic;
  }

  position(pane) { return this.#states.get(pane)?.position ?? "online"; }

  /** Puts a device into a position. Resolves with the report if it comes back, at once or at the end of the tunnel. */
  async set(pane, position) {
    const before = this.#states.get(pane) ?? { position: "online", since: now(), cut: false };
    if (position === before.position || (position === "tunnel" && before.position === "week")) {
      this.#announce(pane, before.position);
      return undefined;
    }
    const mine = { position, since: before.position === "online" ? now() : before.since, cut: before.cut };
    this.#states.set(pane, mine);
    this.#announce(pane, position);
    const turn = (this.#turns.get(pane) ?? Promise.resolve()).then(() => this.#carryOut(pane, mine, before));
    this.#turns.set(pane, turn.catch(() => undefined));
    await turn;
    if (position === "tunnel") {
      for (let left = tunnel; left > 0 && this.#is(pane, mine); left--) {
        this.#announce(pane, position, left);
        await sleep(1000);
      }
      return this.#is(pane, mine) ? this.set(pane, "online") : undefined;
    }
    return position === "online" ? this.#report(pane, mine, before) : undefined;
  }

  /** Puts a device online without a report, because its page is opened anew. */
  async reset(pane) {
    this.#states.delete(pane);
    this.#announce(pane, "online");
    await request("POST", `/devices/${pane.id}/plug`);
  }

  #is(pane, state) { return this.#states.get(pane) === state; }

  /** Cuts a device off, or connects it, unless its switch was moved meanwhile. */
  async #carryOut(pane, mine, before) {
    if (!this.#is(pane, mine)) return;
    if (mine.position === "online") {
      Object.assign(mine, { cut: false, at: now() });
      if (!before.cut) return;
      mine.stop = this.#stage.on("live", (from, message) => { if (from === pane && message.at >= mine.at) mine.live ??= message; });
      if (!this.foreign) await request("POST", `/devices/${pane.id}/plug`);
      // As the browser does when the network is back: the device need not wait for its next attempt.
      await pane.do(this.foreign ? "connect" : "wake");
    } else {
      mine.cut = before.cut = true; // also for a position that is chosen before this one is carried out
      if (this.foreign) await pane.do("disconnect");
      else await request("POST", `/devices/${pane.id}/unplug`, mine.position === "week" ? { session: "end" } : {});
    }
  }

  /** Waits until a device is connected and has caught up. */
  async #report(pane, mine, { position, since }) {
    if (!mine.stop) return undefined; // it was never cut off
    try {
      const gone = () => !this.#is(pane, mine);
      await this.#stage.until(() => gone() || mine.live, 30_000, `Connecting ${pane.name}`);
      await this.#stage.until(() => gone() || pane.state?.catchUp.phase !== "running", 20_000, `Catching up on ${pane.name}`);
      await sleep(150); // the last messages of the wire are reported in batches
      if (gone()) return undefined;
    } finally {
      mine.stop();
    }
    const { at, live } = mine;
    const report = { pane, position, since, at, ms: live.at - at, resumed: live.resumed, traffic: this.#traffic.since(pane, at) };
    this.dispatchEvent(new CustomEvent("back", { detail: report }));
    return report;
  }

  #announce(pane, position, left) {
    this.dispatchEvent(new CustomEvent("position", { detail: { pane, position, left } }));
  }
}

/** Connects a group of radio buttons with the network of a device. `set` is called with a position that the visitor chooses. */
export function connectSwitch(group, pane, network, set) {
  const inputs = new Map([...group.querySelectorAll("input")].map((input) => [input.value, input]));
  let timer;
  let keys = false;
  group.addEventListener("keydown", () => { keys = true; });
  group.addEventListener("pointerdown", () => { keys = false; });
  group.addEventListener("change", ({ target }) => {
    clearTimeout(timer); // the arrow keys pass through positions that are not meant
    if (keys) timer = setTimeout(() => set(target.value), 400);
    else set(target.value);
  });
  network.addEventListener("position", ({ detail }) => {
    if (detail.pane !== pane) return;
    inputs.get(detail.position).checked = true;
    group.querySelector(".left").textContent = `${detail.left ?? tunnel} s`;
    group.dataset.position = detail.position;
  });
}

/** Returns sentences about a return. */
export function returnWords({ pane, position, ms, resumed, traffic }) {
  const back = `${pane.name} was back after ${msText(ms)}`;
  if (resumed) {
    const received = traffic.received === 1 ? "1 message was" : `${traffic.received} messages were`;
    const fetched = traffic.requests === 0 ? "nothing was fetched" : `${traffic.requests} requests were made`;
    return `${back}: the server had kept the session, ${received} delivered late, and ${fetched}.`;
  }
  const week = position === "week" ? ", as after a week" : "";
  return `${back}: its session was lost${week}. ${bytesText(traffic.list)} brought the list up to date, and `
    + `${bytesText(traffic.entries)} the entries.`;
}
