// Measures how long it takes until a device shows what was done elsewhere: from the press of a button on one device, or
// from the publication of an entry, until the other one shows it.

import { request } from "./stage.js";
import { now } from "./time.js";

const kept = 20; // actions of which the delay is awaited

/** Dispatches an event "delay" with {what, from, to, node, ms}; what: "subscribe", "unsubscribe", "seen" or "publish". */
export class Delays extends EventTarget {
  #stage;
  #actions = []; // {what, from, node, key, at, awaited: the devices that were connected}

  constructor(stage) {
    super();
    this.#stage = stage;
    stage.on("asked", (pane, { what, node, key, at }) => this.#note({ what, from: pane.name, node, key, at }));
    stage.on("changed", (pane, { added, removed, at }) => {
      for (const key of added) this.#end(pane, at, (a) => a.what === "subscribe" && a.key === key);
      for (const key of removed) this.#end(pane, at, (a) => a.what === "unsubscribe" && a.key === key);
    });
    stage.on("seen-elsewhere", (pane, { node, itemId, at }) => this.#end(pane, at, (a) => a.what === "seen" && a.node === node && a.key === itemId));
    stage.on("entry", (pane, { node, id, at }) => {
      const waiting = this.#actions.find((a) => a.what === "publish" && a.node === node && !a.items);
      if (waiting) waiting.early.push({ pane, id, at }); // on the device before the server has answered
      else this.#end(pane, at, (a) => a.what === "publish" && a.node === node && a.items.includes(id));
    });
  }

  /** Publishes entries as their author, and returns their ids. */
  async publish(node, { count = 1, title = "" } = {}) {
    const action = { what: "publish", from: "the author", node, early: [], at: now() };
    this.#note(action);
    const { items } = await request("POST", "/publish", { node, count, title });
    action.items = items;
    for (const { pane, at, id } of action.early) if (items.includes(id)) this.#report(action, pane, at);
    return items;
  }

  #note(action) {
    action.awaited = new Set([...this.#stage.panes.values()].filter((pane) => pane.state?.phase === "live"));
    this.#actions = [...this.#actions, action].slice(-kept);
  }

  #end(pane, at, matches) {
    const action = this.#actions.findLast((a) => a.from !== pane.name && matches(a));
    if (action) this.#report(action, pane, at);
  }

  #report(action, pane, at) {
    if (!action.awaited.delete(pane)) return; // it was away, or has shown it already
    this.dispatchEvent(new CustomEvent("delay", { detail: { what: action.what, from: action.from, to: pane.name, node: action.node, ms: Math.max(0, at - action.at) } }));
  }
}
