// The feeds on the page of a device: those that the account follows, and those of the server that it could follow. A feed
// of the server keeps its place when it is followed or unfollowed.

import { element, span } from "./elements.js";
import { feedName, stateWords } from "./words.js";

const few = 4; // offers that are shown at once; the others are further down

export class FeedList {
  #list;
  #further;
  #offers;
  #titles;
  #press;
  #rows = new Map(); // key → element, so that focus and animation survive an update

  /**
   * list, further: <ul>; service, nodes: the feeds of the server; titles: node → title of a feed; press: called with a feed,
   * {service, node, subscription}, when the user presses its button.
   */
  constructor({ list, further, service, nodes, titles, press }) {
    this.#list = list;
    this.#further = further;
    this.#offers = nodes.map(({ name, access }) => ({ key: keyOf({ service, node: name }), service, node: name, closed: access !== "open" }));
    this.#titles = titles;
    this.#press = press;
  }

  /** unread: returns the number of unread entries of a feed. */
  show(subscriptions, unread) {
    const followed = new Map(subscriptions.map((s) => [keyOf(s), s]));
    const offered = new Set(this.#offers.map((o) => o.key));
    const feeds = [...this.#offers, ...subscriptions.filter((s) => !offered.has(keyOf(s))).map((s) => ({ ...s, key: s.key }))];
    const keys = new Set(feeds.map((f) => f.key));
    const places = [this.#list, this.#further].map((list) => ({ list, next: 0 }));
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      if (hasFocus(row)) this.#further.closest("details").querySelector("summary").focus();
      row.remove();
      this.#rows.delete(key);
    }
    feeds.forEach((feed, i) => {
      const row = this.#rows.get(feed.key) ?? this.#add(feed.key);
      this.#fill(row, feed, followed.get(keyOf(feed)), unread(feed));
      const place = places[i < few || followed.has(keyOf(feed)) ? 0 : 1];
      const focused = hasFocus(row);
      if (place.list.children[place.next] !== row) place.list.insertBefore(row, place.list.children[place.next] ?? null);
      if (focused) row.lastChild.focus(); // else it would be lost when the row moves
      place.next++;
    });
  }

  /** Returns the button of a feed. */
  button(target) {
    return [...this.#rows.values()].find((row) => keyOf(row.feed) === keyOf(target))?.lastChild;
  }

  /** Highlights a feed for a moment. */
  flash(target) {
    const row = this.button(target)?.parentElement;
    if (!row) return;
    row.classList.remove("flash");
    void row.offsetWidth; // restarts the animation
    row.classList.add("flash");
  }

  #add(key) {
    const row = element("li", "feed");
    const name = element("p", "name");
    name.append(span(""), span("count"));
    const button = element("button", "");
    button.type = "button";
    button.addEventListener("click", () => row.feed.subscription?.local || this.#press(row.feed));
    const text = element("div", "");
    text.append(name, element("p", "meta muted"));
    row.append(text, button);
    this.#rows.set(key, row);
    return row;
  }

  #fill(row, { service, node, closed }, subscription, unread) {
    row.feed = { service, node, subscription };
    const { state = "", local = "", subid } = subscription ?? {};
    Object.assign(row.dataset, { testid: subscription ? "row" : "offer", service, node, state, local, unread: String(unread) });
    const [text, button] = row.children;
    const [name, meta] = text.children;
    const [title, count] = name.children;
    title.textContent = feedName({ node }, this.#titles);
    count.textContent = String(unread);
    count.setAttribute("aria-label", `${unread} new`);
    count.hidden = !subscription || unread === 0;
    name.title = subid ? `${node} on ${service}, subid ${subid}` : `${node} on ${service}`;
    meta.textContent = closed && !subscription ? "members only" : local || !subscription ? "" : stateWords(subscription); // the button shows `local`
    button.className = subscription ? "following" : "primary";
    button.dataset.testid = subscription ? "unsubscribe" : "follow";
    button.replaceChildren(...(local ? [span("spinner")] : []), span("word", subscription ? "Following" : "Follow"));
    button.setAttribute("aria-label", subscription ? `Following ${title.textContent}: unfollow` : `Follow ${title.textContent}`);
    button.setAttribute("aria-disabled", String(Boolean(local))); // `disabled` would remove the focus from the button
  }
}

/** Reports whether this frame, and not another one, has its focus in the row. */
const hasFocus = (row) => document.hasFocus() && row.contains(document.activeElement);

/** Returns the key of a feed. The server assigns the subid. */
export const keyOf = ({ service, node }) => `${service}\0${node}`;
