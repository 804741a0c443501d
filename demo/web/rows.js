// The feeds that the account follows, on the page of a device.

import { element, span } from "./elements.js";
import { feedName, stateWords } from "./words.js";

export class SubscriptionRows {
  #list;
  #input;
  #unsubscribe;
  #titles;
  #rows = new Map(); // key → element, so that focus and animation survive an update

  /**
   * list: <ul>; input: gets the focus when the last row is removed; titles: node → title of a feed; unsubscribe: called
   * for the button of a row.
   */
  constructor(list, input, titles, unsubscribe) {
    this.#titles = titles;
    this.#list = list;
    this.#input = input;
    this.#unsubscribe = unsubscribe;
  }

  /** counts: returns the number of unread entries of a feed. */
  show(subscriptions, counts) {
    const keys = new Set(subscriptions.map((s) => s.key));
    // Move the focus only if this frame has it; else it would be taken from another frame.
    const left = document.hasFocus() ? [...this.#rows.values()].find((row) => row.contains(document.activeElement)) : undefined;
    const next = left && rowAfter(left, keys);
    for (const [key, row] of this.#rows) {
      if (keys.has(key)) continue;
      row.remove();
      this.#rows.delete(key);
    }
    if (left && !left.isConnected) (next?.lastChild ?? this.#input).focus();
    subscriptions.forEach((subscription, i) => {
      const row = this.#rows.get(subscription.key) ?? this.#add(subscription.key);
      fillRow(row, subscription, this.#titles, counts(subscription));
      if (this.#list.children[i] !== row) this.#list.insertBefore(row, this.#list.children[i] ?? null);
    });
  }

  /** Highlights a row for a moment. */
  flash(key) {
    const row = this.#rows.get(key);
    if (!row) return;
    row.classList.remove("flash");
    void row.offsetWidth; // restarts the animation
    row.classList.add("flash");
  }

  #add(key) {
    const row = element("li", "row");
    row.dataset.testid = "row";
    const text = element("div", "");
    const name = element("p", "node");
    name.append(span(""), " ", span("count"));
    text.append(name, element("p", "meta small muted"));
    const button = element("button", "");
    button.type = "button";
    button.dataset.testid = "unsubscribe";
    button.textContent = "Unfollow";
    button.addEventListener("click", () => row.subscription.local || this.#unsubscribe(row.subscription));
    row.append(text, button);
    this.#rows.set(key, row);
    return row;
  }
}

/** Returns the next row after this one that stays in the list. */
function rowAfter(row, keys) {
  do row = row.nextElementSibling;
  while (row && !keys.has(row.subscription.key));
  return row;
}

function fillRow(row, subscription, titles, unread) {
  row.subscription = subscription;
  const { service, node, subid, state, local = "" } = subscription;
  Object.assign(row.dataset, { service, node, state, local });
  const [name, meta] = row.firstChild.children;
  const [title, count] = name.children;
  title.textContent = feedName(subscription, titles);
  count.textContent = `${unread} new`;
  count.hidden = unread === 0;
  row.dataset.unread = String(unread);
  meta.title = subid ? `subid ${subid}` : "";
  const parts = [node && titles.has(node) ? `${node} on ${service}` : service];
  const words = stateWords(subscription);
  if (words) parts.push(" · ", ...(local ? [span("spinner")] : []), words);
  meta.replaceChildren(...parts);
  const button = row.lastChild;
  button.setAttribute("aria-label", `Unfollow ${feedName(subscription, titles)}`);
  button.setAttribute("aria-disabled", String(Boolean(local))); // `disabled` would remove the focus from the button
}
