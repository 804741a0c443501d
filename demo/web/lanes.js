// The messages of the devices as arrows between lanes: one lane for each device, and one for the server. A request and its
// answer have the same number, and a bar on the device's lane lasts from one to the other.

import { describe } from "./describe.js";
import { element, span } from "./elements.js";
import { TabStop } from "./tabstop.js";
import { showWhenOpen, timeOf, whenOpened } from "./wirelog.js";

const maxRows = 200; // of the usual messages, and as many of the others

export class Lanes {
  #devices = []; // {id, name}, from left to right
  #rows = []; // by time
  #requests = new Map(); // "device seq" → row
  #count = 0;
  #arrived = []; // {device, frame}, which have no row yet
  #timer;
  #list;
  #head;
  #empty;
  #all;
  #tab;

  /**
   * list: <ol>; head: an element above it, for the names of the lanes; empty: shown when there are no rows; all: a checkbox
   * that adds log-in, presence, acknowledgements and other messages besides PAM and publish-subscribe.
   */
  constructor({ list, head, empty, all }) {
    this.#list = list;
    this.#head = head;
    this.#empty = empty;
    this.#all = all;
    this.#tab = new TabStop(list, () => this.#shown());
    all.addEventListener("change", () => this.#arrange());
    whenOpened(list, () => this.#scroll());
    for (const type of ["focusin", "pointerover"]) list.addEventListener(type, (event) => this.#light(event.target));
    for (const type of ["focusout", "pointerleave"]) list.addEventListener(type, () => this.#light(null));
  }

  /** Sets the devices: [{id, name}]. The first has the lane on the left of the server, the others those on the right. */
  setDevices(devices) {
    this.#devices = [...devices];
    this.#tab.keep(() => this.#rows.filter((row) => !this.#has(row.device)).forEach((row) => this.#remove(row)));
    this.#arrange();
  }

  /** Adds messages of a device, in their order. See the inspector of the library for their fields. */
  add(device, frames) {
    this.#arrived.push(...frames.map((frame) => ({ device, frame })));
    this.#timer ??= setTimeout(() => this.#flush(), 50); // devices that connect report many messages at once
  }

  #flush() {
    this.#timer = undefined;
    const box = this.#list.parentElement;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    this.#tab.keep(() => {
      for (const { device, frame } of this.#arrived.splice(0)) if (this.#has(device.id)) this.#add(device, frame);
      for (const routine of [false, true]) {
        const rows = this.#rows.filter((row) => row.said.routine === routine);
        for (const row of rows.slice(0, Math.max(0, rows.length - maxRows))) this.#remove(row);
      }
      this.#arrange();
    });
    if (atEnd) this.#scroll();
  }

  #scroll() {
    this.#list.parentElement.scrollTop = this.#list.parentElement.scrollHeight;
  }

  clear() {
    this.#rows = [];
    this.#requests.clear();
    this.#list.replaceChildren();
    this.#arrange();
  }

  #add(device, frame) {
    const request = this.#requests.get(`${device.id} ${frame.replyTo}`);
    const said = describe(frame, request?.said);
    said.routine = Boolean(said.routine);
    const number = request?.number ?? (isRequest(frame) ? ++this.#count : undefined);
    const row = newRow({ device, frame, said, number, request });
    if (request) request.answer = row;
    else this.#requests.set(`${device.id} ${frame.seq}`, row);
    // Devices report their messages in batches and with a delay.
    const i = this.#rows.findLastIndex((r) => r.at <= row.at) + 1;
    this.#list.insertBefore(row.item, this.#rows[i]?.item ?? null);
    this.#rows.splice(i, 0, row);
  }

  #remove(row) {
    row.item.remove();
    this.#rows.splice(this.#rows.indexOf(row), 1);
    for (const [key, request] of this.#requests) if (request === row) this.#requests.delete(key);
  }

  #has(id) {
    return this.#devices.some((device) => device.id === id);
  }

