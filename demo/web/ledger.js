// What a device has missed: which feeds came and went, which entries with their own times, what was read on the other
// device, and the bytes of the catch-up beside those of the whole list.

import { element, span } from "./elements.js";
import { bytesText } from "./traffic.js";
import { when } from "./words.js";

const maxEntries = 10; // that are shown

export class Ledger {
  #box;

  /** box: contains elements with data-part: title, feeds, entries, empty, catch-up, whole, note. */
  constructor(box) {
    this.#box = box;
  }

  /**
   * Shows a return: its report (see network.js), what the device has missed (see InboxView), and the bytes of the whole
   * list, if they are known.
   */
  show(report, { added, removed, entries }, whole) {
    const { pane, traffic } = report;
    const rest = entries.length - maxEntries;
    this.#part("title").textContent = `What ${pane.name} has missed`;
    const feeds = [
      ...added.map((name) => ["followed", `+ ${name}`]),
      ...removed.map((name) => ["unfollowed", `− ${name}`]),
    ];
    this.#part("feeds").replaceChildren(...feeds.map(([kind, text]) => element("li", kind, text)));
    this.#part("entries").replaceChildren(...entries.slice(0, maxEntries).map(entryRow));
    if (rest > 0) this.#part("entries").append(element("li", "muted", `and ${rest} more`));
    this.#part("empty").hidden = feeds.length > 0 || entries.length > 0;
    this.#part("empty").textContent = report.resumed ? "Nothing: the session was resumed, and the server delivered what it had kept." : "Nothing has changed meanwhile.";
    this.#part("catch-up").textContent = bytesText(traffic.list);
    this.#part("whole").textContent = whole === undefined ? "…" : bytesText(whole);
    this.#part("note").textContent = whole === undefined ? "Measuring the whole list…"
      : whole < traffic.list ? "With so few feeds the whole list is the smaller one. Above is the same for an account that follows more."
      : "Measured when the device came back. Above is the same for an account that follows more.";
    this.#part("catch-up").classList.toggle("less", whole > traffic.list);
  }

  #part(name) { return this.#box.querySelector(`[data-part=${name}]`); }
}

function entryRow({ title, feed, at, elsewhere }) {
  const row = element("li", "");
  const time = element("time", "", when(new Date(at)));
  time.dateTime = new Date(at).toISOString();
  row.append(time, span("what", title), span("muted", feed));
  if (elsewhere) row.append(span("badge ok", elsewhere));
  return row;
}
