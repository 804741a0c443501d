// The wire log: a row for each message, newest last, all as text.

const maxRows = 600;
const maxShown = 20000; // characters of one message

export class WireLog {
  #rows = []; // {item, device, words}
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
    for (const frame of frames) {
      const row = newRow(device, frame);
      this.#rows.push(row);
      row.item.hidden = !this.#shows(row);
      this.#list.append(row.item);
    }
    while (this.#rows.length > maxRows) this.#rows.shift().item.remove();
    this.#showEmpty();
    if (atEnd) box.scrollTop = box.scrollHeight;
  }

  clear() {
    this.#rows = [];
    this.#list.replaceChildren();
    this.#showEmpty();
  }

  #shows({ device, words }) {
    return (!this.#device.value || device === this.#device.value) && (!this.#kind.value || words.includes(this.#kind.value));
  }

  #filter() {
    for (const row of this.#rows) row.item.hidden = !this.#shows(row);
    this.#showEmpty();
  }

  #showEmpty() {
    this.#empty.hidden = this.#rows.some((row) => !row.item.hidden);
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
    const pre = document.createElement("pre");
    pre.textContent = pretty(xml);
    details.append(pre);
    pre.scrollIntoView({ block: "nearest" });
  });

  const item = document.createElement("li");
  item.append(details);
  return { item, device: device.id, words: [kind, layer] };
}

function span(className, text) {
  const e = document.createElement("span");
  e.className = className;
  e.textContent = text;
  return e;
}

function timeOf(ms) {
  const d = new Date(ms);
  return `${d.toLocaleTimeString([], { hour12: false })}.${String(d.getMilliseconds()).padStart(3, "0")}`;
}

/** The start of a message for one line: element names, and the attributes that tell most. */
export function brief(xml) {
  const tags = xml.slice(0, 2000).match(/<[a-zA-Z][^>]*>/g) ?? [];
  const said = tags.slice(0, 4).map((tag) => {
    const name = tag.match(/^<([^\s/>]+)/)[1];
    const attributes = [...tag.matchAll(/\s(type|ver|node|service|subscription|jid)=(['"])(.*?)\2/g)].map((m) => `${m[1]}=${m[3]}`);
    return [name, ...attributes].join(" ");
  });
  return said.join(" › ") || xml.slice(0, 120);
}

/** One tag a line, indented. It reads tags, not XML: the text is only shown. */
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
