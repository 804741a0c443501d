// Shows a comparison: a table of figures, and for each device the times at which its list was out of date.

import { span } from "./elements.js";
import { bytesText, msText } from "./traffic.js";

const measures = [
  ["stale", (r) => r.staleMs, msText],
  ["late", (r) => r.medianMs, msText],
  ["missed", (r) => r.missed, (n, r) => (r.due > 0 ? `${n} of ${r.due}` : "–")],
  ["unread", (r) => r.differences, String],
  ["received", (r) => r.received, bytesText],
  ["sent", (r) => r.sent, bytesText],
];
const sides = ["pam", "polling"];

export class ComparisonView {
  #root;
  #button;
  #status;

  /** root: the section of the page, see index.html; button: runs and stops; status: an element for what happens. */
  constructor({ root, button, status }) {
    this.#root = root;
    this.#button = button;
    this.#status = status;
  }

  begin() {
    for (const cell of this.#root.querySelectorAll(".better")) cell.classList.remove("better");
    this.#button.textContent = "Stop";
    this.#root.dataset.running = "yes";
    for (const [measure] of measures) for (const side of sides) this.#figure(measure, side);
    for (const strip of this.#root.querySelectorAll(".strip")) strip.replaceChildren(span("now"));
  }

  end() {
    this.#button.textContent = "Run the comparison (30 s)";
    delete this.#root.dataset.running;
  }

  /** seconds: since the start, if it has begun. */
  say(text, seconds) {
    this.#status.textContent = seconds === undefined ? text : `${Math.round(seconds)} s: ${text}`;
  }

  /** results: of both sides, each with the time `at`; start: of the run; length: of it, in ms. */
  show(results, start, length) {
    const place = (ms) => Math.min(100, Math.max(0, (ms - start) / length * 100));
    for (const [measure, value, text] of measures) {
      const values = results.map((result) => value(result));
      results.forEach((result, i) => {
        const cell = this.#figure(measure, sides[i], values[i], text, result);
        cell.classList.toggle("better", values[i] < values[1 - i]);
      });
    }
    results.forEach((result, i) => {
      for (const strip of this.#root.querySelectorAll(`.strip[data-side="${sides[i]}"]`)) {
        const spans = result.stale.filter((s) => s.name === strip.dataset.device);
        while (strip.children.length < spans.length + 1) strip.lastChild.before(span("stale"));
        spans.forEach(({ from, to }, j) => {
          strip.children[j].style.left = `${place(from)}%`;
          strip.children[j].style.right = `${100 - place(to)}%`;
        });
        strip.lastChild.style.scale = `${1 - place(result.at) / 100} 1`; // a scale shifts no layout
      }
    });
  }

  /** Returns the outcome as a sentence. */
  summary([pam, polling]) {
    const never = (n) => (n === 0 ? "no entry was missed" : `${n} ${n === 1 ? "entry was" : "entries were"} missed`);
    return `With xmpp-pam, the lists were out of date for ${msText(pam.staleMs)}, and ${never(pam.missed)}. `
      + `With polling: ${msText(polling.staleMs)}, and ${never(polling.missed)}.`;
  }

  #cell(measure, side) {
    return this.#root.querySelector(`[data-measure="${measure}"] [data-side="${side}"]`);
  }

  #figure(measure, side, value, text, result) {
    const words = value === undefined ? "–" : text(value, result);
    const cell = this.#cell(measure, side);
    if (cell.textContent !== words) cell.textContent = words;
    cell.dataset.value = value ?? "";
    return cell;
  }
}
