// The wire log: a row for each message, newest last, shown as text. The Tab key
// stops at one row only; the arrow keys, Home and End move between rows.

import { element, span } from "./elements.js";
import { TabStop } from "./tabstop.js";

const maxRows = 600;
const maxShown = 20000; // characters of one message
const maxIndent = 20; // levels

export class WireLog {
  #rows = []; // {item, summary, device, name, frame, words, at}, by time
  #list;
  #empty;
  #device;
  #kind;
  #text;
  #tab;

  /**
   * list: <ol>; empty: shown when there are no rows; device, kind: <select>s that filter; text: an <input> that filters,
   * save: a <button> that downloads the rows that are shown. The last two may be absent.
   */
  constructor({ list, empty, device, kind, text, save }) {
    this.#list = list;
    this.#empty = empty;
    this.#device = device;
    this.#kind = kind;
    this.#text = text;
    this.#tab = new TabStop(list, () => this.#rows.filter((row) => !row.item.hidden));
    for (const filter of [device, kind]) filter.addEventListener("change", () => this.#filter());
    text?.addEventListener("input", () => this.#filter());
    whenOpened(list, () => this.#scroll());
    save?.addEventListener("click", () => download(this.export(), `xmpp-${Date.now()}.ndjson`));
  }

  /** Sets the devices: [{id, name}]. Messages of one that is gone remain. */
  setDevices(devices) {
    const chosen = this.#device.value;
    this.#device.replaceChildren(this.#device.options[0], ...devices.map(({ id, name }) => new Option(name, id)));
    this.#device.value = devices.some(({ id }) => id === chosen) ? chosen : "";
    this.#filter();
  }

  add(device, frames) {
    const box = this.#list.parentElement;
    const atEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
    this.#tab.keep(() => {
      for (const frame of frames) {
        const row = newRow(device, frame);
        row.item.hidden = !this.#shows(row);
        this.#insert(row);
      }
      while (this.#rows.length > maxRows) this.#rows.shift().item.remove();
    });
    this.#showEmpty();
    if (atEnd) this.#scroll();
  }

  clear() {
    this.#rows = [];
    this.#list.replaceChildren();
    this.#tab.settle();
    this.#showEmpty();
  }

  /** Returns the messages that are shown, as NDJSON: one JSON object on each line. */
  export() {
    const lines = this.#rows.filter((row) => !row.item.hidden).map(({ name, frame }) => {
      const { at, ...rest } = frame;
      return `${JSON.stringify({ device: name, at: new Date(at).toISOString(), ...rest })}\n`;
    });
    return new Blob(lines, { type: "application/x-ndjson" });
  }

  /** Inserts rows by time, because devices report their messages in batches and with a delay. */
  #insert(row) {
    const i = this.#rows.findLastIndex((r) => r.at <= row.at) + 1;
    this.#list.insertBefore(row.item, this.#rows[i]?.item ?? null);
    this.#rows.splice(i, 0, row);
  }

  #shows({ device, words, frame }) {
    const text = this.#text?.value.trim().toLowerCase();
    return (!this.#device.value || device === this.#device.value)
      && (!this.#kind.value || words.includes(this.#kind.value))
      && (!text || String(frame.xml).toLowerCase().includes(text));
  }

  #filter() {
    for (const row of this.#rows) row.item.hidden = !this.#shows(row);
    this.#tab.settle();
    this.#showEmpty();
  }

  /** Shows the newest row. */
  #scroll() {
    this.#list.parentElement.scrollTop = this.#list.parentElement.scrollHeight;
  }

  #showEmpty() {
    this.#empty.hidden = this.#rows.some((row) => !row.item.hidden);
  }
}

/** Calls a function each time the <details> around an element is opened. */
export function whenOpened(inner, run) {
  const details = inner.closest("details");
  details?.addEventListener("toggle", () => details.open && run());
}

/** Lets the browser save a blob as a file. */
function download(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href)); // the browser has taken the blob by then
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
    span("time", timeOf(Number(frame.at))), span("from", device.name), arrow,
    span(`badge kind ${layer === "pam" ? "pam" : ""}`, layer || kind), span("brief", brief(xml)),
    span("bytes", `${rtt}${Number(frame.bytes)} B`),
  );
  details.append(summary);
  showWhenOpen(details, xml);

  const item = document.createElement("li");
  item.append(details);
  return { item, summary, device: device.id, name: device.name, frame, words: [kind, layer], at: Number(frame.at) };
}

/** Shows the whole message below its summary when the user opens it. */
export function showWhenOpen(details, xml) {
  details.addEventListener("toggle", () => {
    if (!details.open || details.children.length > 1) return;
    const pre = element("pre", "", pretty(xml));
    details.append(pre);
    pre.scrollIntoView({ block: "nearest" });
  });
}

export function timeOf(ms) {
  const d = new Date(ms);
  return `${d.toLocaleTimeString([], { hour12: false })}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** Returns the start of a message for one line: element names, and the most informative attributes. */
export function brief(xml) {
  const tags = xml.slice(0, 2000).match(/<[a-zA-Z][^<>]*>/g) ?? [];
  const said = tags.slice(0, 4).map((tag) => {
    const name = tag.match(/^<([^\s/>]+)/)[1];
    const attributes = tag.matchAll(/\s(type|ver|node|service|subscription|jid)=(['"])(.*?)\2/g);
    return [name, ...[...attributes].map((m) => `${m[1]}=${m[3]}`)].join(" ");
  });
  return said.join(" › ") || xml.slice(0, 120);
}

/** Returns the message with one tag on each line, indented. It does not parse XML: the text is only shown. */
export function pretty(xml) {
  const cut = xml.length > maxShown;
  const pieces = (cut ? xml.slice(0, maxShown) : xml).match(/<[^<>]*>?|[^<]+/g) ?? [];
  const lines = [];
  let depth = 0;
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    const closing = piece.startsWith("</");
    if (closing) depth = Math.max(0, depth - 1);
    let line = piece;
    const opening = piece.startsWith("<") && !closing && !piece.endsWith("/>");
    if (opening && pieces[i + 1]?.startsWith("</")) line += pieces[++i];
    else if (opening && !pieces[i + 1]?.startsWith("<") && pieces[i + 2]?.startsWith("</")) {
      line += pieces[++i] + pieces[++i];
    } else if (opening) depth++;
    if (line.trim()) lines.push("  ".repeat(Math.min(opening && line === piece ? depth - 1 : depth, maxIndent)) + line.trim());
  }
  if (cut) lines.push(`… and ${xml.length - maxShown} more characters`);
  return lines.join("\n");
}
