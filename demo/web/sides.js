// The two sides of the comparison: the devices of the page, which use the library, and devices that poll. Both do the same
// things, and each notes in its tally what its devices show. Devices are numbered 0 and 1.

import { PlainDevice } from "./plain.js";
import { now } from "./time.js";
import { Tally } from "./tally.js";

export const keyOf = (node, id) => `${node} ${id}`;

/** The devices of the page. The comparison presses their buttons. */
export class PamSide {
  bytes = { sent: 0, received: 0 };
  #stage;
  #panes;
  #before; // which feeds of the run the account followed before
  #wanted = new Set();

  constructor(stage, panes, nodes) {
    this.#stage = stage;
    this.#panes = panes;
    this.nodes = nodes;
    this.tally = new Tally(panes.map((pane) => pane.name));
    this.#before = this.#listOf(panes[0]);
  }

  async prepare() {
    await this.#set([]);
  }

  start(at) {
    for (const pane of this.#panes) this.tally.listed(pane.name, this.#listOf(pane), at);
    this.#stage.addEventListener("message", this.#note);
  }

  follow(i, node) { return this.#press(i, node, true); }
  unfollow(i, node) { return this.#press(i, node, false); }
  readAll(i) { return this.#panes[i].state.unseen > 0 ? this.#panes[i].do("readAll") : undefined; }

  /** Returns how many entries are read on one device and unread on the other. */
  differences() {
    const [a, b] = this.#panes.map((pane) => pane.state?.unseen ?? 0);
    return Math.abs(a - b);
  }

  /** Ends the measurement, and leaves the list as it was. */
  async end() {
    this.#stage.removeEventListener("message", this.#note);
    await this.#set(this.#before);
  }

  /** Makes both devices show exactly these feeds, of those of the run. */
  async #set(wanted) {
    for (const node of this.nodes) await this.#press(0, node, wanted.includes(node));
    const right = () => this.#panes.every((p) => this.nodes.every((node) => p.follows(node) === wanted.includes(node)));
    await this.#stage.until(right, 10_000, "Bringing the list into its state");
  }

  /** Presses the button of a feed, which follows or unfollows it. */
  async #press(i, node, wanted) {
    if (this.#panes[i].follows(node) !== wanted) await this.#panes[i].do("press", { node });
  }

  #listOf(pane) {
    return pane.state.rows.map((row) => row.node).filter((node) => this.nodes.includes(node));
  }

  #note = ({ detail: { pane, message } }) => {
    if (!this.#panes.includes(pane)) return;
    if (message.type === "frames") {
      for (const { dir, bytes } of message.frames) this.bytes[dir === "out" ? "sent" : "received"] += bytes;
    } else if (message.type === "state") {
      this.tally.listed(pane.name, this.#listOf(pane), message.at);
    } else if (message.type === "asked" && this.nodes.includes(message.node)) {
      // A finger is drawn above the button first: the user wants it when the button is pressed.
      if (message.what === "subscribe") this.#wanted.add(message.node);
      if (message.what === "unsubscribe") this.#wanted.delete(message.node);
      this.tally.wanted(this.#wanted, message.at);
    } else if (message.type === "entry") {
      this.tally.shown(pane.name, keyOf(message.node, message.id), message.at);
    }
  };
}

/** The devices that poll. They have another account at the same server, so that they do not disturb those of the page. */
export class PollingSide {
  #devices;
  #before;
  #wanted = new Set();
  #first; // the bytes of the log-in, which are not counted, because the other side has logged in already

  /** options: see PlainDevice, but with an url for each device. failed: called when a poll fails. */
  constructor({ urls, names, nodes, failed, ...options }) {
    this.nodes = nodes;
    this.tally = new Tally(names);
    this.#devices = urls.map((url) => new PlainDevice({ ...options, url }));
    this.#devices.forEach((device, i) => {
      device.addEventListener("list", () => this.#first && this.tally.listed(names[i], this.#listOf(device), now()));
      device.addEventListener("entry", ({ detail: { node, id } }) => this.tally.shown(names[i], keyOf(node, id), now()));
      device.addEventListener("failed", ({ detail }) => failed(detail));
    });
  }

  async prepare() {
    await Promise.all(this.#devices.map((device) => device.open()));
    this.#before = this.#listOf(this.#devices[0]);
    for (const node of this.#before) await this.#devices[0].unfollow(node);
    await Promise.all(this.#devices.map((device) => device.poll()));
  }

  start() {
    this.#first = this.#sum();
  }

  follow(i, node) {
    this.tally.wanted(this.#wanted.add(node), now());
    return this.#devices[i].follow(node);
  }

  unfollow(i, node) {
    this.#wanted.delete(node);
    this.tally.wanted(this.#wanted, now());
    return this.#devices[i].unfollow(node);
  }

  readAll(i) { return this.#devices[i].readAll(); }

  differences() {
    const [a, b] = this.#devices.map((device) => device.entries);
    return [...a].filter(([key, entry]) => b.has(key) && b.get(key).read !== entry.read).length;
  }

  get bytes() {
    const { sent, received } = this.#sum();
    return { sent: sent - this.#first.sent, received: received - this.#first.received };
  }

  async end() {
    const [device] = this.#devices;
    try {
      if (!this.#before) return; // it was never prepared
      await device.poll(); // the other one may have changed the list
      for (const node of this.nodes) {
        const wanted = this.#before.includes(node);
        if (device.feeds.has(node) !== wanted) await (wanted ? device.follow(node) : device.unfollow(node));
      }
    } finally {
      this.#devices.forEach((one) => one.close());
    }
  }

  #listOf(device) {
    return [...device.feeds].filter((node) => this.nodes.includes(node));
  }

  #sum() {
    const total = { sent: 0, received: 0 };
    for (const { bytes } of this.#devices) for (const key in total) total[key] += bytes[key];
    return total;
  }
}