  #shown() {
    return this.#rows.filter((row) => !row.item.hidden);
  }

  /** Puts all arrows between their lanes, and draws the lanes. */
  #arrange() {
    const [first, ...others] = this.#devices;
    const lanes = [first, { id: "", name: "Server" }, ...others].filter(Boolean);
    const laneOf = (id) => lanes.findIndex((lane) => lane.id === id);
    this.#list.style.setProperty("--gaps", Math.max(1, lanes.length - 1));
    this.#head.style.setProperty("--gaps", Math.max(1, lanes.length - 1));
    this.#head.replaceChildren(...lanes.map((lane, i) => {
      const name = span("name", lane.name);
      name.style.setProperty("--lane", i);
      return name;
    }));
    for (const row of this.#rows) row.item.hidden = row.said.routine && !this.#all.checked;
    const shown = this.#shown();
    const open = lanes.map(() => 0); // requests without an answer so far, by lane
    for (const row of shown) {
      const [lane, server] = [laneOf(row.device), laneOf("")];
      row.area.style.setProperty("--low", Math.min(lane, server));
      row.area.style.setProperty("--span", Math.abs(lane - server));
      row.area.dataset.to = (lane < server) === row.out ? "right" : "left";
      const starts = Boolean(row.answer?.item.isConnected && !row.answer.item.hidden);
      const ends = Boolean(row.request?.item.isConnected && !row.request.item.hidden);
      open[lane] -= ends;
      const here = starts ? "starts" : ends ? "ends" : "";
      drawLives(row.lives, lanes.map((_, i) => (open[i] > 0 ? "through" : i === lane ? here : "")));
      open[lane] += starts;
    }
    this.#empty.hidden = shown.length > 0;
    this.#tab.settle();
  }

  /** Highlights the message at a target and the other one of its pair. */
  #light(target) {
    for (const row of this.#rows) row.item.classList.remove("lit");
    const row = target && this.#rows.find((r) => r.item.contains(target));
    for (const one of row ? [row, row.answer, row.request] : []) one?.item.classList.add("lit");
  }
}

/** Draws the part of the lanes that is beside one message. */
function drawLives(lives, states) {
  if (lives.children.length !== states.length) {
    lives.replaceChildren(...states.map((_, i) => {
      const life = span("life");
      life.style.setProperty("--lane", i);
      return life;
    }));
  }
  states.forEach((state, i) => {
    if (lives.children[i].dataset.busy !== state) lives.children[i].dataset.busy = state;
  });
}

/** Reports whether a message is an IQ request (RFC 6120 §8.2.3). */
const isRequest = ({ kind, xml }) => kind === "iq" && /^<[^>]* type=(['"])(get|set)\1/.test(xml);

function newRow({ device, frame, said, number, request }) {
  const out = frame.dir === "out";
  const details = document.createElement("details");
  details.dataset.testid = "lane-row";
  Object.assign(details.dataset, { device: device.id, dir: frame.dir, layer: frame.layer ?? "", number: number ?? "" });
  const summary = document.createElement("summary");
  summary.tabIndex = -1;
  const area = span("area");
  const lives = span("lives");
  const words = span("words");
  words.append(span("aside", out ? `${device.name} → server: ` : `server → ${device.name}: `), span("said", said.text));
  if (number !== undefined) {
    const badge = span("number");
    badge.append(span("aside", request ? " (answer to request " : " (request "), `${number}`, span("aside", ")"));
    words.append(" ", badge);
  }
  if (request && frame.rttMs !== undefined) words.append(" ", span("rtt", `${Math.round(frame.rttMs)} ms`));
  if (said.example) words.append(" ", span("example", `Example ${said.example}`));
  const arrow = span("arrow");
  area.dataset.kind = request ? "answer" : number === undefined ? "news" : "request";
  for (const drawn of [lives, arrow]) drawn.setAttribute("aria-hidden", "true");
  area.append(lives, words, arrow);
  summary.append(span("time", timeOf(frame.at)), area);
  details.append(summary);
  showWhenOpen(details, String(frame.xml));
  const item = element("li", "");
  item.append(details);
  return { item, summary, area, lives, device: device.id, out, at: frame.at, said, number, request };
}
