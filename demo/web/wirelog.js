// The wire log: a row for each message, newest last, shown as text. The Tab key
// stops at one row only; the arrow keys, Home and End move between rows.

import { element, span } from "./elements.js";

const maxRows = 600;
const maxShown = 20000; // characters of one message

export class WireLog {
  #rows = []; // {item, summary, device, words, at}, by time
  #stop; // the row at which the Tab key stops
  #list;
  #empty;
  #device;
  #kind;

  /** list: <ol>; empty: shown when there are no rows; device, kind: <select>s that filter. */
  constructor({ list, empty, device, kind }) {
    this.#list = list;
    this.#empty = empty;
    this.#device = device;
    this.#kind = kind;
    device.addEventListener("change", () => this.#filter());
    kind.addEventListener("change", () => this.#filter());
    list.addEventListener("keydown", (event) => this.#move(event));
    list.addEventListener("focusin", (event) => this.#stopAt(this.#rows.find((row) => row.item.contains(event.target))));
  }

  addDevice(device) {
    const option = document.createElement("option");
    option.value = device.id;
    option.textContent = device.name;
    this.#device.append(option);
  }

  removeDevice(device) {
    [...this.#device.options].find((o) => o.value === device.id)?.remove();
    this.#filter();
  }

  add(device, frames) {
    const box = this.#list.parentElement;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    const focused = this.#list.contains(document.activeElement);
    for (const frame of frames) {
      const row = newRow(device, frame);
      row.item.hidden = !this.#shows(row);
      this.#insert(row);
    }
    while (this.#rows.length > maxRows) this.#rows.shift().item.remove();
    this.#settle();
    if (focused && !this.#list.contains(document.activeElement)) this.#stop?.summary.focus();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  clear() {
    this.#rows = [];
    this.#list.replaceChildren();
    this.#settle();
  }

  /** Inserts rows by time, because devices report their messages in batches and with a delay. */
  #insert(row) {
    const i = this.#rows.findLastIndex((r) => r.at <= row.at) + 1;
    this.#list.insertBefore(row.item, this.#rows[i]?.item ?? null);
    this.#rows.splice(i, 0, row);
  }

  #shows({ device, words }) {
    return (!this.#device.value || device === this.#device.value) && (!this.#kind.value || words.includes(this.#kind.value));
  }

  #filter() {
    for (const row of this.#rows) row.item.hidden = !this.#shows(row);
    this.#settle();
  }

  /** Makes the Tab key stop at the newest row, unless another row has the focus. Called when the rows have changed. */
  #settle() {
    const shown = this.#rows.filter((row) => !row.item.hidden);
    this.#empty.hidden = shown.length > 0;
    this.#stopAt(shown.find((row) => row.item.contains(document.activeElement)) ?? shown.at(-1));
  }

  #stopAt(row) {
    if (this.#stop) this.#stop.summary.tabIndex = -1;
    this.#stop = row;
    if (row) row.summary.tabIndex = 0;
  }

  #move(event) {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    const shown = this.#rows.filter((row) => !row.item.hidden);
    const i = shown.indexOf(this.#stop);
    const to = { ArrowDown: i + 1, ArrowUp: i - 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    shown[to]?.summary.focus();
  }
}

function newRow(device, frame) {
  const kind = String(frame.kind);
  const layer = String(frame.layer ?? "");
  const xml = String(frame.xml);
  const out = frame.dir === "out";

  const details = document.createElement("details");
  details.dataset.testid = "wire-row";
  Object.assign(details.dataset, { device: device.id, dir: out ? "out" : "in", kind, layer });
  const summary = document.createElement("summary");
  summary.tabIndex = -1;
  const arrow = span(`arrow ${out ? "out" : "in"}`, out ? "→" : "←");
  arrow.setAttribute("role", "img");
  arrow.setAttribute("aria-label", out ? "sent" : "received");
  const rtt = frame.rttMs === undefined ? "" : `${Math.round(Number(frame.rttMs))} ms, `;
  summary.append(
    span("time", timeOf(Number(frame.at))), span("device", device.name), arrow,
    span(`badge kind ${layer === "pam" ? "pam" : ""}`, layer || kind), span("brief", brief(xml)), span("cost", `${rtt}${Number(frame.bytes)} B`),
  );
  details.append(summary);
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const pre = element("pre", "", pretty(xml));
    details.append(pre);
    pre.scrollIntoView({ block: "nearest" });
  });

  const item = document.createElement("li");
  item.append(details);
  return { item, summary, device: device.id, words: [kind, layer], at: Number(frame.at) };
}

function timeOf(ms) {
  const d = new Date(ms);
  return `${d.toLocaleTimeString([], { hour12: false })}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** Returns the start of a message for one line: element names, and the most informative attributes. */
export function brief(xml) {
  const tags = xml.slice(0, 2000).match(/<[a-zA-Z][^>]*>/g) ?? [];
  const said = tags.slice(0, 4).map((tag) => {
    const name = tag.match(/^<([^\s/>]+)/)[1];
    const attributes = [...tag.matchAll(/\s(type|ver|node|service|subscription|jid)=(['"])(.*?)\2/g)].map((m) => `${m[1]}=${m[3]}`);
    return [name, ...attributes].join(" ");
  });
  return said.join(" › ") || xml.slice(0, 120);
}

/** Returns the message with one tag on each line, indented. It splits tags without parsing XML; the text is only shown. */
export function pretty(xml) {
  const cut = xml.length > maxShown;
  const pieces = (cut ? xml.slice(0, maxShown) : xml).match(/<[^>]*>|[^<]+/g) ?? [];
  const lines = [];
  let depth = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    const closing = piece.startsWith("</");
    if (closing) depth = Math.max(0, depth - 1);
    let line = piece;
    const opening = piece.startsWith("<") && !closing && !piece.endsWith("/>");
    if (opening && pieces[i + 1]?.startsWith("</")) line += pieces[++i];
    else if (opening && !pieces[i + 1]?.startsWith("<") && pieces[i + 2]?.startsWith("</")) line += pieces[++i] + pieces[++i];
    else if (opening) depth++;
    if (line.trim()) lines.push("  ".repeat(opening && line === piece ? depth - 1 : depth) + line.trim());
  }
  if (cut) lines.push(`… and ${xml.length - maxShown} more characters`);
  return lines.join("\n");
}
