// The rows of the subscription list on the page of a device.

import { element, span } from "./elements.js";
import { stateWords } from "./words.js";

export class SubscriptionRows {
  #list;
  #input;
  #unsubscribe;
  #rows = new Map(); // key → element, so that focus and animation survive an update

  /** list: <ol>; input: gets the focus when the last row is removed; unsubscribe: called for the button of a row. */
  constructor(list, input, unsubscribe) {
    this.#list = list;
    this.#input = input;
    this.#unsubscribe = unsubscribe;
  }

  show(subscriptions) {
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
      fillRow(row, subscription);
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
    text.append(element("p", "node"), element("p", "meta small muted"));
    const button = element("button", "");
    button.type = "button";
    button.dataset.testid = "unsubscribe";
    button.textContent = "Unsubscribe";
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

function fillRow(row, subscription) {
  row.subscription = subscription;
  const { service, node, subid, state, local = "" } = subscription;
  Object.assign(row.dataset, { service, node, state, local });
  const [name, meta] = row.firstChild.children;
  name.textContent = node || "(the whole service)";
  const words = span("", stateWords(subscription));
  if (local) words.prepend(span("spinner"));
  const parts = [service, " · ", words];
  if (subid) parts.push(` · subid ${subid}`);
  meta.replaceChildren(...parts);
  const button = row.lastChild;
  button.setAttribute("aria-label", `Unsubscribe from ${node} at ${service}`);
  button.setAttribute("aria-disabled", String(Boolean(local))); // `disabled` would remove the focus from the button
}
