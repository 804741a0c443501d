// The devices on the page. Each is a frame of another origin, with storage, program and connection of its own. This page
// has no client: it asks its server to change the devices' network, and exchanges messages with their pages.

import { element } from "./elements.js";

/** Sends a request to the page's own server, and returns its answer. */
export async function request(method, path, query = {}) {
  const search = new URLSearchParams(query).toString();
  const response = await fetch(search ? `${path}?${search}` : path, { method });
  if (response.status === 204) return null;
  const body = await response.json();
  if (!response.ok) throw new Error(body.error);
  return body;
}

/** A device in a frame. `state` is the last state that its page has sent. */
class Pane {
  state = null;
  #device;
  #place;
  #requests = new Map(); // id → {resolve, reject}
  #lastId = 0;

  /** device: {id, name, url}, from the server; place: the element that gets the frame. */
  constructor(device, place) {
    this.#device = device;
    this.#place = place;
    this.origin = new URL(device.url).origin;
  }

  get id() { return this.#device.id; }
  get name() { return this.#device.name; }
  get url() { return this.#device.url; }
  get isOpen() { return this.frame !== undefined; }

  /** Opens the device's page, as a tab would; query is that of its address. */
  open(query = "") {
    this.close();
    this.frame = element("iframe");
    Object.assign(this.frame.dataset, { testid: "device-frame", device: this.id });
    this.frame.name = this.id;
    this.frame.title = `${this.name}: feeds and entries`;
    this.frame.src = this.url + query;
    this.#place.append(this.frame);
  }

  /** Closes the device's page, as the end of a tab does. Its storage remains. */
  close() {
    this.frame?.remove();
    this.frame = undefined;
    this.state = null;
    for (const { reject } of this.#requests.values()) reject(new Error(`${this.name} was closed.`));
    this.#requests.clear();
  }

  /** Requests an action of the device's page, see requests.js. */
  do(action, args = {}) {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.frame) return void reject(new Error(`${this.name} is closed.`));
      this.#requests.set(id, { resolve, reject });
      this.frame.contentWindow.postMessage({ ...args, type: "do", id, action }, this.origin);
    });
  }

  /** Handles a message of the device's page. */
  receive(message) {
    const request = this.#requests.get(message.id);
    if (message.type === "state") this.state = message;
    else if (message.type === "done") request?.resolve(message.value);
    else if (message.type === "failed") request?.reject(new Error(message.message));
    if (message.type === "done" || message.type === "failed") this.#requests.delete(message.id);
  }

  /** Reports whether the committed list has a feed with this name. */
  follows(node) {
    return this.state?.rows.some((row) => row.node === node && !row.local) ?? false;
  }
}

/** All devices. Dispatches an event "message" with {pane, message} for each message of a device's page. */
export class Stage extends EventTarget {
  panes = new Map(); // id → Pane

  constructor() {
    super();
    addEventListener("message", ({ origin, source, data }) => {
      const pane = [...this.panes.values()].find((p) => p.origin === origin && p.frame?.contentWindow === source);
      if (!pane || typeof data?.type !== "string") return; // not of a device of this page
      pane.receive(data);
      this.dispatchEvent(new CustomEvent("message", { detail: { pane, message: data } }));
    });
  }

  add(device, place, query = "") {
    const pane = new Pane(device, place);
    this.panes.set(pane.id, pane);
    pane.open(query);
    this.dispatchEvent(new CustomEvent("devices"));
    return pane;
  }

  remove(pane) {
    pane.close();
    this.dispatchEvent(new CustomEvent("message", { detail: { pane, message: { type: "removed" } } }));
    this.panes.delete(pane.id);
    this.dispatchEvent(new CustomEvent("devices"));
  }

  get(name) { return [...this.panes.values()].find((pane) => pane.name === name); }

  /** Calls `listener(pane, message)` for messages of a type; returns a function that ends this. */
  on(type, listener) {
    const handle = ({ detail: { pane, message } }) => message.type === type && listener(pane, message);
    this.addEventListener("message", handle);
    return () => this.removeEventListener("message", handle);
  }

  /** Resolves as soon as the condition holds; it is tried now and after each message. Rejects after `ms`. */
  until(condition, ms = 20_000, what = "the devices") {
    return new Promise((resolve, reject) => {
      const end = () => {
        clearTimeout(timer);
        this.removeEventListener("message", attempt);
      };
      const attempt = () => {
        const value = condition();
        if (!value) return;
        end();
        resolve(value);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`${what} took more than ${Math.round(ms / 1000)} s.`));
      }, ms);
      this.addEventListener("message", attempt);
      attempt();
    });
  }

  /** Resolves with the next message of a type from a pane, as {…message}. */
  next(pane, type, accepts = () => true, ms = 30_000) {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        stop();
        reject(new Error(`${pane.name} took more than ${Math.round(ms / 1000)} s.`));
      }, ms);
      const hear = ({ detail: { pane: from, message } }) => {
        if (from !== pane || (message.type !== "removed" && (message.type !== type || !accepts(message)))) return;
        stop();
        clearTimeout(timer);
        if (message.type === "removed") reject(new Error(`${pane.name} was removed.`));
        else resolve(message);
      };
      const stop = () => this.removeEventListener("message", hear);
      this.addEventListener("message", hear);
    });
  }
}
