// The entries on the page of a device, newest first. Texts and pictures come from whoever published them: they are shown
// through textContent and src only. Each row is at its place by a translation, so that a new entry moves the others
// without a layout, and lets them slide.

import { element, span } from "./elements.js";
import { eventWords, feedName, seenWords, when } from "./words.js";

export class EntryList {
  #list;
  #read;
  #titles;
  #rows = new Map(); // id → element, so that focus and open entries survive an update

  /** list: <ol>; titles: node → title of a feed; read: called with an entry that the user opens. */
  constructor(list, titles, read) {
    this.#list = list;
    this.#titles = titles;
    this.#read = read;
    new ResizeObserver(() => this.#place()).observe(list);
  }

  /** Shows the events, and returns those of which another device has now reported that they were read. */
  show(events) {
    const readElsewhere = [];
    const ids = new Set(events.map((e) => e.id));
    for (const [id, row] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    events.forEach((event, i) => {
      const row = this.#rows.get(event.id) ?? this.#add(event);
      if (row.event !== event) {
        if (row.event?.seen.state === "unseen" && event.seen.state === "likely-seen-elsewhere") readElsewhere.push(event);
        this.#fill(row, event);
      }
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
    });
    this.#place();
    return readElsewhere;
  }

  /** Returns the button of the newest entry that is unread. */
  newestUnread() {
    return this.#list.querySelector("[data-seen=unseen] .open");
  }

  #place() {
    let y = 0;
    for (const row of this.#list.children) {
      const height = row.offsetHeight;
      if (!row.style.translate) {
        row.style.translate = `0 ${y - height}px`; // from which it slides to its place
        void row.offsetWidth;
      }
      row.style.translate = `0 ${y}px`;
      y += height;
    }
    this.#list.style.height = `${y}px`;
  }

  #add(event) {
    const row = element("li", "entry");
    row.dataset.testid = "entry";
    const open = element("button", "open");
    open.type = "button";
    open.setAttribute("aria-expanded", "false");
    open.addEventListener("click", () => {
      row.classList.toggle("expanded");
      open.setAttribute("aria-expanded", String(row.classList.contains("expanded")));
      this.#place();
      this.#read(row.event);
    });
    row.append(open);
    this.#rows.set(event.id, row);
    return row;
  }

  #fill(row, event) {
    row.event = event;
    const { entry, seen, type } = event;
    Object.assign(row.dataset, { id: event.id, node: event.node, type, seen: seen.state, basis: seen.basis });
    const open = row.querySelector(".open");
    const text = span("text");
    const title = span("title", type === "published" ? entry?.title ?? "An entry without a title" : eventWords(event, this.#titles));
    title.append(unreadDot());
    text.append(title);
    const meta = span("meta small muted");
    const time = element("time", "", when(event.occurredAt));
    time.dateTime = event.occurredAt.toISOString();
    time.title = event.occurredAt.toLocaleString();
    meta.append(time, " · ", feedName(event, this.#titles));
    for (const words of [event.delivery === "live" ? "" : "while you were away", seenWords(seen)]) if (words) meta.append(" · ", words);
    text.append(meta);
    if (type === "published" && (entry?.summary || entry?.content)) text.append(span("summary", entry.summary || entry.content));
    open.replaceChildren(...(type === "published" ? [picture(entry)] : []), text);
    row.querySelector(".link")?.remove();
    if (entry?.link) row.append(link(entry.link));
  }
}

/** Creates the picture of an entry, or an empty place of its size. */
function picture(entry) {
  if (!entry?.image) return span("picture");
  const image = element("img", "picture");
  image.alt = "";
  image.width = 96;
  image.height = 72;
  image.src = entry.image;
  return image;
}

function link(url) {
  const a = element("a", "link small", "Read it on the web");
  a.href = url;
  a.target = "_blank";
  a.rel = "noopener noreferrer";
  return a;
}

function unreadDot() {
  const dot = span("dot");
  dot.setAttribute("role", "img");
  dot.setAttribute("aria-label", "unread");
  return dot;
}
